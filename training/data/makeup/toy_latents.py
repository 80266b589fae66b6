"""A cache of latents for runs at toy size: synthetic pairs through the toy autoencoder."""

from __future__ import annotations

from pathlib import Path

import torch

from models import seeding, tiny
from training.data.makeup.flux_pairs import SyntheticPairs
from training.data.makeup.latents import make_encoder, write_cache


def write_toy_cache(folder: Path, size: int, seed: int) -> None:
    """Encode synthetic pairs with the toy autoencoder, unless the folder holds them already.

    Args:
        folder: of the cache.
        size: side of the pictures in pixels.
        seed: of pictures and prompt.
    """
    if (folder / "prompt.safetensors").exists():
        return
    tokens = size // tiny.TOKEN_PIXELS
    generator = seeding.generator_for(seed, "prompt")
    prompt = torch.randn(4, tiny.WIDTH, generator=generator)
    pooled = torch.randn(tiny.WIDTH, generator=generator)
    encode = make_encoder(tiny.autoencoder())
    pairs = SyntheticPairs(size=size)
    write_cache(folder, pairs, encode, prompt, pooled, (tokens, tokens), versions=2, seed=seed)
