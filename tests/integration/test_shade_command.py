import json

import numpy as np
import pytest
from PIL import Image

from tests import command


@pytest.fixture
def me(tmp_path, astronaut):
    astronaut.save(tmp_path / "me.png")
    return tmp_path / "me.png"


def run(*words) -> tuple[int, str]:
    return command.run("shade", *words)


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        assert not image.getexif()
        return np.asarray(image.convert("RGB")).astype(int)


def test_lips_and_eyes_are_worn_together_and_reported(me, tmp_path):
    out, report = tmp_path / "out.png", tmp_path / "report.json"
    words = ["--color", "#b01030", "--color", "#2f6f5e", "--region", "lips", "--region", "eyes"]
    assert run(me, *words, "--finish", "gloss", "-o", out, "--report", report)[0] == 0
    (entry,) = json.loads(report.read_text())
    assert [shade["place"] for shade in entry["shades"]] == ["lips", "eyes"]
    assert all(shade["delta_e"] < 3 for shade in entry["shades"])
    assert pixels(out).shape == pixels(me).shape
    assert np.abs(pixels(out) - pixels(me)).max() > 40


def test_a_sheet_shows_every_face_in_every_shade(me, tmp_path, painted):
    painted.save(tmp_path / "other.png")
    sheet, report = tmp_path / "sheet.png", tmp_path / "report.json"
    words = ["--color", "#b01030", "--finish", "matte", "--finish", "gloss", "--sheet"]
    code, _ = run(me, tmp_path / "other.png", *words, "-o", sheet, "--report", report)
    assert code == 0
    assert [len(entry["shades"]) for entry in json.loads(report.read_text())] == [2, 2]
    picture = pixels(sheet)
    assert picture.shape[1] > picture.shape[0] > 600


def test_a_folder_goes_on_past_a_picture_without_a_face(me, tmp_path, astronaut):
    shop = tmp_path / "shop"
    shop.mkdir()
    astronaut.save(shop / "a.png")
    Image.new("RGB", (200, 200), "green").save(shop / "lawn.png")
    code, said = run(shop, "--color", "#b01030", "-o", tmp_path / "results")
    assert code == 3
    assert "lawn.png" in said
    assert "no face" in said
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == ["a.png"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "--color"),
        (["--color", "red"], "not a colour"),
        (["--color", "#b01030", "--finish", "wet"], "matte"),
        (["--color", "#b01030", "--region", "nose"], "lips"),
        (["--color", "#b01030"] * 2 + ["--finish", "matte"] * 3, "for all colours"),
    ],
)
def test_wrong_usage_is_one_sentence_and_code_2(me, tmp_path, words, sentence):
    code, said = run(me, *words, "-o", tmp_path / "out.png")
    assert code == 2
    assert sentence in said
    assert not (tmp_path / "out.png").exists()


def test_a_product_of_a_catalog_is_worn_where_its_category_belongs(me, tmp_path):
    pytest.importorskip("lancedb")
    from pipelines.catalog.search.store import Catalog

    row = {"source": "x", "status": "ok", "kind": "palette", "confidence": 1.0}
    pans = ["#c9a227", "#6b3a2a", "#3a2030", "#f4e4c0", "#101010"]
    rows = [
        row
        | {
            "sku": "duo",
            "category": "eyeshadow_palette",
            "finish": "matte",
            "shade_index": number,
            "hex": color,
            "lab": [50, 0, 0],
        }
        for number, color in enumerate(pans)
    ]
    nails = {"sku": "nails", "category": "nail_polish", "shade_index": 0, "hex": "#b01030"}
    rows.append(row | nails | {"finish": "gloss", "lab": [38, 58, 30]})
    shop = tmp_path / "shop"
    Catalog(shop).upsert(rows)
    out, report = tmp_path / "out.png", tmp_path / "report.json"
    assert run(me, "--sku", "duo", "-c", shop, "-o", out, "--report", report)[0] == 0
    shades = json.loads(report.read_text())[0]["shades"]
    assert [(one["place"], one["color"]) for one in shades] == list(
        zip(("lid", "crease", "outer", "inner"), pans[:4], strict=True)
    )
    for words, sentence in (
        (["--sku", "nails"], "--region"),
        (["--sku", "none"], "no product"),
        (["--sku", "duo", "--color", "#b01030"], "--sku"),
    ):
        code, said = run(me, *words, "-c", shop, "-o", tmp_path / "no.png")
        assert (code, sentence in said) == (2, True)
