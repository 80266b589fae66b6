"""Train FLUX-Makeup's injector (arXiv 2508.05069).

    python -m training.train_reflora tiny                              # seconds, synthetic pairs
    python -m training.prepare.flux_latents PAIRS CACHE --model FOLDER   # once
    accelerate launch -m training.train_reflora card80 --cache CACHE --model FOLDER

PAIRS is what `mirra pairs` writes. Stop the run, give the same command, and it goes on.
`training.memory.flux` says what a preset needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor

from models import devices, nano, seeding, tiny
from models.diffusion.flux_tokens import unpack
from models.diffusion.vae import decode
from models.errors import TrainingError
from models.reflora.injector import RefLoRAInjector
from training.config import LoopConfig, OptimConfig, from_command_line
from training.data.makeup.latents import FluxLatents
from training.data.makeup.toy_latents import write_toy_cache
from training.flux.base import load_vae, move_to
from training.flux.trainer import PRECISIONS, FluxConfig, FluxTrainer, load_transformer
from training.methods.reflora import SAMPLING_GUIDANCE, RefLoRA


@dataclass(frozen=True)
class RefLoRAConfig(FluxConfig):
    """A run of the injector."""

    rank: int = 1024
    # "joint" is the released form; "separate" starts as an exact identity.
    form: Literal["joint", "separate"] = "joint"
    # Start of a learned bias on the reference's logits, for instance -8; none as released.
    logit_bias: float | None = None
    # Side of the pictures the cache holds, in pixels; memory is reckoned for it.
    size: int = 1024
    # Train the transformer, too; only small ones can.
    whole: bool = False
    # How much more tokens count where the target differs from the source.
    emphasis: float = 0.0


_REAL = RefLoRAConfig(
    name="reflora",
    optim=OptimConfig(lr=2e-5, weight_decay=1e-2, warmup=500, schedule="constant", clip=1.0),
    loop=LoopConfig(steps=30_000, batch=16, save_every=1000, ema=0.9995),
)
PRESETS: dict[str, tuple[str, RefLoRAConfig]] = {
    "card80": ("Rank 1024 at 1024 pixels, as released, on cards of 80 GB.", _REAL),
    "card24": (
        "Rank 64 at 512 pixels over a 4-bit base, on cards of 24 GB.",
        replace(
            _REAL,
            name="reflora-24",
            base="nf4",
            rank=64,
            size=512,
            optim=replace(_REAL.optim, lr=1e-4),
        ),
    ),
    "nano": (
        "A FLUX of our own, from nothing; --model is from training.prepare.nano_flux.",
        RefLoRAConfig(
            name="nano-teacher",
            rank=nano.RANK,
            size=nano.SIZE,
            whole=True,
            emphasis=3.0,
            base="fp32",
            precision="bf16",
            micro=16,
            optim=OptimConfig(lr=8e-4, warmup=50, clip=1.0),
            loop=LoopConfig(steps=3000, batch=16, save_every=50, ema=0.995),
        ),
    ),
    "tiny": (
        "A toy on synthetic pairs.",
        RefLoRAConfig(
            name="tiny-reflora",
            rank=8,
            size=32,
            whole=True,
            base="fp32",
            precision="fp32",
            micro=8,
            optim=OptimConfig(lr=3e-3, warmup=5, clip=1.0),
            loop=LoopConfig(steps=5, batch=8, save_every=5, log_every=1, ema=0.99),
        ),
    ),
}


def build(config: RefLoRAConfig) -> FluxTrainer:
    """Return the trainer of one run.

    Raises:
        TrainingError: one of model and cache is given without the other, or cannot be read.
    """
    if (config.model is None) != (config.cache is None):
        raise TrainingError("give both --model and --cache, or neither for a toy")
    toy = config.model is None
    devices.use_threads(config.loop.threads)
    cache = config.cache or config.folder / "cache"
    if config.model is None:
        write_toy_cache(cache, config.size, config.loop.seed)
        transformer, vae = tiny.flux_transformer(config.loop.seed), tiny.autoencoder()
    else:
        transformer, vae = load_transformer(config.model, config.base), load_vae(config.model)
    scheduler = tiny.scheduler()  # FLUX's, of any size
    data = FluxLatents(cache, scheduler.config)
    injector = _load_injector(config, transformer)
    method = RefLoRA(
        injector,
        transformer,
        data.rows,
        data.columns,
        PRECISIONS[config.precision],
        whole=config.whole,
        guidance=SAMPLING_GUIDANCE if toy else 1.0,
        checkpointing=not config.whole,
        emphasis=config.emphasis,
    )

    def draw(batch: dict[str, Tensor]) -> Tensor:
        """Source, reference, result and truth side by side; one row a sample."""
        made = method.sample(batch, scheduler)
        shown = [batch["source"], batch["reference"], made, batch["target"]]
        pictures = [decode(vae, unpack(x, data.rows, data.columns)) for x in shown]
        return torch.cat(pictures, dim=-1)

    trainer = FluxTrainer(config, method, data, draw=draw if config.validation else None)
    move_to(vae, trainer.device)
    if config.shard and config.whole:
        raise TrainingError("--shard spreads a frozen transformer; --whole trains it")
    trainer.place_transformer(transformer)
    return trainer


def _load_injector(config: RefLoRAConfig, transformer: FluxTransformer2DModel) -> RefLoRAInjector:
    """The model's own, if it has one to start from, or a new one."""
    if config.model is not None and (Path(config.model) / "injector").is_dir():
        return RefLoRAInjector.from_pretrained(config.model, subfolder="injector")
    fresh = RefLoRAInjector.for_transformer(
        transformer, config.rank, config.form, config.logit_bias
    )
    return fresh.initialise(seeding.generator_for(config.loop.seed, "injector"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
