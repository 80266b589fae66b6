import numpy as np
import pytest

from models.ops.crops import cut, paste


@pytest.mark.parametrize("box", [(2, 3, 7, 9), (-4, -2, 6, 5), (5, 6, 30, 40), (-9, -9, 30, 30)])
def test_a_crop_put_back_gives_the_picture(box):
    picture = np.random.default_rng(0).integers(0, 256, (12, 11, 3), np.uint8)
    part = cut(picture, box)
    assert part.shape == (box[3] - box[1], box[2] - box[0], 3)
    assert np.array_equal(paste(picture, part, box), picture)


def test_pasting_changes_the_box_and_nothing_else():
    picture = np.zeros((10, 10), np.uint8)
    box = (6, -2, 14, 4)
    changed = paste(picture, np.full((6, 8), 9, np.uint8), box)
    assert (changed[:4, 6:] == 9).all()
    assert changed.sum() == 9 * 16
    assert not picture.any()
