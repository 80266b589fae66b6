"""Losses of rectified flow and of its distillation; x_t = (1 - t) x_0 + t noise."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

from models.diffusion.noise_schedules import per_sample


def add_noise(x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """Return x_t for times (B,) in [0, 1]."""
    return x0.lerp(noise, per_sample(t, x0))


def x0_from_velocity(x_t: Tensor, v: Tensor, t: Tensor) -> Tensor:
    """Return the picture a velocity points at, x_t - t v."""
    return x_t - per_sample(t, x_t) * v


def flow_matching(v: Tensor, x0: Tensor, noise: Tensor) -> Tensor:
    """Return the mean square of v - (noise - x_0), a scalar."""
    return F.mse_loss(v.float(), noise - x0)


def score_distillation(picture: Tensor, teacher_picture: Tensor, t: Tensor) -> Tensor:
    """Return ADD's distillation loss: squared distance to the teacher, weighted by alpha = 1 - t.

    Args:
        picture: the student's, (B, C, H, W).
        teacher_picture: what the teacher makes of the student's picture, noised anew to time t.
        t: (B,).
    """
    square = (picture - teacher_picture.detach()).square()
    return (per_sample(1 - t, picture) * square).mean()
