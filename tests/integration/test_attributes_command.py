import json

import pytest
from PIL import Image

from pipelines.catalog.formats.tables import NAMES, read_rows
from tests.command import run


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """Three drawn pans and a file that is no picture."""
    from PIL import ImageDraw

    folder = tmp_path_factory.mktemp("shop")
    for name, color in (("rose.png", "#b0485c"), ("plum.png", "#5a2848"), ("sand.png", "#c49a72")):
        image = Image.new("RGB", (96, 96), "white")
        ImageDraw.Draw(image).ellipse((16, 16, 80, 80), fill=color)
        image.save(folder / name)
    (folder / "<b>&\nbad.png").write_text("no picture")
    return folder


def test_a_folder_becomes_a_table_and_a_bad_picture_a_row(shop, tmp_path):
    out = tmp_path / "shades.jsonl"
    assert run("attributes", shop, "-o", out, "--workers", "0", "--fail-on", "0.3")[0] == 0
    rows = list(read_rows(out))
    assert {row["sku"] for row in rows} == {"<b>&\nbad", "rose", "plum", "sand"}
    bad = rows[0]
    assert (bad["status"], bad["error"]) == ("error", "unknown_kind")
    assert bad["message"].endswith(".")
    # the same command asks what is to become of the state it left, and --resume reads nothing anew
    assert run("attributes", shop, "-o", out, "--workers", "0")[0] == 2
    before = out.read_bytes()
    code, said = run("attributes", shop, "-o", out, "--workers", "0", "--resume", "--log-json")
    assert code == 3, "one bad picture is more than none"
    done = json.loads(said.splitlines()[-1])
    assert (done["event"], done["pictures"], done["kept"], done["errors"]) == ("done", 4, 4, 1)
    assert out.read_bytes() == before


def test_standard_input_a_limit_and_a_dry_run(shop, tmp_path):
    lines = "".join(
        json.dumps({"image": str(shop / name), "sku": name, "price": "9.90 EUR"}) + "\n"
        for name in ("rose.png", "plum.png", "sand.png")
    )
    out = tmp_path / "o.csv"
    assert run("attributes", "-", "-o", out, "--dry-run", stdin=lines)[1].startswith("3 pictures")
    assert list(tmp_path.iterdir()) == []
    words = ("attributes", "read", "-", "-o", out, "--workers", "0", "--limit", "2")
    assert run(*words, stdin=lines)[0] == 0
    assert {row["sku"] for row in read_rows(out)} == {"rose.png", "plum.png"}
    assert {(row["price"], row["currency"]) for row in read_rows(out)} == {(9.9, "EUR")}


@pytest.mark.parametrize(
    "words",
    [
        ["attributes", "{folder}/nothing-here", "-o", "{folder}/o.jsonl"],
        ["attributes", "{folder}", "-o", "{folder}/o.xlsx"],
        ["attributes", "{folder}", "-o", "{folder}/nowhere/o.jsonl"],
        ["attributes", "{folder}", "-o", "{folder}/o.jsonl", "--resume", "--overwrite"],
        ["attributes", "{folder}", "-o", "{folder}/o.jsonl", "--engine", "spark"],
        ["attributes", "{folder}"],
        ["attributes", "export", "{folder}/none.jsonl", "--to", "shopify", "-o", "{folder}/x"],
        ["attributes", "export", "{folder}/none.jsonl", "--to", "ebay", "-o", "{folder}/x"],
    ],
)
def test_wrong_usage_ends_with_2_and_leaves_nothing(tmp_path, words):
    code, said = run(*(word.format(folder=tmp_path) for word in words))
    assert code == 2
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_an_empty_folder_gives_an_empty_table(tmp_path):
    (tmp_path / "shop").mkdir()
    out = tmp_path / "o.csv"
    assert run("attributes", tmp_path / "shop", "-o", out, "--workers", "0")[0] == 0
    assert out.read_text().strip() == ",".join(NAMES)


def test_the_schema_describes_every_column():
    code, said = run("attributes", "schema")
    schema = json.loads(said)
    assert code == 0
    assert tuple(schema["properties"]) == NAMES
    assert schema["properties"]["lab"]["minItems"] == 3
    assert "shimmer" in schema["properties"]["finish"]["enum"]


def test_help_lists_reading_schema_and_export():
    said = run("attributes", "--help")[1]
    assert all(word in said for word in ("read", "schema", "export"))
