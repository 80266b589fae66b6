import pytest
import torch

from models.small.imdn import IMDN, MultiDistillation


@pytest.mark.parametrize(("scale", "count"), [(2, 694_404), (3, 703_059), (4, 715_176)])
def test_there_are_as_many_parameters_as_published(scale, count):
    network = IMDN(scale)
    assert sum(p.numel() for p in network.parameters()) == count
    assert sum(p.numel() for p in MultiDistillation(64).parameters()) == 104_020
    with torch.no_grad():
        assert network(torch.zeros(1, 3, 6, 5)).shape == (1, 3, 6 * scale, 5 * scale)
