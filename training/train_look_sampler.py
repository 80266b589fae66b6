"""Train the sampler that invents looks, on the codes of photographs.

python -m training.train_look_sampler tiny                 # seconds, made-up codes
python -m training.train_look_sampler small --cache CACHE --networks assets/weights/beautybank
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models import seeding
from models.beautybank.drawing import read_bare, read_code
from models.beautybank.networks import SLOTS, BeautyBank
from models.beautybank.patches import REGIONS
from models.beautybank.sampler import LookSampler
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.faces.face_textures import FaceTextures, Kind
from training.loop import Method, Trainer


@dataclass(frozen=True)
class SamplerConfig(RunConfig):
    """A run of the sampler; without `cache` and `networks` the codes are made up."""

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
        "three steps on made-up codes",
        SamplerConfig(
            name="tiny-look-sampler",
            structure=8,
            bare=8,
            candidates=16,
            loop=LoopConfig(steps=3, batch=8, save_every=3, log_every=1, threads=1),
        ),
    ),
}


class Codes:
    """Codes as `MakeupCode.vector`, jittered as in the paper.

    Args:
        vectors: (N, D) float32.
    """

    def __init__(self, vectors: Tensor) -> None:
        self.vectors = vectors

    def __len__(self) -> int:
        return len(self.vectors)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Some codes; the jitter, N(0, 0.05) of each number's spread, makes near ones of few."""
        chosen = self.vectors[indices]
        noise = torch.randn(chosen.shape, generator=generator)
        return {"vectors": chosen + 0.05 * self.vectors.std(0) * noise}


class NearestCandidates(Method):
    """Implicit maximum likelihood (Li and Malik, 2018; GLANN's second step).

    Every code pulls the nearest of many candidates, so none is left out.
    """

    def __init__(self, sampler: LookSampler, candidates: int, seed: int = 0) -> None:
        seeding.initialise(sampler, seeding.generator_for(seed, "sampler"))
        self.networks = {"sampler": sampler}
        self.phases = {"sampler": ("sampler",)}
        self.candidates = candidates

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return `distance`, the mean square between codes and their nearest candidates."""
        sampler = self.networks["sampler"]
        assert isinstance(sampler, LookSampler)
        noise = torch.randn(self.candidates, sampler.noise, generator=generator)
        with torch.no_grad():
            nearest = torch.cdist(batch["vectors"], sampler(noise)).argmin(1)
        distance = (sampler(noise[nearest]) - batch["vectors"]).square().mean()
        return {"distance": distance}


def read_codes(networks: Path, cache: Path, most: int) -> tuple[Tensor, Tensor]:
    """Codes of at most so many made-up faces of a cache that train; bare codes of its bare ones."""
    network = BeautyBank.from_pretrained(networks, low_cpu_mem_usage=False).eval()
    faces = FaceTextures.load(cache)

    def some(kind: Kind) -> np.ndarray:
        numbers = faces.which(kind, "train")
        return numbers[:: max(1, -(-len(numbers) // most))]

    made_up = [read_code(network, faces.face(k)) for k in some("makeup")]
    bare = [read_bare(network, faces.face(k)) for k in some("bare")]
    return (
        torch.from_numpy(np.stack([code.vector for code in made_up])),
        torch.from_numpy(np.stack(bare)),
    )


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and train."""
    config = from_command_line(PRESETS, "Train the sampler of looks.", arguments)
    sampler = LookSampler(config.structure, config.bare, config.noise)
    if config.cache is None or config.networks is None:
        draws = seeding.generator_for(config.loop.seed, "codes")
        size = len(REGIONS) * config.structure + 3 * SLOTS
        vectors = torch.randn(64, size, generator=draws)
    else:
        vectors, bare = read_codes(config.networks, config.cache, config.photographs)
        sampler.bare_middle.copy_(bare.mean(0))
        sampler.bare_spread.copy_(bare.std(0))
    Trainer(
        config, NearestCandidates(sampler, config.candidates, config.loop.seed), Codes(vectors)
    ).run()


if __name__ == "__main__":
    main()
