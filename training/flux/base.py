"""The frozen FLUX under a training run: a folder, a hub id, or a toy in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import nn

from models import seeding, tiny
from models.diffusion.vae import VAE
from models.mcvton.prompt import PROMPT, FixedPrompt
from models.nano import PatchAutoencoder


def move_to(module: nn.Module, device: torch.device | str) -> None:
    """Move a network in place; diffusers' own `to` has types that say otherwise."""
    module.to(device=device)


def load_vae(base: str | None) -> VAE:
    """Return the autoencoder of a base, in float32: FLUX's 84 M parameters overflow in half."""
    if base is None:
        return tiny.autoencoder()
    about: Any = AutoencoderKL.load_config(base, subfolder="vae")
    linear = about["_class_name"] == PatchAutoencoder.__name__
    kind = PatchAutoencoder if linear else AutoencoderKL
    return kind.from_pretrained(base, subfolder="vae")


def load_scheduler(base: str | None) -> FlowMatchEulerDiscreteScheduler:
    """Return FLUX.1-dev's schedule, as the base has it if it has one."""
    if base is None or (Path(base).is_dir() and not (Path(base) / "scheduler").is_dir()):
        return tiny.scheduler()
    return FlowMatchEulerDiscreteScheduler.from_pretrained(base, subfolder="scheduler")  # pyright: ignore


def load_prompt(base: str | None, cache: Path, seed: int) -> FixedPrompt:
    """Return the embeddings of "Model": the base's own, kept ones, or made by its text encoders.

    T5 is loaded once in the life of a cache, before the transformer is.
    """
    if base is None:
        generator = seeding.generator_for(seed, "prompt")
        embeds = torch.randn((1, 4, tiny.WIDTH), generator=generator)
        pooled = torch.randn((1, tiny.WIDTH), generator=generator)
        return FixedPrompt.of(embeds, pooled)
    if (Path(base) / "prompt").is_dir():
        return FixedPrompt.from_pretrained(base, subfolder="prompt")
    kept = cache / "prompt"
    if not kept.is_dir():
        from diffusers.pipelines.flux.pipeline_flux import FluxPipeline

        encoders = FluxPipeline.from_pretrained(base, transformer=None, vae=None)
        with torch.no_grad():
            embeds, pooled, _ = encoders.encode_prompt(PROMPT, PROMPT)
        assert embeds is not None
        assert pooled is not None
        FixedPrompt.of(embeds, pooled).save_pretrained(kept)
    return FixedPrompt.from_pretrained(kept)
