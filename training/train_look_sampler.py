"""Train the sampler that invents looks, on the codes of photographs.

python -m training.train_look_sampler tiny                 # seconds, synthetic codes
python -m training.train_look_sampler small --cache CACHE --networks assets/weights/beautybank
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from models import seeding
from models.beautybank.networks import SLOTS
from models.beautybank.patches import REGIONS
from models.beautybank.sampler import LookSampler
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.makeup.look_codes import LookCodes, read_codes
from training.loop import Trainer
from training.methods.look_sampler import NearestCandidates


@dataclass(frozen=True)
class SamplerConfig(RunConfig):
    """A run of the sampler; without `cache` and `networks` the codes are synthetic."""

    cache: Path | None = None
    networks: Path | None = None
    structure: int = 32
    bare: int = 64
    noise: int = 24
    # Photographs of each kind that codes are read from, at most.
    photographs: int = 400
    # Candidates drawn at each step, of which each code takes the nearest.
    candidates: int = 512


PRESETS = {
    "small": (
        "the sampler Mirra ships",
        SamplerConfig(
            name="look-sampler",
            optim=OptimConfig(lr=1e-3, warmup=20),
            loop=LoopConfig(steps=800, batch=128, save_every=400, threads=1),
        ),
    ),
    "tiny": (
        "three steps on synthetic codes",
        SamplerConfig(
            name="tiny-look-sampler",
            structure=8,
            bare=8,
            candidates=16,
            loop=LoopConfig(steps=3, batch=8, save_every=3, log_every=1, threads=1),
        ),
    ),
}


def build(config: SamplerConfig) -> Trainer:
    """Return the trainer of one configuration."""
    sampler = LookSampler(config.structure, config.bare, config.noise)
    if config.cache is None or config.networks is None:
        draws = seeding.generator_for(config.loop.seed, "codes")
        size = len(REGIONS) * config.structure + 3 * SLOTS
        vectors = torch.randn(64, size, generator=draws)
    else:
        vectors, bare = read_codes(config.networks, config.cache, config.photographs)
        sampler.bare_middle.copy_(bare.mean(0))
        sampler.bare_spread.copy_(bare.std(0))
    method = NearestCandidates(sampler, config.candidates, config.loop.seed)
    return Trainer(config, method, LookCodes(vectors))


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
