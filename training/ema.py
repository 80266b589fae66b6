"""Averaged weights: what is saved to be used, smoother than any single step's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class AveragedWeights:
    """Exponential moving average of a network's parameters.

    Buffers (the statistics of batch norm) are averages already and are left alone. The decay grows
    as (1 + n) / (10 + n) up to `decay`, so that early averages forget the random start.

    Args:
        network: the network to follow.
        decay: share of the old average that one update keeps, in [0, 1).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.values = {
            name: parameter.detach().clone() for name, parameter in network.named_parameters()
        }

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """Take in the weights after `step` steps."""
        weight = 1.0 - min(self.decay, (1.0 + step) / (10.0 + step))
        for name, parameter in network.named_parameters():
            self.values[name].lerp_(parameter, weight)

    @torch.no_grad()
    def copy_to(self, network: nn.Module) -> None:
        """Give the network its averaged weights for good."""
        for name, parameter in network.named_parameters():
            parameter.copy_(self.values[name])

    @contextmanager
    def swapped_into(self, network: nn.Module) -> Iterator[None]:
        """Give the network its averaged weights within a `with` block."""
        own: dict[str, Tensor] = {}
        for name, parameter in network.named_parameters():
            own[name] = parameter.detach().clone()
        self.copy_to(network)
        try:
            yield
        finally:
            with torch.no_grad():
                for name, parameter in network.named_parameters():
                    parameter.copy_(own[name])


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move one network's parameters towards another's: average <- decay average + (1 - decay) own.

    Args:
        average: of the same architecture; changed in place.
        network: the trained one.
        decay: share of the old average that is kept, in [0, 1).
    """
    for mine, theirs in zip(average.parameters(), network.parameters(), strict=True):
        mine.lerp_(theirs, 1.0 - decay)
