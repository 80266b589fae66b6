"""Train E2GAN: a small generator of several looks, then one more look as an adapter of it.

python -m training.train_e2gan tiny                                        # seconds, synthetic data
mirra pairs FACES PAIRS/soft-pink --looks soft-pink --size 128 --weakest 1  # so for every look
python -m training.train_e2gan base --pairs PAIRS
python -m training.train_e2gan look --pairs PAIRS --looks classic-red \
    --base runs/e2gan/checkpoints/001500/weights/generator
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models import seeding
from models.small.discriminators import PatchDiscriminator
from models.small.e2gan import SIDE, E2Gan, LookAdapter
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.makeup.look_pairs import LookPairs
from training.loop import Trainer
from training.methods.e2gan import E2GanMethod


@dataclass(frozen=True)
class E2GanConfig(RunConfig):
    """Training of a base, of one more look, or of the whole base on one look."""

    # Folder with a folder of `mirra pairs` for each look; synthetic data if left out.
    pairs: Path | None = None
    looks: tuple[str, ...] = ("smoky-eye", "deep-plum", "soft-pink", "sunset")
    side: int = SIDE
    # Channels of a new base.
    width: int = 96
    # A trained generator's folder, to learn one more look from.
    base: Path | None = None
    # Group of layers -> rank of the adapter there; none trains the whole base on the look.
    ranks: dict[str, int] = field(default_factory=dict)
    # Pairs of the new look that clustering keeps; 0 keeps all.
    images: int = 0


PRESETS: dict[str, tuple[str, E2GanConfig]] = {
    "tiny": (
        "Three steps on synthetic data.",
        E2GanConfig(
            name="e2gan-tiny",
            looks=("one", "another"),
            side=32,
            width=16,
            loop=LoopConfig(steps=3, batch=4, save_every=3, log_every=1),
        ),
    ),
    "base": (
        "Four looks, 1,500 steps of 8.",
        E2GanConfig(
            name="e2gan",
            optim=OptimConfig(lr=1e-3, betas=(0.5, 0.999), warmup=50),
            loop=LoopConfig(steps=1500, batch=8, save_every=100, ema=0.99),
        ),
    ),
    "look": (
        "One more look, 150 steps of 8.",
        E2GanConfig(
            name="e2gan-look",
            looks=("classic-red",),
            ranks={"attention": 2, "residual.1": 2, "down": 1},
            optim=OptimConfig(lr=5e-3, betas=(0.5, 0.999), warmup=20),
            loop=LoopConfig(steps=150, batch=8, save_every=50, ema=0.97),
        ),
    ),
}


def build(config: E2GanConfig) -> Trainer:
    """Return the trainer of one configuration."""
    generator = seeding.generator_for(config.loop.seed, "e2gan")
    discriminator = PatchDiscriminator(len(config.looks))
    seeding.initialise(discriminator, generator)
    if config.pairs is None:
        data = LookPairs.synthetic(len(config.looks), config.side, generator)
    else:
        data = LookPairs.read(config.pairs, config.looks, config.side)
    if config.images:
        data = data.keep_representatives(config.images, config.loop.seed)
    adapter = None
    if config.base is None:
        net = E2Gan(len(config.looks), config.width)
        seeding.initialise(net, generator)
    else:
        net = E2Gan.from_pretrained(config.base, low_cpu_mem_usage=False)
        if config.ranks:
            adapter = LookAdapter.for_base(net, config.ranks)
        else:
            net.concepts.weight.data[0] = net.concepts.weight.data.mean(0)
    return Trainer(config, E2GanMethod(net, discriminator, adapter), data)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
