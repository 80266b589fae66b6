"""The Products tab's handlers, on what a face wears and what a table says."""

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from app.settings import Settings
from app.ui import text
from app.ui.endpoints import UNCHANGED
from app.ui.products.tab import ProductsTab
from pipelines.makeup.named_looks import find_look


@pytest.fixture
def tab(studio):
    return ProductsTab(studio, Settings(catalog=None))


@pytest.fixture
def plum(pipeline, face, tmp_path):
    """Path of the astronaut in deep plum."""
    path = tmp_path / "plum.png"
    pipeline.blend(pipeline.wear([face], find_look("deep-plum"))).save(path)
    return str(path)


def test_what_a_face_wears_is_offered_and_worn_by_another(tab, plum, photo):
    swatches, shades, line, looked = tab.find_makeup(plum, (None, []), None)
    assert "Lips: #" in line
    assert len(swatches["value"]) == len(shades)
    chosen = tab.choose_shade(gr.SelectData(None, {"index": 0, "value": None}), shades)
    assert chosen is shades[0]
    update = tab.wear(photo, looked, chosen, "")
    assert "on the lips: colour within ΔE" in update.line
    before, after = (np.asarray(Image.open(path).convert("RGB"), int) for path in update.pictures)
    assert (before != after).any()
    again = tab.wear(photo, update.photo, chosen, "")
    assert again.photo is update.photo  # analysed once


def test_a_bare_corner_of_the_page_says_what_to_do(tab, photo):
    assert tab.search("#b01030", 15, [], [], None).line == text.EMPTY_CATALOG
    assert tab.find_makeup(None, (None, []), None)[2] == text.NO_FACE_PHOTO
    assert tab.read_pictures(None)[4] == text.NO_PICTURES
    assert tab.wear(photo, (None, []), None, "") == (UNCHANGED,) * 3
    assert tab.wear(None, (None, []), {"hex": "#b01030"}, "").line == text.NO_FACE_PHOTO


def test_a_picture_that_cannot_be_read_is_named_and_the_others_go_on(tab, no_picture):
    drawn, readings, _, shades, line, table, correct = tab.read_pictures([no_picture])
    assert line.startswith("notes: ")
    assert line.endswith(text.NO_SHADES)
    assert (readings, shades, table["value"]) == ([], [], [])
    assert not drawn["visible"]
    assert not correct["visible"]
