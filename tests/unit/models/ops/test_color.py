import numpy as np
import pytest
from skimage.color import lab2rgb, rgb2lab

from models.ops.color import (
    delta_e,
    individual_typology_angle,
    lab_to_rgb,
    rgb_to_lab,
    skin_tone_band,
)


def test_lab_agrees_with_scikit_image():
    rgb = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    assert np.abs(rgb_to_lab(rgb) - rgb2lab(rgb)).max() < 0.35
    lab = rgb2lab(rgb).astype(np.float32)
    assert np.abs(lab_to_rgb(lab) - lab2rgb(lab)).max() < 0.01


def test_every_grey_comes_back_to_the_same_code_value():
    rgb = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    assert np.array_equal(np.round(lab_to_rgb(rgb_to_lab(rgb)) * 255).astype(np.uint8), rgb)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [  # Sharma, Wu, Dalal 2005, table 1, rows 1, 7, 14, 17 and 25
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
        ((50.0, -0.001, 2.49), (50.0, 0.0011, -2.49), 4.7461),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ],
)
def test_delta_e_gives_the_published_table(first, second, expected):
    assert delta_e(np.array(first), np.array(second)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("lab", "angle", "band"),
    [
        ((70, 0, 20), 45.0, "light"),
        ((50, 0, 20), 0.0, "brown"),
        ((30, 0, 20), -45.0, "dark"),
        ((90, 0, 10), 75.96, "very light"),
        ((60, 0, 15), 33.69, "intermediate"),
    ],
)
def test_typology_angle_is_the_arctangent(lab, angle, band):
    found = individual_typology_angle(np.array(lab, float))
    assert found == pytest.approx(angle, abs=0.01)
    assert skin_tone_band(found) == band
