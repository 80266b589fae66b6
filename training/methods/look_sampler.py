"""Learn to invent looks whose codes are like those of photographs."""

from __future__ import annotations

import torch
from torch import Tensor

from models import seeding
from models.beautybank.sampler import LookSampler
from training.loop import Method


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
