import numpy as np
import pytest
from PIL import Image

from models.ops.color import rgb_to_lab
from training.evaluation.product_figures import find_most_colorful, measure_calibration
from training.evaluation.products import format_summary, make_variants


def test_the_baseline_reads_the_colorful_thing_on_white():
    picture = np.full((40, 40, 3), 255, np.uint8)
    picture[:20] = (120, 118, 121)
    picture[8:18, 5:35] = (190, 30, 60)
    red = rgb_to_lab(np.array([[[190, 30, 60]]], np.uint8))[0, 0]
    np.testing.assert_allclose(find_most_colorful(rgb_to_lab(picture)), red, atol=0.5)


def test_a_confidence_that_is_the_chance_is_calibrated_and_a_boast_is_not():
    chance = np.repeat([0.1, 0.4, 0.7, 0.9], 500)
    right = np.random.default_rng(0).random(2000) < chance
    assert measure_calibration(chance, right)["error"] < 0.05
    assert measure_calibration(np.full(2000, 0.99), right)["error"] > 0.3


def test_variants_show_the_same_product(astronaut):
    others = make_variants(astronaut, np.random.default_rng(0))
    assert set(others) == {"crop", "scale", "jpeg", "white_balance"}
    mean = np.asarray(astronaut).mean((0, 1))
    for other in others.values():
        assert isinstance(other, Image.Image)
        assert np.asarray(other).mean((0, 1)) == pytest.approx(mean, abs=8)


def test_the_summary_says_what_fell_short():
    errors = {"median": 3.1, "under_5": 0.66}
    half = {**errors, "baseline": errors, "more_confident_half": errors}
    text = format_summary(
        {
            "colors": {"report": half},
            "palettes": [{"palette": "Test", "pans": 9, "found": 7}],
            "rendered_pans": {"f1": 0.9},
            "rendered_finishes": {"macro_f1": 0.8},
            "repeatability": {"crop": {"same_finish": 0.9, **errors}},
        }
    )
    assert "7 of 9 pans" in text
    assert "66%" in text
