"""Put the nano FLUX together: a folder to train from, and a folder to use.

    python -m training.prepare.nano_flux start START --pairs PAIRS
    python -m training.prepare.nano_flux finish OUT --start START --cache CACHE \
        --trained RUN/weights

The first is a folder that `FluxMakeupPipeline.from_pretrained` reads, the second what
`NanoMakeupPipeline` does.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import torch
import tyro
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel

from models import nano, seeding, tiny
from models.reflora.injector import RefLoRAInjector
from pipelines.makeup.pipeline_flux_makeup import FluxMakeupPipeline
from training.data.makeup.flux_pairs import MakeupPairs

Target = Annotated[Path, tyro.conf.Positional]


def start(folder: Target, pairs: Path, trained: Path | None = None, seed: int = 0) -> None:
    """Write a pipeline whose autoencoder is fitted to pairs and whose other weights are drawn.

    Args:
        folder: written.
        pairs: what `mirra pairs` wrote.
        trained: weights of another run whose transformer is taken over.
        seed: of the draws.
    """
    shown = MakeupPairs(pairs, nano.SIZE)
    drawn = [shown.sample(i, seeding.generator_for(seed, "patches")) for i in range(len(shown))]
    pictures = torch.cat([torch.stack(kind) for kind in zip(*drawn, strict=True)])
    transformer = nano.flux_transformer(seeding.generator_for(seed, "transformer"))
    if trained is not None:
        transformer = FluxTransformer2DModel.from_pretrained(trained / "transformer")
    parts = tiny.flux(seed) | {
        "vae": nano.PatchAutoencoder().fit(pictures),
        "transformer": transformer,
        "injector": nano.injector(transformer, seeding.generator_for(seed, "injector")),
    }
    parts["tokenizer_2"].model_max_length = nano.PROMPT_TOKENS
    FluxMakeupPipeline(**parts, default_size=nano.SIZE, expand=nano.EXPAND).save_pretrained(folder)


def finish(folder: Target, start: Path, cache: Path, trained: Path) -> None:
    """Write what `NanoMakeupPipeline` reads, in half precision.

    Args:
        folder: written.
        start: folder the training started from, whose autoencoder is kept.
        cache: what was trained on, whose prompt is kept.
        trained: weights of a run: a teacher's, or a student's with its sampler.
    """
    sampler = trained / "sampler.json"
    own = trained / "student" if sampler.exists() else trained
    parts = (FluxTransformer2DModel, "transformer"), (RefLoRAInjector, "injector")
    for kind, name in parts:
        network = kind.from_pretrained(own / name).half()
        network.save_pretrained(folder / name, max_shard_size="12MB")
    nano.PatchAutoencoder.from_pretrained(start / "vae").save_pretrained(folder / "vae")
    shutil.copy(cache / "prompt.safetensors", folder)
    if sampler.exists():
        shutil.copy(sampler, folder)


if __name__ == "__main__":
    tyro.extras.subcommand_cli_from_dict({"start": start, "finish": finish}, description=__doc__)
