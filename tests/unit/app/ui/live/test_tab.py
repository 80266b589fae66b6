"""The Live tab's handlers: a frame comes in as the camera's JPEG and goes out as one."""

import base64
import io
import re

import numpy as np
import pytest
from gradio.data_classes import ImageData
from PIL import Image

from app.ui.live.mirror import decode_frame
from app.ui.live.tab import LiveTab


@pytest.fixture
def tab(studio, settings):
    return LiveTab(studio, settings)


@pytest.fixture
def frame(astronaut):
    """As the browser sends it."""
    data = io.BytesIO()
    astronaut.save(data, "png")
    url = "data:image/png;base64," + base64.b64encode(data.getvalue()).decode()
    return decode_frame(ImageData(url=url))


def pixels(html: str) -> np.ndarray:
    (data,) = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', html)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))), int)


def test_a_frame_comes_back_in_makeup_and_only_the_face_differs(tab, frame, face):
    first = tab.show(frame, "makeup", "deep-plum", "", None)
    again = tab.show(frame, "makeup", "deep-plum", "", first.mirror)
    assert again.mirror is first.mirror
    assert re.search(r"[\d.]+ frames per second", again.line)
    changed = np.abs(pixels(first.picture) - frame).max(2) > 40
    x0, y0, x1, y1 = map(int, face.box_xyxy)
    assert changed[y0:y1, x0:x1].any()
    changed[y0:y1, x0:x1] = False
    assert changed.mean() < 0.01


def test_a_look_that_is_not_there_is_told_below_the_bare_frame(tab, frame):
    shown = tab.show(frame, "makeup", "no-such-look", "", None)
    assert "look" in shown.line
    assert np.abs(pixels(shown.picture) - frame).mean() < 5


def test_what_is_no_picture_shows_nothing(tab):
    assert decode_frame(None) is None
    assert decode_frame(ImageData(url="data:image/png;base64,AAAA")) is None
    assert tab.show(None, "makeup", "nude", "", None) == ("", "", None)


def test_looks_are_offered_in_makeup_and_tops_in_try_on(tab):
    look, garment = tab.choose_mode("makeup")
    assert (look["visible"], garment["visible"]) == (True, False)
    look, garment = tab.choose_mode("tryon")
    assert (look["visible"], garment["visible"]) == (False, True)
