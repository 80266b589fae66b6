"""Train the garment cutter.

python -m training.train_cutout tiny                                     # seconds, synthetic data
python -m training.train_cutout small --data DATA/viton --cache CACHE \
    --photos DATA/garments/home-photos.tar --start WEIGHTS/human-parser
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file

from models import seeding
from models.analysis.garment_cutout import SIDE, GarmentCutter
from training.checkpoints import load_matching
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.tryon.cutout import CutoutData, SyntheticCutout
from training.loop import Trainer
from training.methods.parsing import ParsingMethod


@dataclass(frozen=True)
class CutoutConfig(RunConfig):
    """Training of the garment cutter."""

    # Folder of VITON's tars and tar of photographs made at home; synthetic data if left out.
    data: Path | None = None
    photos: Path | None = None
    cache: Path = Path("cache")
    side: int = SIDE
    # Folder of a human parser's weights to begin from.
    start: Path | None = None


PRESETS: dict[str, tuple[str, CutoutConfig]] = {
    "tiny": (
        "Five steps on synthetic data.",
        CutoutConfig(
            name="cutout-tiny",
            side=64,
            loop=LoopConfig(steps=5, batch=4, save_every=5, log_every=1),
        ),
    ),
    "small": (
        "160x160, 600 steps of 16.",
        CutoutConfig(
            name="cutout-160",
            optim=OptimConfig(lr=2e-3, warmup=50),
            loop=LoopConfig(steps=600, batch=16, save_every=100, ema=0.99),
        ),
    ),
}


def build(config: CutoutConfig) -> Trainer:
    """Return the trainer of one configuration."""
    cutter = GarmentCutter(parts=2)
    seeding.initialise(cutter, seeding.generator_for(config.loop.seed, "cutter"))
    if config.start is not None:
        load_matching(cutter, load_file(config.start / "diffusion_pytorch_model.safetensors"))
    data = (
        SyntheticCutout(config.side)
        if config.data is None or config.photos is None
        else CutoutData(config.data, config.cache, config.photos, config.side)
    )
    return Trainer(config, ParsingMethod(cutter), data)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
