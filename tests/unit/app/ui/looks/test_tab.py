"""The Looks tab's handlers, with the shipped BeautyBank."""

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from app.ui import text
from app.ui.endpoints import UNCHANGED
from app.ui.looks.tab import LooksTab
from pipelines.makeup.code_files import load_code
from pipelines.registry import is_ready

weights = pytest.mark.skipif(not is_ready("beautybank"), reason="needs BeautyBank's weights")


@pytest.fixture
def tab(studio, settings):
    return LooksTab(studio, settings)


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), int)


@weights
def test_a_look_is_worn_mixed_and_kept_as_a_file(tab, photo):
    mine, other = tab.studio.beautybank.sample(2, seed=3)
    updates = [tab.wear(photo, False, mine, other, share) for share in (0, 0.5, 1)]
    first, middle, last = (pixels(each.pictures[1]) for each in updates)
    assert (first != middle).any()
    assert (middle != last).any()
    assert np.array_equal(pixels(tab.wear(photo, False, None, other, 0).pictures[1]), last)
    kept = load_code(updates[1].file["value"])
    assert mine.name in kept.name
    assert f"{len(kept.to_bytes()):,} bytes" in updates[1].line


@weights
def test_a_place_of_the_map_is_the_look_that_is_drawn_there(tab):
    chart = tab.studio.look_map
    x, y = map(int, chart.places[5])
    look, share = tab.choose_on_map(gr.SelectData(None, {"index": [x, y], "value": None}))
    assert (look, share) == (chart.looks[5], 1.0)
    assert tab.show_map()["value"] is chart.picture
    event = gr.SelectData(None, {"index": 1, "value": None})
    assert tab.choose_similar(list(chart.looks[:3]), event)[0] is chart.looks[1]


def test_what_is_missing_is_said(tab, photo, no_picture):
    assert tab.wear(photo, False, None, None, 0).line == text.LOOKS_WAITING
    assert tab.read_look(None).line == text.NO_LOOK_PHOTO
    assert tab.take_off_makeup(None) == (UNCHANGED, text.NO_SOURCE)
    assert "picture" in tab.read_look(no_picture).line
    assert "picture" in tab.take_off_makeup(no_picture)[1]
