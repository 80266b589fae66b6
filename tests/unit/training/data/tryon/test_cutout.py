import numpy as np
import torch

from models import seeding
from training.data.tryon.cutout import lay_over, mirror_until_full


def test_the_label_is_where_the_garment_shows():
    red = torch.tensor([0.9, -0.8, -0.8]).view(1, 3, 1, 1).expand(8, 3, 64, 48)
    blue = torch.tensor([-0.8, -0.8, 0.9]).view(1, 3, 1, 1).expand(8, 3, 96, 96)
    mask = torch.zeros(8, 1, 64, 48)
    mask[:, :, 6:-6, 6:-6] = 1
    # Rooms are drawn or plain now and then; only those as given are blue.
    batch = lay_over(red, mask, blue, seeding.generator_for(3, "cutout"))
    garment = batch["parts"] == 1
    redder = batch["image"][:, 0] - batch["image"][:, 2]
    assert 0.1 < garment.float().mean() < 0.9
    assert redder[garment].mean() > 0.5
    assert redder[~garment].mean() < -0.3


def test_the_same_generator_gives_the_same_batch():
    mask = torch.ones(2, 1, 16, 12)
    drawn = [
        lay_over(torch.zeros(2, 3, 16, 12), mask, torch.ones(2, 3, 32, 32), generator)["image"]
        for generator in (seeding.generator_for(1, "a"), seeding.generator_for(1, "a"))
    ]
    assert torch.equal(*drawn)


def test_a_mirrored_strip_has_no_seam():
    strip = np.arange(4, dtype=np.uint8)[None, :, None, None] * np.ones((1, 4, 12, 3), np.uint8)
    square = mirror_until_full(strip)
    assert square.shape == (1, 12, 12, 3)
    assert np.abs(np.diff(square[0, :, 0, 0].astype(int))).max() == 1
