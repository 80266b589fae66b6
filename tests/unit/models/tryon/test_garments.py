import cv2
import numpy as np
import pytest

from models.analysis.garment_cutout import filled, largest, on_plain_ground
from models.tryon.garments import (
    extend_colors,
    is_a_pair,
    looks_like_trousers,
    to_training_geometry,
)
from training.prepare import example_garments as drawn

SIZE = 240, 320  # width, height


def silhouette(half) -> np.ndarray:
    return drawn.draw_area(half, SIZE) > 0.5


def trousers() -> np.ndarray:
    mask = np.zeros((320, 240), np.uint8)
    legs = [[60, 30], [180, 30], [200, 300], [140, 300], [120, 120], [100, 300], [40, 300]]
    cv2.fillPoly(mask, [np.array(legs)], 1)
    return mask > 0


def test_two_legs_are_trousers_and_tops_are_not():
    assert looks_like_trousers(trousers())
    for sleeves in (drawn.SHORT, drawn.LONG, drawn.NONE):
        assert not looks_like_trousers(silhouette([*drawn.NECK, *sleeves, *drawn.BODY]))


def test_shoes_are_a_pair_and_a_top_is_not():
    shoes = np.zeros((100, 100), bool)
    shoes[40:60, 10:40] = shoes[42:60, 60:92] = True
    assert is_a_pair(shoes)
    assert not is_a_pair(silhouette([*drawn.NECK, *drawn.SHORT, *drawn.BODY]))


def test_a_garment_is_centred_and_fills_its_picture_as_the_training_garments_do():
    picture = np.full((400, 600, 3), 255, np.uint8)
    mask = np.zeros((400, 600), np.float32)
    mask[50:150, 400:580] = 1
    picture[mask > 0] = (200, 30, 40)
    garment, there = to_training_geometry(picture, mask)
    height, width = there.shape
    assert width / height == pytest.approx(0.75, abs=0.01)
    rows, columns = np.nonzero(there > 0.5)
    assert np.ptp(columns) / width == pytest.approx(0.94, abs=0.02)
    assert (rows.min() + rows.max()) / 2 == pytest.approx((height - 1) / 2, abs=1)
    assert (garment == (200, 30, 40)).all()  # no white is left to seep in at the edge


def test_colors_go_on_beyond_the_outline():
    picture = np.zeros((5, 9, 3), np.uint8)
    inside = np.zeros((5, 9), bool)
    inside[:, 3:6] = True
    picture[:, 3:6] = np.arange(3)[None, :, None] + 10
    wide = extend_colors(picture, inside)
    assert (wide[:, :3] == 10).all()
    assert (wide[:, 6:] == 12).all()


def test_white_on_white_is_cut_where_the_shade_of_its_edge_is():
    half = [*drawn.NECK, *drawn.LONG, *drawn.BODY]
    picture = np.asarray(drawn.draw_top(half, "#f4f4f4"))
    truth = drawn.draw_area(half, picture.shape[1::-1]) > 0.5
    found = on_plain_ground(picture)
    assert found is not None
    found = found > 0.5
    assert (found & truth).sum() / (found | truth).sum() > 0.93


def test_a_patterned_bed_is_no_plain_ground():
    bed = np.random.default_rng(0).integers(0, 256, (80, 60, 3), np.uint8)
    assert on_plain_ground(bed) is None


def test_the_largest_piece_is_kept_and_small_holes_are_filled():
    mask = np.zeros((40, 40), bool)
    mask[2:30, 2:30] = True
    mask[10:12, 10:12] = False
    mask[35:38, 35:38] = True
    kept = filled(largest(mask))
    assert kept[11, 11]
    assert not kept[36, 36]
