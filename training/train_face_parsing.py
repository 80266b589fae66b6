"""Train the face parser.

    python -m training.train_face_parsing tiny                   # seconds, synthetic faces
    python -m training.train_face_parsing small --cache CACHE

CACHE is what `python -m training.prepare.face_labels` writes. Stop the run, give the
same command, and it goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from models import seeding
from models.analysis.face_parsing import CROP_SIZE, FaceParser
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.faces.batches import FaceData
from training.data.faces.store import FaceStore
from training.loop import Trainer
from training.methods.face_parsing import FaceParsing


@dataclass(frozen=True)
class FaceParsingConfig(RunConfig):
    """A run of the face parser; without `cache` the faces are synthetic."""

    cache: Path | None = None
    widths: tuple[int, ...] = (24, 32, 64, 128, 160)
    size: int = CROP_SIZE


PRESETS = {
    "small": (
        "the parser Mirra ships",
        FaceParsingConfig(
            name="face-parser",
            optim=OptimConfig(lr=3e-3, weight_decay=1e-4, warmup=100),
            loop=LoopConfig(steps=2400, batch=24, ema=0.998),
        ),
    ),
    "tiny": (
        "five steps on synthetic faces",
        FaceParsingConfig(
            name="tiny-face-parser",
            widths=(8, 8, 8),
            size=64,
            loop=LoopConfig(steps=5, batch=2, save_every=5, log_every=1),
        ),
    ),
}


def build(config: FaceParsingConfig) -> Trainer:
    """Return the trainer of one configuration."""
    if config.cache is None:
        store = FaceStore.synthetic(seeding.generator_for(config.loop.seed, "faces"))
    else:
        store = FaceStore.load(config.cache)
    method = FaceParsing(FaceParser(widths=config.widths), config.loop.seed)
    return Trainer(config, method, FaceData(store, "train", config.size))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    cv2.setNumThreads(1)  # batches are made beside the step; more threads take turns with it
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
