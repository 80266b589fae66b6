"""Small networks for toys. Several replicas, one a seed, train at once in one network.

A batch holds the replicas' samples end to end; each replica sees its own. No method needs to know:
gradients of one replica do not reach another, and Adam does not mind the shared mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

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
    """

    def __init__(self, seeds: Sequence[int], place: str, inputs: int, outputs: int) -> None:
        super().__init__()
        drawn = [
            torch.randn((inputs, outputs), generator=seeding.generator_for(seed, place))
            for seed in seeds
        ]
        self.weight = nn.Parameter(torch.stack(drawn) * inputs**-0.5)
        self.bias = nn.Parameter(torch.zeros(len(drawn), 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """(replicas, B, inputs) -> (replicas, B, outputs)."""
        return torch.baddbmm(self.bias, x, self.weight)


FREQUENCIES = 3


def fourier_features(times: Tensor) -> Tensor:
    """Return each time, and sines and cosines of it, which with it give its sign; 0 gives 0.

    Args:
        times: (B, n).

    Returns:
        (B, n (1 + 2 FREQUENCIES)).
    """
    angle = times[..., None] * (
        math.pi * 2.0 ** torch.arange(-1, FREQUENCIES - 1, device=times.device)
    )
    return torch.cat([times[..., None], angle.sin(), angle.cos() - 1], -1).flatten(1)


class ReplicaMLP(ModelMixin, ConfigMixin):
    """A velocity field, or a jump, of a few dimensions.

    Args:
        dim: of the samples.
        width: of the hidden layers.
        depth: number of hidden layers.
        seeds: one a replica.
        extra: names of its extra conditions: "r", "step", "w".
        conditions: number of conditions; 0 for none.
    """

    @register_to_config
    def __init__(
        self,
        dim: int = 2,
        width: int = 96,
        depth: int = 3,
        seeds: Sequence[int] = (0,),
        extra: Sequence[str] = ("r", "step"),
        conditions: int = 0,
    ) -> None:
        super().__init__()
        self.extra, self.replicas, self.conditions = tuple(extra), len(seeds), conditions
        each = 1 + 2 * FREQUENCIES
        inputs = dim + each * (1 + len(extra)) + (conditions + 1 if conditions else 0)
        self.first = ReplicaLinear(seeds, "first", inputs, width)
        with torch.no_grad():  # extra conditions change nothing at first
            self.first.weight[:, dim + each : dim + each * (1 + len(extra))] = 0
        self.hidden = nn.ModuleList(
            ReplicaLinear(seeds, f"hidden{n}", width, width) for n in range(depth - 1)
        )
        self.last = ReplicaLinear(seeds, "last", width, dim)

    def features(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return the last hidden layer, (replicas, B / replicas, width).

        What is not given is taken as 0: the step's number, the guidance, and t - r, the length of a
        jump, so that a jump of no length is a velocity. Zeros give no gradient either: a network
        that was never given something does not mind being given it.
        """
        given = {"r": t - extra["r"]} if "r" in extra else {}
        given |= {name: extra[name] / 4 for name in ("step", "w") if name in extra}
        times = torch.stack([t, *(given.get(x, torch.zeros_like(t)) for x in self.extra)], 1)
        seen = [x_t, fourier_features(times)]
        if self.conditions:
            which = torch.full_like(t, self.conditions).long() if cond is None else cond
            seen.append(F.one_hot(which, self.conditions + 1).to(x_t))
        together = torch.cat(seen, 1)
        h = F.silu(self.first(together.reshape(self.replicas, -1, together.shape[1])))
        for layer in self.hidden:
            h = F.silu(layer(h))
        return h

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return v, (B, D); see `Denoiser`."""
        return self.last(self.features(x_t, t, cond, **extra)).reshape(x_t.shape)


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
