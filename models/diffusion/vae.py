"""Pictures to latents and back, scaled as the transformer expects them."""

from __future__ import annotations

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from torch import Tensor

from models.nano import PatchAutoencoder

VAE = AutoencoderKL | PatchAutoencoder


@torch.no_grad()
def encode(vae: VAE, pictures: Tensor) -> Tensor:
    """Return the mean latents of (B, 3, H, W) in [-1, 1]: (B, C, H / 8, W / 8) for FLUX's VAE."""
    (found,) = vae.encode(pictures.to(vae.device, vae.dtype), return_dict=False)  # pyright: ignore
    return scale_latents(vae, found.mode().float())


@torch.no_grad()
def decode(vae: VAE, latents: Tensor) -> Tensor:
    """Return pictures (B, 3, H, W) in [-1, 1], float32 and clamped."""
    raw = unscale_latents(vae, latents.float())
    pictures: Tensor = vae.decode(raw.to(vae.device, vae.dtype), return_dict=False)[0]  # pyright: ignore
    return pictures.float().clamp(-1, 1)


def scale_latents(vae: VAE, latents: Tensor) -> Tensor:
    """Return the VAE's latents as the transformer expects them: (z - shift) * scale."""
    return (latents - _shift_of(vae)) * vae.config["scaling_factor"]


def unscale_latents(vae: VAE, latents: Tensor) -> Tensor:
    """Return the transformer's latents as the VAE made them, the inverse of `scale_latents`."""
    return latents / vae.config["scaling_factor"] + _shift_of(vae)


def _shift_of(vae: VAE) -> float:
    """What is taken off the latents before they are scaled; 0 in older VAEs."""
    return vae.config["shift_factor"] or 0.0
