import torch

from models.tryon.defringing import defringed


def test_a_white_rim_takes_the_color_within():
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 4:12, 4:12] = 1
    picture = torch.ones(1, 3, 16, 16)
    picture[..., 5:11, 5:11] = -0.6
    clean = defringed(picture, mask)
    torch.testing.assert_close(clean, -0.6 * mask.expand(-1, 3, -1, -1))


def test_a_thin_strap_keeps_its_color():
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 8] = 1
    picture = torch.full((1, 3, 16, 16), 0.3)
    assert torch.equal(defringed(picture, mask), picture * mask)
