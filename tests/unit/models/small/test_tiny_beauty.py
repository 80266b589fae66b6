"""The tiny beauty net: its size, what it begins as, and what its shipped looks are."""

import pytest
import torch

from models import seeding
from models.errors import ShapeError
from models.small.tiny_beauty import TinyBeauty
from pipelines.makeup.pipeline_tiny_beauty import TINY_LOOKS, load_net


def test_it_has_at_most_a_hundred_thousand_weights():
    assert sum(p.numel() for p in TinyBeauty().parameters()) <= 100_000


def test_an_untrained_net_leaves_the_face_alone():
    net = seeding.initialise(TinyBeauty(), seeding.generator_for(0)).eval()
    face = torch.rand((1, 3, 64, 64), generator=seeding.generator_for(0, "face")) * 2 - 1
    with torch.inference_mode():
        assert torch.equal(net(face), face)


def test_a_side_that_cannot_be_halved_often_enough_is_refused():
    with pytest.raises(ShapeError):
        TinyBeauty()(torch.zeros(1, 3, 100, 100))


@pytest.mark.parametrize("look", TINY_LOOKS)
def test_a_shipped_net_is_small_and_has_no_norms_left_to_compute(look):
    net = load_net(look)
    assert sum(p.numel() for p in net.parameters()) <= 100_000
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in net.modules())
