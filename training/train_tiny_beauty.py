"""Train the tiny beauty net: one look, distilled from the instant pipeline.

python -m training.train_tiny_beauty tiny                                # seconds, synthetic data
mirra pairs FACES PAIRS --looks classic-red --size 288 --weakest 1           # the teacher's work
python -m training.train_tiny_beauty small --data PAIRS --look classic-red
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file

from models import seeding
from models.small.tiny_beauty import SIDE, TinyBeauty
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.makeup.beauty_pairs import BeautyPairs
from training.loop import Trainer
from training.methods.tiny_beauty import TinyBeautyMethod


@dataclass(frozen=True)
class TinyBeautyConfig(RunConfig):
    """Training of one look."""

    # Folder of `mirra pairs`; synthetic data if left out.
    data: Path | None = None
    # The look's name, which the run is called after.
    look: str = "classic-red"
    side: int = SIDE
    # Folder of a net's weights to begin from, of this look or another.
    start: Path | None = None

    @property
    def folder(self) -> Path:
        """Each look has a run of its own."""
        return super().folder / self.look


PRESETS: dict[str, tuple[str, TinyBeautyConfig]] = {
    "tiny": (
        "Three steps on synthetic data.",
        TinyBeautyConfig(
            name="tiny-beauty-tiny",
            side=64,
            loop=LoopConfig(steps=3, batch=4, save_every=3, log_every=1),
        ),
    ),
    "small": (
        "256x256, 1,200 steps of 8.",
        TinyBeautyConfig(
            name="tiny-beauty",
            optim=OptimConfig(lr=4e-3, warmup=50),
            loop=LoopConfig(steps=1200, batch=8, save_every=100, ema=0.99),
        ),
    ),
}


def build(config: TinyBeautyConfig) -> Trainer:
    """Return the trainer of one configuration."""
    generator = seeding.generator_for(config.loop.seed, "tiny-beauty")
    net = TinyBeauty()
    seeding.initialise(net, generator)
    if config.start is not None:
        net.load_state_dict(load_file(config.start / "diffusion_pytorch_model.safetensors"))
    data = (
        BeautyPairs.synthetic(config.side, generator)
        if config.data is None
        else BeautyPairs.read(config.data, config.side)
    )
    return Trainer(config, TinyBeautyMethod(net), data)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
