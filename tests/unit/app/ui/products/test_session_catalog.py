from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.settings import Settings
from app.ui.products.readings import Reading, apply_corrections, make_table, name_product
from app.ui.products.session_catalog import (
    SessionCatalog,
    find_catalog,
    find_shades,
    save_rows,
)
from app.ui.products.shades import to_hex
from models.errors import ShadeError
from models.ops.color import hex_to_lab
from pipelines.catalog.extract.attributes import Attributes, Shade


@pytest.fixture
def reading(tmp_path):
    """A palette of two pans, as if it had been read."""
    picture = Image.new("RGB", (60, 30), "#b01030")
    picture.paste("#2f6f5e", (30, 0, 60, 30))
    picture.save(tmp_path / "duo.png")
    shades = tuple(
        Shade(
            index,
            color,
            tuple(map(float, hex_to_lab(color))),
            name,
            1.0,
            "matte",
            0.1,
            0.0,
            0.0,
            0.0,
            0.9,
            (30 * index + 5, 5, 30 * index + 25, 25),
            0.8,
        )
        for index, (color, name) in enumerate([("#b01030", "red"), ("#2f6f5e", "green")])
    )
    masks = (np.ones((20, 20), bool),) * 2
    attributes = Attributes("palette", "eyeshadow_palette", shades, 0, (60, 30))
    return Reading("duo", tmp_path / "duo.png", attributes, masks)


def test_a_corrected_table_changes_the_shade_and_the_drawing(reading):
    table = make_table([reading])
    assert [row[0] for row in table] == ["1 duo", "2 duo"]
    table[1][1:] = ["#2A3FB0", "glitter", "midnight", "eyeshadow"]
    (fixed,) = apply_corrections([reading], table)
    green = fixed.attributes.shades[1]
    assert (green.hex, green.finish, green.name) == ("#2a3fb0", "glitter", "midnight")
    assert green.lab == pytest.approx(hex_to_lab("#2a3fb0"))
    assert fixed.attributes.category == "eyeshadow"
    assert fixed.attributes.shades[0] == reading.attributes.shades[0]
    before, after = np.asarray(reading.draw()), np.asarray(fixed.draw())
    assert (before != after)[:, 30:].any()
    assert not (before != after)[:, :28].any()


@pytest.mark.parametrize(
    ("column", "cell"), [(1, "blue"), (1, ""), (2, "wet"), (4, "shoe"), (1, "<b>#b01030</b>")]
)
def test_a_cell_that_means_nothing_is_refused(reading, column, cell):
    table = make_table([reading])
    table[0][column] = cell
    with pytest.raises(ShadeError):
        apply_corrections([reading], table)


def test_what_is_saved_is_found_by_color_and_gone_with_the_visit(reading):
    pytest.importorskip("lancedb")
    own = SessionCatalog()
    assert save_rows(reading.to_rows(), own.catalog) == 2
    (match,) = find_shades(own.catalog, "#b31232", 5)
    assert match.shade["hex"] == "#b01030"
    assert find_shades(own.catalog, "#b31232", 5, finishes=["glitter"]) == []
    folder = own.catalog.path
    own.remove()
    assert not folder.exists()


def test_visitors_share_a_catalog_only_when_the_operator_says_so(tmp_path):
    own, other = SessionCatalog(), SessionCatalog()
    try:
        assert find_catalog(Settings(catalog=None), None) is None
        paths = {find_catalog(Settings(catalog=None), each).path for each in (own, other)}  # type: ignore[union-attr]
        assert len(paths) == 2
        assert find_catalog(Settings(catalog=tmp_path), own) is None  # nothing in it yet
    finally:
        own.remove()
        other.remove()


def test_products_are_named_after_their_files_and_apart():
    assert name_product("/tmp/x/red <b>.png", []) == "red b"
    assert name_product("red.jpg", ["red", "red 2"]) == "red 3"
    assert name_product(str(Path("/") / "..png"), []) == "."


def test_both_ways_a_browser_writes_a_color_are_read():
    assert to_hex("#B01030") == "#B01030"
    assert to_hex("rgba(176.2, 15.9, 48, 1)") == "#b01030"
