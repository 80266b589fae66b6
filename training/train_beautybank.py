"""Train BeautyBank's networks.

    python -m training.train_beautybank tiny                   # seconds, synthetic faces
    python -m training.train_beautybank small --cache CACHE
    python -m training.train_beautybank longer --cache CACHE --start NETWORKS    # their weights

CACHE is what `mirra looks unfold` writes. Stop the run, give the same command, and it goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from models import seeding
from models.beautybank.networks import BeautyBank
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.faces.textures import FaceTextures
from training.data.makeup.bare_makeup import BareMakeup
from training.loop import Trainer
from training.methods.beautybank import MakeupCodes


@dataclass(frozen=True)
class BeautyBankConfig(RunConfig):
    """A run of BeautyBank, on synthetic faces without `cache`. A batch of n is n x n/2 views."""

    cache: Path | None = None
    # Weights to go on from; without them all is drawn anew.
    start: Path | None = None
    structure: int = 32
    bare: int = 64
    base: int = 32
    width: int = 128


PRESETS = {
    "small": (
        "the networks from nothing",
        BeautyBankConfig(
            name="beautybank",
            optim=OptimConfig(lr=2e-3, warmup=30, final=0.05),
            loop=LoopConfig(steps=740, batch=6, ema=0.99, threads=1, save_every=50),
        ),
    ),
    "longer": (
        "the networks Mirra ships, gone on with; needs --start",
        BeautyBankConfig(
            name="beautybank-longer",
            optim=OptimConfig(lr=1e-3, warmup=50),
            loop=LoopConfig(steps=1500, batch=6, ema=0.995, threads=1, save_every=50),
        ),
    ),
    "tiny": (
        "three steps on synthetic faces",
        BeautyBankConfig(
            name="tiny-beautybank",
            structure=8,
            bare=8,
            base=8,
            width=16,
            loop=LoopConfig(steps=3, batch=2, save_every=3, log_every=1, threads=1),
        ),
    ),
}


def build(config: BeautyBankConfig) -> Trainer:
    """Return the trainer of one configuration."""
    if config.cache is None:
        faces = FaceTextures.synthetic(seeding.generator_for(config.loop.seed, "faces"))
    else:
        faces = FaceTextures.load(config.cache)
    network = BeautyBank(config.structure, config.bare, config.base, config.width)
    method = MakeupCodes(network, config.loop.seed)
    if config.start is not None:
        network.load_state_dict(BeautyBank.from_pretrained(config.start).state_dict())
    return Trainer(config, method, BareMakeup(faces))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    cv2.setNumThreads(1)  # batches are made beside the step; more threads take turns with it
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
