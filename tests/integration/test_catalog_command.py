import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pipelines.catalog.formats.tables import write_rows
from tests.command import run

ROOT = Path(__file__).resolve().parents[2]


def found(*words) -> list[dict]:
    code, said = run("catalog", *words, "--json")
    assert code == 0, said
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


@pytest.fixture(scope="module")
def catalog(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalog")
    (folder / "foundations.csv").write_text(
        "brand,product,name,specific,hex,imgSrc\n"
        "B,Base,Sand,NA,#c79f7a,x.jpg\nB,Base,NA,110C,#f0e7db,x.jpg\nB,Base,Sand,NA,#c69e79,x.jpg\n"
    )
    sticks = [
        {"color": "#D62352", "id": "49", "name": "撩骚"},
        {"color": "#842C71", "id": "19", "name": "华丽<b>"},
    ]
    brands = {"brands": [{"name": "圣罗兰", "series": [{"name": "纯口红", "lipsticks": sticks}]}]}
    (folder / "lipsticks.json").write_text(json.dumps(brands))
    code, said = run(
        "catalog",
        "import",
        folder / "foundations.csv",
        folder / "lipsticks.json",
        "-c",
        folder / "catalog",
    )
    assert code == 0, said
    return folder / "catalog"


def test_public_tables_are_imported_once_and_for_all(catalog):
    run("catalog", "import", catalog.parent / "foundations.csv", "-c", catalog)
    stats = json.loads(run("catalog", "stats", "-c", catalog)[1])
    assert (stats["shades"], stats["products"]) == (5, 5)
    assert stats["category"] == {"foundation": 3, "lipstick": 2}


def test_search_by_color_radius_and_filters(catalog):
    first, *_ = found("search", "-c", catalog, "--color", "#d62352")
    assert (first["delta_e"], first["sku"]) == (0, "圣罗兰 / 纯口红 / 49 撩骚")
    near = found("search", "-c", catalog, "--color", "#c79f7a", "--radius", "2")
    assert [shade["sku"] for shade in near] == ["B / Base / Sand", "B / Base / Sand (2)"]
    words = ("search", "-c", catalog, "--color", "#c79f7a", "--category", "lipstick")
    assert {shade["category"] for shade in found(*words)} == {"lipstick"}


def test_a_table_of_shades_is_built_into_a_catalog(tmp_path):
    rows = [
        {
            "sku": "A",
            "source": s,
            "status": "ok",
            "shade_index": 0,
            "best": True,
            "hex": "#102030",
            "lab": [12.0, -1.0, -12.0],
            "confidence": c,
            "finish": "matte",
            "category": "eyeliner",
            "title": t,
        }
        for s, c, t in (("a.png", 0.4, "blurred"), ("b.png", 0.8, "clear\n<b>"))
    ]
    write_rows(rows, tmp_path / "rows.parquet")
    assert run("catalog", "build", tmp_path / "rows.parquet", "-c", tmp_path / "c")[0] == 0
    (shade,) = found("search", "-c", tmp_path / "c", "--color", "#102030")
    assert shade["title"] == "clear\n<b>"
    table = run("catalog", "search", "-c", tmp_path / "c", "--color", "#102030")[1]
    assert len(table.splitlines()) == 1


def test_a_skin_and_an_outfit_are_matched_with_reasons(catalog, tmp_path):
    first, *_ = found("match", "-c", catalog, "--skin", "#c79f7a")
    assert first["sku"] == "B / Base / Sand"
    assert "undertone" in first["reason"]
    dress = Image.new("RGB", (120, 160), "white")
    dress.paste((200, 30, 80), (30, 20, 90, 140))
    dress.save(tmp_path / "dress.png")
    first, *_ = found("match", "-c", catalog, "--outfit", tmp_path / "dress.png")
    assert first["category"] == "lipstick"
    assert "repeats" in first["reason"]


@pytest.mark.parametrize(
    "words",
    [
        ["search", "--color", "red"],
        ["search"],
        ["search", "--color", "#102030", "--finish", "velvety"],
        ["search", "--like", "x.png", "--radius", "3"],
        ["match"],
        ["match", "--skin", "#102030", "--category", "blush"],
        ["stats", "-c", "{folder}/none"],
        ["import", "{folder}/none.csv"],
        ["import", "{folder}/bad.csv"],
        ["import", "{folder}/bad.json"],
        ["import", "{folder}/bad.txt"],
    ],
)
def test_wrong_questions_end_with_2_and_a_sentence(catalog, tmp_path, words):
    (tmp_path / "bad.csv").write_text("brand,hex\nB,#102030\n")
    (tmp_path / "bad.json").write_text('{"brands": [{"name": "B"}]}')
    (tmp_path / "bad.txt").write_text("x")
    words = [word.format(folder=tmp_path) for word in words]
    if "-c" not in words:
        words += ["-c", str(catalog)]
    code, said = run("catalog", *words)
    assert code == 2
    assert "Traceback" not in said


def test_without_the_extra_a_sentence_says_what_to_install(tmp_path):
    code = (
        "import sys; sys.modules['lancedb'] = None\n"
        "from pipelines.catalog.search.store import Catalog\n"
        "from models.errors import CatalogError\n"
        "try: Catalog(sys.argv[1]).upsert([{'sku': 'a', 'lab': [1, 2, 3], 'shade_index': 0}])\n"
        "except CatalogError as error: print(error.reason, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.startswith("extra a catalogue needs LanceDB: pip install")
