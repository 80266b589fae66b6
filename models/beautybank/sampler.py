"""Invent looks: a small network from noise to codes (the paper's ICP sampler, after GLANN).

The paper trains two generators, 128-128-128 wide, one for structure and one for colour, each on its
own noise; then a pattern gets colours that were never worn with it. Ours share the noise.
"""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from models.beautybank.code import MakeupCode
from models.beautybank.networks import SLOTS
from models.beautybank.patches import REGIONS


def mlp(noise: int, width: int, out: int) -> nn.Sequential:
    """Three hidden layers of one width."""
    layers: list[nn.Module] = []
    for before in (noise, width, width):
        layers += [nn.Linear(before, width), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(width, out))


class LookSampler(ModelMixin, ConfigMixin):
    """Noise to codes.

    Args:
        structure: numbers that say a region's pattern.
        bare: numbers of a bare code.
        noise: numbers a look grows from.
        width: of the hidden layers.

    Attributes:
        bare_middle, bare_spread: (bare,), mean and standard deviation of the bare codes of the
            people it was trained with: people are drawn from this Gaussian.
    """

    bare_middle: Tensor
    bare_spread: Tensor

    @register_to_config
    def __init__(
        self, structure: int = 32, bare: int = 64, noise: int = 24, width: int = 128
    ) -> None:
        super().__init__()
        self.structure, self.noise = structure, noise
        self.patterns = mlp(noise, width, len(REGIONS) * structure)
        self.colors = mlp(noise, width, SLOTS * 3)
        self.register_buffer("bare_middle", torch.zeros(bare))
        self.register_buffer("bare_spread", torch.ones(bare))

    def forward(self, noise: Tensor) -> Tensor:
        """Noise, (B, noise), to codes as `MakeupCode.vector`: (B, 4 S + 3 SLOTS)."""
        return torch.cat([self.patterns(noise), self.colors(noise)], 1)

    @torch.no_grad()
    def sample(self, count: int, generator: torch.Generator) -> list[MakeupCode]:
        """Draw codes."""
        vectors = self(torch.randn(count, self.noise, generator=generator))
        patterns = vectors[:, : len(REGIONS) * self.structure]
        colors = vectors[:, len(REGIONS) * self.structure :]
        return [
            MakeupCode(p.reshape(len(REGIONS), -1), c.reshape(SLOTS, 3))
            for p, c in zip(patterns.numpy(), colors.numpy(), strict=True)
        ]

    @torch.no_grad()
    def people(self, count: int, generator: torch.Generator) -> Tensor:
        """Draw bare codes, (count, bare)."""
        noise = torch.randn(count, len(self.bare_middle), generator=generator)
        return self.bare_middle + noise * self.bare_spread
