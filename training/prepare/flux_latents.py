"""Encode makeup pairs once, for `training.train_reflora`.

python -m training.prepare.flux_latents PAIRS CACHE --model FOLDER
PAIRS is what `mirra pairs` writes. Stop it, give the same command, and it goes on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from diffusers.pipelines.flux.pipeline_flux_kontext import FluxKontextPipeline

from models import devices, nano  # noqa: F401  diffusers wants the nano's autoencoder imported
from models.errors import TrainingError
from training.data.makeup.flux_pairs import MILD, MakeupPairs, WarpRange
from training.data.makeup.latents import make_encoder, write_cache


@dataclass(frozen=True)
class CacheConfig:
    """What to encode."""

    pairs: Annotated[Path, tyro.conf.Positional]
    cache: Annotated[Path, tyro.conf.Positional]
    # Local folder or hub id of FLUX.1-Kontext: its autoencoder and text encoders are used.
    model: str
    size: int = 1024
    # Augmentations of each pair; training draws one at each visit.
    versions: int = 4
    seed: int = 0
    prompt: str = "makeup."
    # Warp references less than published.
    mild: bool = False
    device: str = "auto"


@torch.no_grad()
def run(config: CacheConfig) -> None:
    """Encode the pairs and the prompt.

    Raises:
        TrainingError: the model cannot be read, or there are no pairs.
    """
    pairs = MakeupPairs(config.pairs, config.size, MILD if config.mild else WarpRange())
    device = devices.pick(config.device)
    try:
        pipe = FluxKontextPipeline.from_pretrained(
            config.model, transformer=None, dtype=devices.dtype_of(device)
        ).to(device)
    except OSError as error:
        raise TrainingError(f"{config.model} cannot be read: {error}") from error
    length = min(512, pipe.tokenizer_2.model_max_length)
    prompt, pooled, _ = pipe.encode_prompt(config.prompt, config.prompt, max_sequence_length=length)
    assert prompt is not None
    assert pooled is not None
    pipe.text_encoder = pipe.text_encoder_2 = None  # done with; they are the largest
    tokens = config.size // (2 * pipe.vae_scale_factor)
    encode = make_encoder(pipe.vae)
    write_cache(
        config.cache,
        pairs,
        encode,
        prompt[0],
        pooled[0],
        (tokens, tokens),
        config.versions,
        config.seed,
    )


if __name__ == "__main__":
    run(tyro.cli(CacheConfig, description=__doc__))
