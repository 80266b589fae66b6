"""Guidance as data: how strongly teacher and fake score follow the condition.

mu^w = mu_0 + w (mu_c - mu_0): w = 1 is no guidance, 0 forgets the condition, -1 turns against it.
Teacher and critic have separate scales; a critic is never guided unless a method says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.diffusion.few_step import Denoiser, predict_x0


@dataclass(frozen=True)
class Guidance:
    """Scales of one method.

    Attributes:
        teacher: lowest and highest scale of the teacher; drawn anew at every step if they differ.
        critic: scale of the critic where it is compared with the teacher; None takes the teacher's.
        critic_learns: scale at which the critic's output is held against the student's pictures.
        embedded: whether the student is given the teacher's scale (as `w`).
    """

    teacher: tuple[float, float] = (1.0, 1.0)
    critic: float | None = 1.0
    critic_learns: float = 1.0
    embedded: bool = False

    def draw(self, generator: torch.Generator) -> tuple[float, float]:
        """Return the scales of teacher and critic at this step."""
        low, high = self.teacher
        scale = low + (high - low) * float(torch.rand((), generator=generator))
        return scale, scale if self.critic is None else self.critic

    def condition_student(self, scale: float, t: Tensor) -> dict[str, Tensor]:
        """Return the teacher's scale as the student's extra condition, or none."""
        return {"w": torch.full_like(t, scale)} if self.embedded else {}


NONE = Guidance()
ZERO_CFG = Guidance(critic=0.0, critic_learns=0.0)
"""SiD few-step: the critic knows no condition, and the condition's share is the guidance."""


def fixed(scale: float) -> Guidance:
    """The usual: on the teacher only."""
    return Guidance((scale, scale))


def fixed_on_both(scale: float) -> Guidance:
    """SwiftBrush's: with a perfect critic that learns unguided, the guidance cancels."""
    return Guidance((scale, scale), critic=scale)


def random(low: float, high: float) -> Guidance:
    """SNOOPI's PG-SB: a scale a step, on both scores."""
    return Guidance((low, high), critic=None)


def lsg(scale: float) -> Guidance:
    """SiD-LSG: long and short guidance, one scale for the teacher and the critic at all times."""
    return Guidance((scale, scale), critic=scale, critic_learns=scale)


def anti_cfg(scale: float = -1.0) -> Guidance:
    """SiD few-step: the critic is turned against the condition."""
    return Guidance(critic=scale, critic_learns=scale)


def embedded(low: float, high: float) -> Guidance:
    """LCM's: the student is given the scale it is to imitate."""
    return Guidance((low, high), embedded=True)


def predict_guided_x0(
    denoiser: Denoiser, x_t: Tensor, t: Tensor, cond: Tensor | None, scale: float, **extra: Tensor
) -> Tensor:
    """Return mu^w of a denoiser, (B, ...); one pass where one is enough."""
    if cond is None or scale == 1.0:
        return predict_x0(denoiser, x_t, t, cond, **extra)
    without = predict_x0(denoiser, x_t, t, None, **extra)
    if scale == 0.0:
        return without
    return without + scale * (predict_x0(denoiser, x_t, t, cond, **extra) - without)
