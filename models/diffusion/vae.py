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
    return (found.mode().float() - shift_of(vae)) * vae.config["scaling_factor"]


@torch.no_grad()
def decode(vae: VAE, latents: Tensor) -> Tensor:
    """Return pictures (B, 3, H, W) in [-1, 1], float32 and clamped."""
    raw = latents.float() / vae.config["scaling_factor"] + shift_of(vae)
    pictures: Tensor = vae.decode(raw.to(vae.device, vae.dtype), return_dict=False)[0]  # pyright: ignore
    return pictures.float().clamp(-1, 1)


def shift_of(vae: VAE) -> float:
    """Return what is taken off the latents before they are scaled; 0 in older VAEs."""
    return vae.config["shift_factor"] or 0.0
