"""Train the human parser.

python -m training.train_parsing tiny                                     # seconds, synthetic data
python -m training.train_parsing small --data DATA/viton --cache CACHE    # run again to go on
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file

from models import seeding
from models.analysis.human_parsing import HumanParser
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.tryon.parsing import ParsingData, SyntheticParsing
from training.loop import Trainer
from training.methods.parsing import ParsingMethod


@dataclass(frozen=True)
class ParsingConfig(RunConfig):
    """Training of the human parser."""

    # Folder of VITON's tars; synthetic data if left out. Arrays are kept in `cache`.
    data: Path | None = None
    cache: Path = Path("cache")
    size_hw: tuple[int, int] = (128, 96)
    new_background: float = 0.4
    # A `weights/parser` folder to begin from.
    start: Path | None = None


PRESETS: dict[str, tuple[str, ParsingConfig]] = {
    "tiny": (
        "Five steps on synthetic data.",
        ParsingConfig(
            name="parsing-tiny",
            size_hw=(64, 64),
            loop=LoopConfig(steps=5, batch=4, save_every=5, log_every=1),
        ),
    ),
    "small": (
        "128x96, 1,400 steps of 32.",
        ParsingConfig(
            name="parsing-128",
            optim=OptimConfig(lr=2e-3),
            loop=LoopConfig(steps=1400, batch=32, save_every=100),
        ),
    ),
    "full": (
        "256x192, 2,000 steps of 16, begun from `small`.",
        ParsingConfig(
            name="parsing-256",
            size_hw=(256, 192),
            optim=OptimConfig(lr=6e-4),
            loop=LoopConfig(steps=2000, batch=16, save_every=200),
        ),
    ),
}


def build(config: ParsingConfig) -> Trainer:
    """Return the trainer of one configuration."""
    parser = HumanParser()
    seeding.initialise(parser, seeding.generator_for(config.loop.seed, "parser"))
    if config.start is not None:
        weights = config.start / "diffusion_pytorch_model.safetensors"
        parser.load_state_dict(load_file(weights))
    data = (
        SyntheticParsing(config.size_hw)
        if config.data is None
        else ParsingData(config.data, config.cache, config.size_hw, config.new_background)
    )
    return Trainer(config, ParsingMethod(parser), data)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
