from dataclasses import replace

import numpy as np
import pytest

from models.ops.color import lab_to_rgb, rgb_to_lab
from training.evaluation.makeup import format_summary
from training.evaluation.wearers import Colors, Wearer, find_region_masks


def repainted(face, **shifts) -> np.ndarray:
    """The picture with CIELAB added to some of the measured regions."""
    lab = rgb_to_lab(face.image)
    for region, shift in shifts.items():
        for mask in find_region_masks(face)[region]:
            lab[mask] += np.asarray(shift, np.float32)
    return np.round(lab_to_rgb(lab) * 255).astype(np.uint8)


@pytest.fixture(scope="module")
def wearer(face) -> Wearer:
    return Wearer(face)


def test_doing_nothing_reaches_nothing(wearer, face, pipeline):
    asked = Colors.measure(
        face, repainted(face, eyes=(-15, 6, -8), cheeks=(0, 9, 2), lips=(-9, 20, 5))
    )
    measures = wearer.compare(face.image, asked, pipeline)
    assert measures["eyes_reached"] == 0
    assert measures["cheeks_reached"] == 0
    assert measures["lips_delta_e"] == measures["lips_delta_e_untouched"] > 8
    assert measures["skin_shift"] == 0
    assert measures["laplacian_correlation"] == pytest.approx(1)
    assert measures["oval_gradient"] == 1
    assert measures["landmark_drift"] < 0.5


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_going_half_way_reaches_half(wearer, face, pipeline, share):
    shift = np.array([-15.0, 6.0, -8.0])
    asked = Colors.measure(face, repainted(face, eyes=shift))
    result = repainted(face, eyes=share * shift)
    assert wearer.compare(result, asked, pipeline)["eyes_reached"] == pytest.approx(share, abs=0.05)


def test_a_pair_with_nothing_to_reach_is_not_counted(wearer, face, pipeline):
    measures = wearer.compare(face.image, Colors.measure(face, face.image), pipeline)
    assert np.isnan(measures["eyes_reached"])


def test_a_seam_on_the_forehead_shows(wearer, face, pipeline):
    lab = rgb_to_lab(face.image)
    lab[wearer.band & (np.arange(face.size_hw[1]) % 4 < 2)] += (12, 0, 0)
    seam = np.round(lab_to_rgb(lab) * 255).astype(np.uint8)
    asked = Colors.measure(face, face.image)
    assert wearer.compare(seam, asked, pipeline)["oval_gradient"] > 1.1


def test_a_darker_photo_of_the_same_face_shifts_its_skin(wearer, face, pipeline):
    darker = replace(face, image=(face.image * 0.8).astype(np.uint8))
    measures = wearer.compare(darker.image, Colors.measure(face, face.image), pipeline)
    assert measures["skin_shift"] > 5


def test_the_summary_prints_every_measure():
    spread = {"median": 1.0, "p10": 0.5, "p90": 2.0, "count": 3}
    figures = {
        "pairs": 3,
        "failed": [],
        "must_be_zero": {"outside_the_face": 0},
        "overall": {"skin_shift": spread},
        "by_skin_tone": {"groups": {}, "gap": {"skin_shift": 0.3}},
    }
    assert "skin_shift" in format_summary(figures)
    assert "3 pairs, 0 failed" in format_summary(figures)
