"""Which times a loss looks at: functions (count, generator) -> (count,) in (0, 1).

Times stay within [1e-3, 1 - 1e-3]: at the ends scores are differences of equal numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

TimeSampler = Callable[[int, torch.Generator], Tensor]

EDGE = 1e-3


def uniform(low: float = 0.02, high: float = 0.98) -> TimeSampler:
    """DMD's and most others'."""

    def draw(count: int, generator: torch.Generator) -> Tensor:
        return low + (high - low) * torch.rand(count, generator=generator)

    return draw


def logit_normal(mean: float = 0.0, std: float = 1.0) -> TimeSampler:
    """SD3's: sigmoid(N(mean, std^2))."""

    def draw(count: int, generator: torch.Generator) -> Tensor:
        plain = (mean + std * torch.randn(count, generator=generator)).sigmoid()
        return plain.clamp(EDGE, 1 - EDGE)

    return draw


def log_normal_angle(mean: float = 0.2, std: float = 1.6, sigma_data: float = 1.0) -> TimeSampler:
    """For sCM: tan of the angle is exp(N(mean, std^2)) / sigma_data; angles in radians."""

    def draw(count: int, generator: torch.Generator) -> Tensor:
        tau = mean + std * torch.randn(count, generator=generator)
        return torch.atan(tau.exp() / sigma_data).clamp(EDGE, math.pi / 2 - EDGE)

    return draw
