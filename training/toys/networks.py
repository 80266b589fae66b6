"""Small networks for toys. Several replicas, one a seed, train at once in one network.

A batch holds the replicas' samples end to end; each replica sees its own. No method needs to know:
gradients of one replica do not reach another, and Adam does not mind the shared mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional as F

from models import seeding


class ReplicaLinear(nn.Module):
    """A linear layer per replica.

    Args:
        seeds: one a replica.
        place: name of the layer; draws depend on it and the seed alone.
        inputs: width in.
        outputs: width out.
        zero: start with weights of 0.
    """

    def __init__(
        self, seeds: Sequence[int], place: str, inputs: int, outputs: int, zero: bool = False
    ) -> None:
        super().__init__()
        drawn = [
            torch.randn((inputs, outputs), generator=seeding.generator_for(seed, place))
            for seed in seeds
        ]
        scale = 0.0 if zero else inputs**-0.5
        self.weight = nn.Parameter(torch.stack(drawn) * scale)
        self.bias = nn.Parameter(torch.zeros(len(drawn), 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(replicas, B, inputs) -> (replicas, B, outputs)."""
        return torch.baddbmm(self.bias, x, self.weight)


def waves(t: Tensor, count: int = 3) -> Tensor:
    """Return t, sines and cosines of it, (B, 1 + 2 count); sines and t itself tell its sign."""
    angle = t[:, None] * math.pi * 2.0 ** torch.arange(-1, count - 1, device=t.device)
    return torch.cat([t[:, None], angle.sin(), angle.cos()], 1)


class ReplicaMLP(ModelMixin, ConfigMixin):
    """A velocity field, or a jump, of a few dimensions.

    Args:
        dim: of the samples.
        width: of the hidden layers.
        depth: number of hidden layers.
        seeds: one a replica.
        hears: what it may be told besides x, t and the condition: "r", "step", "w".
        conditions: number of conditions; 0 for none.
    """

    @register_to_config
    def __init__(
        self,
        dim: int = 2,
        width: int = 96,
        depth: int = 3,
        seeds: Sequence[int] = (0,),
        hears: Sequence[str] = ("r", "step"),
        conditions: int = 0,
    ) -> None:
        super().__init__()
        self.hears, self.replicas, self.conditions = tuple(hears), len(seeds), conditions
        self.first = ReplicaLinear(seeds, "first", dim + len(waves(torch.zeros(1))[0]), width)
        self.extra = nn.ModuleDict(
            {x: ReplicaLinear(seeds, x, len(waves(torch.zeros(1))[0]), width, True) for x in hears}
        )
        self.condition = ReplicaLinear(seeds, "condition", conditions + 1, width)
        self.hidden = nn.ModuleList(
            ReplicaLinear(seeds, f"hidden{n}", width, width) for n in range(depth - 1)
        )
        self.last = ReplicaLinear(seeds, "last", width, dim)

    def _split(self, x: Tensor) -> Tensor:
        return x.reshape(self.replicas, -1, x.shape[-1])

    def features(self, x_t: Tensor, t: Tensor, cond: Any = None, **told: Tensor) -> Tensor:
        """Return the last hidden layer, (replicas, B / replicas, width)."""
        h = self.first(self._split(torch.cat([x_t, waves(t)], 1)))
        for name in self.hears:
            if name in told:
                heard = told[name]
                if name == "r":  # how far to jump; 0 for velocities, as if it had not been told
                    heard = t - heard
                elif name == "step":
                    heard = heard / 4
                h = h + self.extra[name](self._split(waves(heard)))
        if self.conditions:
            which = torch.full_like(t, self.conditions).long() if cond is None else cond
            h = h + self.condition(self._split(F.one_hot(which, self.conditions + 1).to(h)))
        h = F.silu(h)
        for layer in self.hidden:
            h = F.silu(layer(h))
        return h

    def velocity(self, x_t: Tensor, t: Tensor, cond: Any = None, **told: Tensor) -> Tensor:
        """Return v, (B, D); see `Denoiser`."""
        return self.last(self.features(x_t, t, cond, **told)).reshape(x_t.shape)


class ReplicaHead(ModelMixin, ConfigMixin):
    """A discriminator's head on features: one hidden layer, one logit.

    Args:
        width: of the features.
        hidden: width inside.
        seeds: one a replica.
    """

    @register_to_config
    def __init__(self, width: int = 96, hidden: int = 64, seeds: Sequence[int] = (0,)) -> None:
        super().__init__()
        self.first = ReplicaLinear(seeds, "head first", width, hidden)
        self.last = ReplicaLinear(seeds, "head last", hidden, 1)

    def forward(self, features: Tensor) -> Tensor:
        """(replicas, B, width) -> logits (replicas, B, 1)."""
        return self.last(F.silu(self.first(features)))
