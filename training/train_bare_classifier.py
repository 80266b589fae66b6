"""Train the judge of removed makeup: is a face bare or made up?

    python -m training.train_bare_classifier tiny              # seconds, synthetic faces
    python -m training.train_bare_classifier small --cache CACHE

Sets differ in more than makeup: the made-up half of MT is studio photographs, London is sharper.
So half of the made-up faces are bare faces that wear a look of `BareMakeup`, and each face gets
another light, tone, blur and noise at every step, lest the judge look at those.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from models import seeding
from models.beautybank.bare_classifier import BareClassifier
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.faces.textures import FaceTextures
from training.data.makeup.judged_faces import JudgedFaces
from training.loop import Trainer
from training.methods.bare_classifier import BareOrMadeUp


@dataclass(frozen=True)
class ClassifierConfig(RunConfig):
    """A run of the judge; without `cache` the faces are synthetic."""

    cache: Path | None = None
    base: int = 16
    width: int = 32


PRESETS = {
    "small": (
        "the judge of our evaluation",
        ClassifierConfig(
            name="bare-classifier",
            optim=OptimConfig(lr=1e-3, weight_decay=1e-2, warmup=20),
            loop=LoopConfig(steps=400, batch=16, ema=0.98, save_every=50, threads=1),
        ),
    ),
    "tiny": (
        "three steps on synthetic faces",
        ClassifierConfig(
            name="tiny-bare-classifier",
            base=8,
            width=8,
            loop=LoopConfig(steps=3, batch=4, save_every=3, log_every=1, threads=1),
        ),
    ),
}


def build(config: ClassifierConfig) -> Trainer:
    """Return the trainer of one configuration."""
    if config.cache is None:
        faces = FaceTextures.synthetic(seeding.generator_for(config.loop.seed, "faces"))
    else:
        faces = FaceTextures.load(config.cache)
    network = BareClassifier(config.base, config.width)
    return Trainer(config, BareOrMadeUp(network, config.loop.seed), JudgedFaces(faces))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    cv2.setNumThreads(1)  # batches are made beside the step; more threads take turns with it
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
