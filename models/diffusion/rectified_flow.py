"""Rectified flow: straight lines from a picture x0 (s = 0) to noise (s = 1), and the way back.

x_s = (1 - s) x0 + s noise          v = dx/ds = noise - x0
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import Tensor


def shift_of(tokens: int, config: Mapping[str, float]) -> float:
    """FLUX's mu for so many target tokens: 0.5 at 256 and 1.15 at 4096, linear between and beyond.

    Args:
        tokens: of the target alone.
        config: the scheduler's.
    """
    low, high = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    base, top = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    return base + (top - base) * (tokens - low) / (high - low)


def draw_sigmas(count: int, mu: float, generator: torch.Generator) -> Tensor:
    """Training times: sigmoid(N(0, 1)) shifted by mu, as the sampler's are; (count,) in 0..1."""
    plain = torch.randn(count, generator=generator).sigmoid()
    factor = float(np.exp(mu))
    return factor * plain / (1 + (factor - 1) * plain)


@dataclass(frozen=True)
class Conditions:
    """What the transformer is conditioned on besides the noisy target.

    Attributes:
        prompt: (B, T, D) embeddings of the prompt's tokens.
        pooled: (B, P) embedding of the whole prompt.
        context: (B, M, C) packed latents that follow the target in the sequence, or None.
        ids: (N + M, 3) places of target and context.
        guidance: strength it embeds, one for all or (B,), or None if it takes none.
        attention: `joint_attention_kwargs`.
    """

    prompt: Tensor
    pooled: Tensor
    context: Tensor | None
    ids: Tensor
    guidance: float | Tensor | None
    attention: dict[str, object]


def velocity(
    transformer: FluxTransformer2DModel, latents: Tensor, sigma: Tensor, conditions: Conditions
) -> Tensor:
    """The transformer's v at x_s: (B, N, C).

    Args:
        transformer: FLUX.
        latents: (B, N, C), x_s.
        sigma: (B,) in 0..1.
        conditions: of the same batch.
    """
    sequence = latents
    if conditions.context is not None:
        sequence = torch.cat([latents, conditions.context], dim=1)
    guidance = None
    if conditions.guidance is not None:
        guidance = torch.as_tensor(conditions.guidance, dtype=torch.float32).to(latents.device)
        guidance = guidance.expand(len(latents))
    text_ids = torch.zeros(conditions.prompt.shape[1], 3).to(conditions.ids)
    found = transformer(
        hidden_states=sequence,
        encoder_hidden_states=conditions.prompt,
        pooled_projections=conditions.pooled,
        timestep=sigma.to(latents.dtype),
        guidance=guidance,
        img_ids=conditions.ids,
        txt_ids=text_ids,
        joint_attention_kwargs=conditions.attention,
        return_dict=False,
    )[0]
    return found[:, : latents.shape[1]]


def denoise(
    transformer: FluxTransformer2DModel,
    scheduler: FlowMatchEulerDiscreteScheduler,
    noise: Tensor,
    steps: int,
    conditions: Conditions,
    on_step: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """Follow the velocity from noise to a picture.

    Args:
        transformer: FLUX.
        scheduler: decides the times; FLUX shifts them by the number of target tokens.
        noise: (B, N, C).
        steps: how many.
        conditions: of the same batch.
        on_step: called after each step with its number, counted from 1, and the present guess of
            x0, (B, N, C).

    Returns:
        (B, N, C), x0.
    """
    mu = shift_of(noise.shape[1], scheduler.config)
    sigmas = np.linspace(1.0, 1 / steps, steps)
    scheduler.set_timesteps(device=noise.device, sigmas=sigmas.tolist(), mu=mu)
    scheduler.set_begin_index(0)
    latents = noise
    times = torch.as_tensor(scheduler.timesteps)
    for number, time in enumerate(times, start=1):
        sigma = time.expand(len(latents)).to(latents.dtype) / 1000
        v = velocity(transformer, latents, sigma, conditions)
        if on_step is not None:
            on_step(number, latents - sigma[:, None, None] * v)
        latents = scheduler.step(v, time, latents, return_dict=False)[0]  # pyright: ignore
    return latents
