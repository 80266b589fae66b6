"""The teacher of a distillation, read from a folder or a toy, and the pairs it is asked about."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor

from models import tiny
from models.errors import TrainingError
from models.reflora.denoiser import MakeupDenoiser
from models.reflora.injector import RefLoRAInjector
from training.data.makeup.latents import FluxLatents
from training.data.makeup.toy_latents import write_toy_cache
from training.flux.trainer import PRECISIONS, load_transformer


class EditPairs:
    """Cached pairs as methods of distillation want them."""

    def __init__(self, latents: FluxLatents) -> None:
        self.latents = latents

    def __len__(self) -> int:
        return len(self.latents)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return `x0` (B, N, C), `cond` (B, 2 N, C), source and reference, and `index` (B,)."""
        found = self.latents.batch(indices, generator)
        return {
            "x0": found["target"],
            "cond": torch.cat([found["source"], found["reference"]], dim=1),
            "index": torch.arange(len(indices)),
        }


def load_pairs(cache: Path) -> FluxLatents:
    """Read a cache of pairs.

    Raises:
        TrainingError: there is none.
    """
    return FluxLatents(cache, tiny.scheduler().config)  # FLUX's, of any size


def load_teacher(folder: Path, cache: Path, blocks: tuple[int, ...] = ()) -> MakeupDenoiser:
    """Read a whole teacher or student, in float32.

    Args:
        folder: with `transformer` and `injector`.
        cache: whose prompt it is given.
        blocks: whose tokens discriminators see.

    Raises:
        TrainingError: a folder is missing.
    """
    latents = load_pairs(cache)
    try:
        transformer = FluxTransformer2DModel.from_pretrained(folder / "transformer")
        injector = RefLoRAInjector.from_pretrained(folder / "injector")
    except OSError as error:
        raise TrainingError(f"{folder} holds no teacher: {error}") from error
    return _make_denoiser(transformer.float(), injector.float(), latents, blocks)


def load_flux_teacher(
    model: str, base: str, cache: Path, blocks: tuple[int, ...] = ()
) -> MakeupDenoiser:
    """Read FLUX-Makeup in low precision.

    Args:
        model: folder or hub id with `transformer` and `injector`.
        base: precision of the transformer, "fp32", "bf16" or "nf4".
        cache: whose prompt it is given.
        blocks: whose tokens discriminators see.

    Raises:
        TrainingError: it cannot be read.
    """
    dtype = PRECISIONS.get(base, torch.bfloat16)
    try:
        injector = RefLoRAInjector.from_pretrained(model, subfolder="injector", dtype=dtype)
    except OSError as error:
        raise TrainingError(
            f"{model} holds no injector; save FLUX-Makeup there with `save_pretrained`: {error}"
        ) from error
    return _make_denoiser(load_transformer(model, base), injector, load_pairs(cache), blocks)


def make_toy_teacher(
    cache: Path, seed: int, blocks: tuple[int, ...] = (0, 1), single_layers: int = 1
) -> MakeupDenoiser:
    """A toy, and the cache of its pairs."""
    write_toy_cache(cache, 32, seed)
    transformer = tiny.flux_transformer(seed, single_layers=single_layers)
    return _make_denoiser(
        transformer, tiny.reflora_injector(transformer, seed), load_pairs(cache), blocks
    )


def _make_denoiser(
    transformer: FluxTransformer2DModel,
    injector: RefLoRAInjector,
    latents: FluxLatents,
    blocks: tuple[int, ...],
) -> MakeupDenoiser:
    size_rc = (latents.rows, latents.columns)
    made = MakeupDenoiser(
        transformer, injector, latents.prompt[None], latents.pooled[None], size_rc, blocks
    )
    return cast(MakeupDenoiser, made.eval().requires_grad_(False))
