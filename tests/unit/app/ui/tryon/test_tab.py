"""The Try-on tab's handlers, with real parsers and a network of toy size."""

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from app.service import Studio
from app.ui import text
from app.ui.endpoints import UNCHANGED
from app.ui.tryon.garments import GARMENTS, name_garment
from app.ui.tryon.tab import MOST_SO_FAR, TryOnTab
from models.errors import ImageError, NoPersonError
from pipelines.registry import has_weights

parsers = pytest.mark.skipif(
    not (has_weights("human-parser") and has_weights("garment-cutter")),
    reason="needs the parser's and the garment cutter's weights",
)


@pytest.fixture
def tab(settings):
    return TryOnTab(Studio(png_text={}), settings)


@parsers
def test_a_top_is_put_on_and_kept_before_the_earlier_ones(tab, toy_tryon, photo, astronaut):
    person = tab.find_person(photo)
    garment, cut_out = tab.cut_garment(str(GARMENTS[0]))
    assert cut_out.getpixel((0, 0)) == (255, 255, 255)
    advice = tab.coach(person, garment)
    assert advice["visible"]
    assert "hips" in advice["value"]
    earlier = [f"{number}.png" for number in range(MOST_SO_FAR)]
    shown = tab.try_on(person, garment, None, earlier)
    before, after = (np.asarray(Image.open(path).convert("RGB")) for path in shown.pictures)
    assert np.array_equal(before, astronaut)
    assert after.shape == before.shape
    assert text.FLAT in shown.line
    assert shown.results == [shown.pictures[1], *earlier[:-1]]
    assert shown.so_far["value"] == shown.results
    assert shown.picture["value"] == shown.pictures[1]


@parsers
def test_a_lawn_is_nobody_and_the_visitor_is_told(tab, tmp_path):
    Image.new("RGB", (300, 400), (90, 140, 90)).save(tmp_path / "lawn.png")
    nobody = tab.find_person(str(tmp_path / "lawn.png"))
    assert isinstance(nobody, NoPersonError)
    assert "head to hips" in tab.coach(nobody, None)["value"]


def test_what_is_missing_is_said_in_turn(tab, no_picture):
    assert tab.find_person(None) is None
    assert tab.cut_garment(None) == (None, None)
    broken = tab.find_person(no_picture)
    assert isinstance(broken, ImageError)
    for person, garment, sentence in (
        (None, None, text.NO_SOURCE),
        (broken, None, text.NO_GARMENT),
    ):
        shown = tab.try_on(person, garment, "student", [])
        assert [part for part in shown if part != UNCHANGED] == [sentence]
    assert "picture" in tab.try_on(broken, tab.cut_garment(no_picture)[0], None, []).line
    assert tab.coach(None, None) == gr.update(value="", visible=False)


def test_a_gallery_gives_the_picture_of_its_top(tab):
    event = gr.SelectData(None, {"index": 1, "value": None})
    assert tab.choose_garment(event) == str(GARMENTS[1])
    assert name_garment(GARMENTS[1])[0].isupper()
