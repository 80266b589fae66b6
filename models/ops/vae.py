"""Pictures to latents and back, scaled as the transformer expects them."""

from __future__ import annotations

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from torch import Tensor


@torch.no_grad()
def encode(vae: AutoencoderKL, pictures: Tensor) -> Tensor:
    """Return the mean latents of (B, 3, H, W) in [-1, 1]: (B, C, H / 8, W / 8) for FLUX's VAE."""
    mean = distribution(vae, pictures.to(vae.device, vae.dtype)).mean.float()
    return (mean - shift_of(vae)) * vae.config["scaling_factor"]


@torch.no_grad()
def decode(vae: AutoencoderKL, latents: Tensor) -> Tensor:
    """Return pictures (B, 3, H, W) in [-1, 1], float32 and clamped."""
    raw = latents.float() / vae.config["scaling_factor"] + shift_of(vae)
    pictures: Tensor = vae.decode(raw.to(vae.device, vae.dtype), return_dict=False)[0]  # pyright: ignore
    return pictures.float().clamp(-1, 1)


def distribution(vae: AutoencoderKL, pictures: Tensor) -> DiagonalGaussianDistribution:
    """Return the normal distribution of raw latents, neither shifted nor scaled."""
    return vae.encode(pictures, return_dict=False)[0]  # pyright: ignore


def shift_of(vae: AutoencoderKL) -> float:
    """Return what is taken off the latents before they are scaled; 0 in older VAEs."""
    return vae.config["shift_factor"] or 0.0
