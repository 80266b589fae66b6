"""Losses along the teacher's flow: a student must give the same picture from all its points."""

from __future__ import annotations

import torch
from torch import Tensor

from models.diffusion.noise_schedules import per_sample


def pseudo_huber(error: Tensor, c: float = 1e-3) -> Tensor:
    """sqrt(|e|^2 + c^2) - c per sample, then the mean; |e| over all but the batch."""
    return ((error.flatten(1).square().sum(1) + c * c).sqrt() - c).mean()


def scm_tangent(
    x_t: Tensor,
    t: Tensor,
    frozen_f: Tensor,
    teacher_f: Tensor,
    rate: Tensor,
    sigma_data: float,
    warm: float = 1.0,
) -> Tensor:
    """Return sCM's tangent (arXiv 2410.11081, alg. 1), (B, ...); 0 where F is consistent.

    g = -cos^2 t (sigma_d F - dx/dt) - r (cos t sin t x_t + sigma_d JVP),

    and dx/dt = sigma_d F_teacher.

    Args:
        x_t: (B, ...).
        t: (B,) in (0, pi/2).
        frozen_f: the student's F(x_t / sigma_d, t), without gradient.
        teacher_f: the teacher's.
        rate: JVP, the derivative of the student's F along the flow times cos t sin t.
        sigma_data: standard deviation of the data.
        warm: r, which grows from 0 to 1 over the first steps.
    """
    angle = per_sample(t, x_t)
    cosine, sine = angle.cos(), angle.sin()
    straight = -cosine.square() * sigma_data * (frozen_f - teacher_f)
    return straight - warm * (cosine * sine * x_t + sigma_data * rate)


def normalise_tangent(tangent: Tensor, floor: float = 0.1) -> Tensor:
    """Return g / (|g| + c), the norm over all but the batch."""
    norm = tangent.flatten(1).norm(dim=1)
    return tangent / (per_sample(norm, tangent) + floor)


def rcgm_target(
    frozen: Tensor, instant: Tensor, jump: Tensor, t: Tensor, r: Tensor, delta: Tensor
) -> Tensor:
    """RCGM (arXiv 2512.05150): what the average velocity F(x_t, t, r) is to be.

    F - clamp( ((t - r) F - delta v - I) / delta, -1, 1),   I = the way from t - delta on to r,

    and v itself where r is within delta of t. As delta goes to 0 this is MeanFlow's identity
    F = v - (t - r) dF/dt.

    Args:
        frozen: F(x_t, t, r), without gradient, (B, ...).
        instant: v at x_t.
        jump: I, what an averaged network adds up from t - delta to r.
        t: (B,).
        r: (B,), r <= t.
        delta: (B,), how far the first small step went.
    """
    span, small = per_sample(t - r, frozen), per_sample(delta, frozen)
    error = (span * frozen - small * instant - jump) / small
    return torch.where(span <= small, instant, frozen - error.clamp(-1, 1))


def rectify(picture_velocity: Tensor, real: Tensor, fake: Tensor) -> Tensor:
    """TwinFlow's rectification: one-step velocity moved along real - fake, clamped to +-1."""
    goal = (picture_velocity + (real - fake).clamp(-1, 1)).detach()
    return (picture_velocity - goal).square().mean()
