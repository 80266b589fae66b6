"""Noise schedules as views of one another, and the five things a network may predict.

    x_t = alpha(t) x_0 + sigma(t) noise,    noise ~ N(0, 1)

Scaling x and renaming t turns any schedule into any other, so a network trained on one can be run
on all (`map_state`), and any prediction into any other (`convert`). Coefficients are float64: near
the ends of a schedule they are differences of nearly equal numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

Prediction = Literal["x0", "noise", "v", "velocity", "score"]
"""`v` is VP's alpha noise - sigma x_0; `velocity` is dx/dt, which for RF is noise - x_0."""

Curve = Callable[[Tensor], Tensor]


def per_sample(t: Tensor, like: Tensor) -> Tensor:
    """View (B,) so that it multiplies (B, ...)."""
    return t.view(-1, *[1] * (like.ndim - 1))


@dataclass(frozen=True)
class Schedule:
    """How much picture and how much noise there is at a time; all curves take and give float64.

    Attributes:
        alpha: share of the picture, (B,) -> (B,).
        sigma: standard deviation of the noise.
        alpha_rate: d alpha / dt.
        sigma_rate: d sigma / dt.
        time_of: the time at which picture and noise are in the proportion of two numbers (a, s).
    """

    alpha: Curve
    sigma: Curve
    alpha_rate: Curve
    sigma_rate: Curve
    time_of: Callable[[Tensor, Tensor], Tensor]


RF = Schedule(
    alpha=lambda t: 1 - t,
    sigma=lambda t: t,
    alpha_rate=lambda t: -torch.ones_like(t),
    sigma_rate=torch.ones_like,
    time_of=lambda a, s: s / (a + s),
)
"""Rectified flow, t in [0, 1]."""

EDM = Schedule(
    alpha=torch.ones_like,
    sigma=lambda t: t,
    alpha_rate=torch.zeros_like,
    sigma_rate=torch.ones_like,
    time_of=lambda a, s: s / a,
)
"""Karras's: t is the noise's standard deviation."""


def trig(sigma_data: float = 1.0) -> Schedule:
    """TrigFlow, t in [0, pi/2]: x_t = cos t x_0 + sin t z with z ~ N(0, sigma_data^2)."""
    return Schedule(
        alpha=torch.cos,
        sigma=lambda t: sigma_data * torch.sin(t),
        alpha_rate=lambda t: -torch.sin(t),
        sigma_rate=lambda t: sigma_data * torch.cos(t),
        time_of=lambda a, s: torch.atan2(s / sigma_data, a),
    )


def convert(
    prediction: Tensor,
    x_t: Tensor,
    t: Tensor,
    source: Prediction,
    target: Prediction,
    schedule: Schedule = RF,
) -> Tensor:
    """Return one prediction converted to another.

    Args:
        prediction: (B, ...), of kind `source`.
        x_t: what was predicted from, (B, ...).
        t: (B,). No kind that divides by alpha or sigma where these are 0.
        source: kind of `prediction`.
        target: kind of the result.
        schedule: that x_t and t are of.

    Returns:
        (B, ...), of x_t's dtype.
    """
    if source == target:
        return prediction
    x, p = x_t.double(), prediction.double()
    t64 = t.double()
    a, s, da, ds = (
        per_sample(curve(t64), x)
        for curve in (schedule.alpha, schedule.sigma, schedule.alpha_rate, schedule.sigma_rate)
    )
    # 1. Whatever it is, what picture does it stand for?
    if source == "x0":
        x0 = p
    elif source == "noise":
        x0 = (x - s * p) / a
    elif source == "v":
        x0 = (a * x - s * p) / (a.square() + s.square())
    elif source == "velocity":
        x0 = (ds * x - s * p) / (a * ds - s * da)
    else:  # score = (alpha x_0 - x_t) / sigma^2
        x0 = (s.square() * p + x) / a
    # 2. Tell the picture in the other way
    noise = (x - a * x0) / s if target in ("noise", "v", "velocity") else x0
    converted = {
        "x0": lambda: x0,
        "noise": lambda: noise,
        "v": lambda: a * noise - s * x0,
        "velocity": lambda: da * x0 + ds * noise,
        "score": lambda: (a * x0 - x) / s.square(),
    }[target]()
    return converted.to(x_t.dtype)


def map_state(x_t: Tensor, t: Tensor, source: Schedule, target: Schedule) -> tuple[Tensor, Tensor]:
    """Return the same noisy picture in another schedule; nothing is lost either way.

    Args:
        x_t: (B, ...).
        t: (B,).
        source: schedule of x_t.
        target: schedule wanted.

    Returns:
        x and its times, (B, ...) and (B,), of the dtypes given.
    """
    a, s = source.alpha(t.double()), source.sigma(t.double())
    there = target.time_of(a, s)
    # Both ratios are the same number; the larger parts give it without dividing by 0.
    scale = torch.where(s > a, target.sigma(there) / s, target.alpha(there) / a)
    return (x_t.double() * per_sample(scale, x_t)).to(x_t.dtype), there.to(t.dtype)
