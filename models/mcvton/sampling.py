"""From noise to picture in Euler steps: the same code for the preview of a training run and a page.

The schedule of FLUX.1-dev has 25 to 30 steps; a distilled student has its own few.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import Tensor

from models.diffusion.rectified_flow import shift_of
from models.mcvton.transformer import Memory, MinimalControl

GUIDANCE = 3.5  # FLUX.1-dev's embedded guidance at inference; in training it is 1


@dataclass(frozen=True)
class EulerStep:
    """One step of `denoise`.

    Attributes:
        number: steps taken, from 1.
        latents: where the next step begins; the picture after the last.
        picture: what the model takes the picture to be so far, x_t - sigma v.
    """

    number: int
    latents: Tensor
    picture: Tensor


def flux_sigmas(
    scheduler: FlowMatchEulerDiscreteScheduler, steps: int, tokens: int
) -> tuple[float, ...]:
    """Return the noise levels of FLUX for a picture of `tokens` tokens, from 1 down, without 0.

    Larger pictures need more noise to hide, so their levels are shifted up.
    """
    even = np.linspace(1.0, 1.0 / steps, steps)
    scheduler.set_timesteps(sigmas=even.tolist(), mu=shift_of(tokens, scheduler.config))
    return tuple(torch.as_tensor(scheduler.sigmas)[:-1].tolist())


@torch.no_grad()
def denoise(
    control: MinimalControl,
    noise: Tensor,
    sigmas: Sequence[float],
    memory: Memory | None,
    guidance: float = GUIDANCE,
    *,
    distilled: bool = False,
) -> Iterator[EulerStep]:
    """Yield the picture after every Euler step; stop asking to stop the work.

    Args:
        control: the transformer with its adapters.
        noise: (B, C, H, W) latents drawn from N(0, 1).
        sigmas: noise levels from 1 down, without the 0 at the end.
        memory: of the conditions; None generates without any.
        guidance: embedded guidance.
        distilled: with the D-LoRA.
    """
    latents = noise
    for number, (sigma, following) in enumerate(zip(sigmas, [*sigmas[1:], 0.0], strict=True), 1):
        levels = torch.full((len(latents),), sigma, device=latents.device)
        v = control.velocity(latents, levels, memory, guidance, distilled=distilled).float()
        picture = latents.float() - sigma * v
        latents = (latents.float() + (following - sigma) * v).to(noise.dtype)
        yield EulerStep(number, latents, picture)
