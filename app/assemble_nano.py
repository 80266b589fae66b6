"""Put the nano FLUX together: a folder to train from, and a folder to use.

    python -m app.assemble_nano start START --pairs PAIRS
    python -m app.assemble_nano finish OUT --start START --trained RUN/weights

Both are folders that `FluxMakeupPipeline.from_pretrained` reads; MIRRA_FLUX may name the second.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import torch
import tyro
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel

from models import nano, seeding, tiny
from models.reflora.injector import RefLoRAInjector
from pipelines.makeup.flux_crop import EXPAND
from pipelines.makeup.pipeline_flux_makeup import FluxMakeupPipeline
from training.data.makeup_pairs import MakeupPairs

Target = Annotated[Path, tyro.conf.Positional]


def start(
    folder: Target, pairs: Path, expand: float = EXPAND, trained: Path | None = None, seed: int = 0
) -> None:
    """Write a pipeline whose autoencoder is fitted to pairs and whose other weights are drawn.

    Args:
        folder: written.
        pairs: what `mirra pairs` wrote.
        expand: how far their squares reach beyond the face.
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
    FluxMakeupPipeline(**parts, default_size=nano.SIZE, expand=expand).save_pretrained(folder)


def finish(folder: Target, start: Path, trained: Path) -> None:
    """Write the trained pipeline, in half precision.

    Args:
        folder: written.
        start: folder the training started from; its autoencoder and prompt are kept.
        trained: weights of a run: a teacher's, or a student's with its sampler.
    """
    sampler = trained / "sampler.json"
    few_step = json.loads(sampler.read_text(encoding="utf-8")) if sampler.exists() else None
    own = trained / "student" if few_step else trained
    transformer = FluxTransformer2DModel.from_pretrained(own / "transformer")
    injector = RefLoRAInjector.from_pretrained(own / "injector")
    pipe = FluxMakeupPipeline.from_pretrained(
        start, transformer=transformer, injector=injector, few_step=few_step
    )
    pipe.to(dtype=torch.float16).save_pretrained(folder, max_shard_size="12MB")


if __name__ == "__main__":
    tyro.extras.subcommand_cli_from_dict({"start": start, "finish": finish}, description=__doc__)
