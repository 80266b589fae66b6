"""Perceptual distance by the encoder of our human parser, where other projects use VGG."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.analysis.human_parsing import HumanParser


def perceptual(
    parser: HumanParser, a: Tensor, b: Tensor, weights: Sequence[float] = (0.5, 0.5, 1.0, 1.0)
) -> Tensor:
    """Return the distance of two batches of pictures, a scalar; gradient flows into `a` only.

    Each map's L1 distance is divided by the mean size of the target's map, so that the levels weigh
    what `weights` says.

    Args:
        parser: frozen, in eval mode.
        a: (B, 3, H, W) in [-1, 1].
        b: the same shape.
        weights: of the maps at strides 2, 4, 8, 16.
    """
    with torch.no_grad():
        targets = parser.features(b)
    total = a.new_zeros(())
    for weight, found, target in zip(weights, parser.features(a), targets, strict=False):
        total = total + weight * (found - target).abs().mean() / target.abs().mean().clamp_min(1e-3)
    return total / sum(weights)
