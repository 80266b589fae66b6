"""What the Makeup tab says of a picture is true of the picture it shows."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from PIL import Image

import app.ui.makeup.session
from app.ui import text
from app.ui.endpoints import UNCHANGED
from app.ui.makeup.session import MakeupSession
from app.ui.makeup.tab import MakeupTab
from pipelines.makeup.look_files import load_look, read_embedded
from pipelines.makeup.named_looks import NAMES, find_look
from pipelines.makeup.report import measure_color_error

FULL, SOFT = ((overall, 1.0, 1.0, 1.0, 1.0, 1.0) for overall in (1.0, 0.4))


@pytest.fixture
def tab(studio, settings):
    return MakeupTab(studio, settings)


def put_on(tab, photo, *levels, session=None, look="classic-red", faces=None):
    """Press the button with a drawn look chosen."""
    return tab.try_on(session, photo, faces, None, look, None, None, [], *levels)


def lips_told(line: str) -> float:
    found = re.search(r"[Ll]ips within ΔE ([\d.]+)", line)
    assert found, line
    return float(found[1])


def pixels(picture: str) -> np.ndarray:
    with Image.open(picture) as shown:
        return np.asarray(shown.convert("RGB"))


def lips_measured(picture: str, face, strength: float) -> float:
    """On the file itself, against the look at a strength."""
    look = replace(find_look("classic-red"), strength=strength)
    return measure_color_error(face, pixels(picture), look)["lips"]


def test_the_color_figure_is_of_the_strength_that_is_shown(tab, photo, face):
    shown = put_on(tab, photo, *SOFT)
    soft = shown.pictures[1]
    full = put_on(tab, photo, *FULL).pictures[1]
    assert read_embedded(soft).strength == 0.4
    assert lips_told(shown.line) == lips_measured(soft, face, 0.4)
    assert lips_told(shown.line) < 3
    assert lips_measured(full, face, 0.4) > 15  # what the page once said of the soft picture


def test_the_line_is_told_anew_when_a_slider_rests(tab, photo, face):
    first = put_on(tab, photo, *FULL)
    settled = []
    for levels in (SOFT, FULL):
        tab.draft(first.session, *levels)
        settled.append(tab.settle(first.session, *levels))
    soft, last = settled
    assert lips_told(soft.line) == lips_measured(soft.pictures[1], face, 0.4)
    full = lips_measured(last.pictures[1], face, 1.0)
    assert lips_told(last.line) == full == lips_told(first.line)
    assert len({lips_told(soft.line), lips_told(last.line)}) == 2
    assert soft.picture == soft.pictures[1]
    assert load_look(Path(soft.look_file)).strength == 0.4


def test_a_session_decodes_once_analyses_once_and_blends_once(tab, photo, monkeypatch):
    """Whatever is shown, measured and downloaded; and once more for each place of a slider."""
    counts = Counter()

    def count(owner, name):
        function = getattr(owner, name)

        def counted(*given, **more):
            counts[name] += 1
            return function(*given, **more)

        monkeypatch.setattr(owner, name, counted)

    pipeline = tab.studio.makeup
    count(app.ui.makeup.session, "decode")
    count(pipeline, "analyzer")
    count(pipeline, "wear")
    count(pipeline, "blend")
    coached = tab.analyze_photo(None, photo)
    shown = put_on(tab, photo, *FULL, session=coached.session, faces=[0])
    assert shown.session is coached.session
    once = {"decode": 1, "analyzer": 1, "wear": 1, "blend": 1}
    assert counts == once
    tab.draft(shown.session, *SOFT)
    tab.settle(shown.session, *SOFT)
    assert counts == once | {"blend": 2}
    put_on(tab, photo, *SOFT, session=shown.session, faces=[0], look="smoky-eye")
    assert counts == once | {"wear": 2, "blend": 3}


def test_sliders_that_moved_on_leave_the_settling_to_their_last_place(tab, photo):
    shown = put_on(tab, photo, *FULL)
    tab.draft(shown.session, *SOFT)
    assert set(map(str, tab.settle(shown.session, *FULL))) == {str(UNCHANGED)}
    assert tab.settle(shown.session, *SOFT).line != shown.line


def test_a_draft_has_the_pixels_of_the_picture_that_is_kept(tab, photo):
    shown = put_on(tab, photo, *FULL)
    _, draft = tab.draft(shown.session, *SOFT)
    kept = tab.settle(shown.session, *SOFT).pictures[1]
    assert np.array_equal(pixels(draft), pixels(kept))
    assert not np.array_equal(pixels(draft), pixels(shown.pictures[1]))
    assert read_embedded(draft) is None


def test_a_look_that_brings_strengths_moves_the_sliders(tab, photo):
    soft = put_on(tab, photo, *SOFT)
    given = soft.look_file["value"]
    again = tab.try_on(None, photo, None, None, None, given, None, [], *FULL)
    assert again[5:] == SOFT
    assert np.array_equal(pixels(again.pictures[1]), pixels(soft.pictures[1]))


def test_what_is_missing_is_said_and_nothing_else_changes(tab, photo):
    for shown, sentence in (
        (put_on(tab, None, *FULL), text.NO_SOURCE),
        (put_on(tab, photo, *FULL, look=None), text.NO_LOOK),
    ):
        assert shown.line == sentence
        assert [part for part in shown if part != UNCHANGED] == [sentence]
    assert tab.draft(None, *FULL) == UNCHANGED
    assert tab.draft(MakeupSession(tab.studio.makeup), *FULL) == UNCHANGED


def test_a_file_that_is_no_picture_is_told_beside_the_photo(tab, no_picture):
    coached = tab.analyze_photo(None, no_picture)
    assert coached.advice["visible"]
    assert "picture" in coached.advice["value"]
    with pytest.warns(UserWarning, match="picture"):
        shown = put_on(tab, no_picture, *FULL, session=coached.session)
    assert "picture" in shown.line
    assert shown.pictures == UNCHANGED


def test_a_gallery_gives_the_name_of_its_look(tab):
    event = gr.SelectData(None, {"index": 3, "value": None})
    assert tab.choose_look(event) == (NAMES[3], None, None)
