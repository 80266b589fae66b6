"""Distribution matching: make a generator's samples as likely for the teacher as for themselves.

Teacher and fake score (a model of the generator's own samples) look at the same noisy sample; with
mu their posterior means,

    grad log p_real(x_t) - grad log p_fake(x_t) = alpha_t / sigma_t^2 (mu_real - mu_fake).

All functions take pictures (B, ...) and times (B,) of rectified flow, and give scalars.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from models.diffusion.noise_schedules import per_sample

Weight = Literal["residual", "vsd", "time", "none"]


def _mean_per_sample(x: Tensor) -> Tensor:
    """Mean over all but the batch, shaped to multiply it."""
    return per_sample(x.flatten(1).mean(1), x)


def compute_weight(kind: Weight, x_g: Tensor, mu_real: Tensor, t: Tensor) -> Tensor:
    """Return what differences of pictures are multiplied with, (B, 1, ...), without gradient.

    "residual" is DMD's 1 / mean |x_g - mu_real|, "vsd" the sigma^2 of noise predictions, which for
    rectified flow is t (1 - t) of pictures, "time" is 1 - t, "none" is 1.
    """
    t = per_sample(t, x_g)
    if kind == "residual":
        return 1 / _mean_per_sample((x_g - mu_real).detach().abs()).clamp_min(1e-5)
    return {"vsd": t * (1 - t), "time": 1 - t, "none": torch.ones_like(t)}[kind]


def distribution_matching(
    x_g: Tensor, mu_real: Tensor, mu_fake: Tensor, t: Tensor, weight: Weight = "residual"
) -> Tensor:
    """DMD (arXiv 2311.18828, eq. 7): the score difference, handed to x_g as its gradient.

    g = w (mu_fake - mu_real),   L = 1/2 mean |x_g - sg(x_g - g)|^2,   so dL/dx_g = g / N.
    """
    g = compute_weight(weight, x_g, mu_real, t) * (mu_fake - mu_real)
    goal = (x_g - torch.nan_to_num(g)).detach()
    return 0.5 * (x_g - goal).square().mean()


def score_identity(
    x_g: Tensor,
    f_real: Tensor,
    f_fake: Tensor,
    t: Tensor,
    alpha: float = 1.0,
    weight: Weight = "residual",
) -> Tensor:
    """SiD (arXiv 2404.04057, eq. 23): Fisher divergence, less alpha times its biased estimate.

    L = w (f_real - f_fake) . [(f_real - x_g) - alpha (f_real - f_fake)]

    The gradient flows through x_g and through both networks, so neither may be under no_grad.
    alpha in [0, 1.2] converges; at 2 the sign of what is left turns, and the generator runs away.
    """
    difference = f_real - f_fake
    product = difference * ((f_real - x_g) - alpha * difference)
    return (compute_weight(weight, x_g, f_real, t) * product).mean()


def denoising(v: Tensor, picture: Tensor, noise: Tensor) -> Tensor:
    """How the fake score learns: mean square of v - (noise - picture)."""
    return (v - (noise - picture.detach())).square().mean()
