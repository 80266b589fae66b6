import numpy as np
import pytest
from PIL import Image

from models.analysis.body_pose import BodyFinder
from models.errors import NoPersonError
from models.structures import (
    L_HIP,
    L_SHOULDER,
    L_WRIST,
    NECK_ROW,
    NECK_TO_HIP,
    R_HIP,
    R_SHOULDER,
    R_WRIST,
    SHOULDERS,
    Body,
)


def standing(height=400, **moved) -> Body:
    """A person who faces us: shoulders 100 apart at y 100, hips at y 280, arms hanging."""
    points = np.zeros((33, 2), np.float32)
    places = {
        R_SHOULDER: (100, 100),
        L_SHOULDER: (200, 100),
        R_HIP: (120, 280),
        L_HIP: (180, 280),
        R_WRIST: (80, 260),
        L_WRIST: (220, 260),
    }
    for point, place in {**places, **{int(k[1:]): v for k, v in moved.items()}}.items():
        points[point] = place
    return Body(np.zeros((height, 300, 3), np.uint8), points, np.ones(33, np.float32))


@pytest.fixture(scope="module")
def finder():
    return BodyFinder()


def test_the_crop_is_three_to_four_and_shows_the_neck_where_the_training_pictures_do():
    x0, y0, x1, y1 = standing().crop_xyxy()
    assert (x1 - x0) / (y1 - y0) == pytest.approx(0.75, abs=0.01)
    assert (100 - y0) / (y1 - y0) == pytest.approx(NECK_ROW, abs=0.01)
    assert (x0 + x1) / 2 == pytest.approx(150, abs=1)
    assert 180 / (y1 - y0) == pytest.approx(NECK_TO_HIP, abs=0.06)


def test_without_hips_the_shoulders_set_the_scale():
    x0, y0, x1, y1 = standing(height=250).crop_xyxy()
    assert 100 / (y1 - y0) == pytest.approx(SHOULDERS, abs=0.01)
    assert x1 - x0 > 200


def test_arms_are_crossed_when_each_hand_is_on_the_other_side():
    assert not standing().arms_crossed
    assert standing(**{f"p{R_WRIST}": (180, 200), f"p{L_WRIST}": (120, 200)}).arms_crossed
    assert not standing(**{f"p{R_WRIST}": (180, 200)}).arms_crossed


def test_openpose_points_are_shares_of_the_box_and_zero_outside():
    pose = standing().openpose_in((50, 50, 250, 250))
    assert pose[1] == pytest.approx([0.5, 0.25, 1])  # the neck
    assert pose[2, :2] == pytest.approx([0.25, 0.25])  # the right shoulder, on the left
    assert pose[5, :2] == pytest.approx([0.75, 0.25])
    assert not pose[8].any()  # hips lie below the box


def test_the_astronaut_has_her_head_above_her_shoulders(finder, astronaut):
    body = finder(np.asarray(astronaut))
    assert body.points_xy[0, 1] < body.neck_xy[1]
    assert body.points_xy[R_SHOULDER, 0] < body.points_xy[L_SHOULDER, 0]
    assert not body.hips_seen


def test_of_two_people_the_larger_is_taken(finder, astronaut):
    both = Image.new("RGB", (1000, 600), (190, 190, 190))
    both.paste(astronaut.resize((360, 360)), (20, 240))
    both.paste(astronaut, (470, 88))
    people = finder.find_all(np.asarray(both))
    assert len(people) == 2
    assert people[0].neck_xy[0] > 500 > people[1].neck_xy[0]


def test_a_lawn_is_nobody(finder):
    with pytest.raises(NoPersonError) as caught:
        finder(np.full((300, 200, 3), (90, 140, 60), np.uint8))
    assert caught.value.needed == 1
