"""Low-rank changes of any network's weights, kept apart from it: W + B A.

SwiftBrush's fake score is such a change of the teacher, and a change trained on a base model can be
put on its distilled student as it is (control distillation, arXiv 2503.10637), because both have
weights of the same names and shapes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from models.errors import CheckpointError


class WeightDelta(nn.Module):
    """B A for every weight of two or more dimensions; the last two are what a rank is of.

    A convolution's kernels are laid flat, (out, in * height * width). A is zero at first, so
    nothing is changed. With rank 0 nothing ever is.

    Args:
        network: whose weights are changed; it is not kept.
        rank: of each change; or the beginning of names -> rank, and only those are changed.
        generator: of B.
        only: a weight is changed if its name has one of these in it; all are if empty.
    """

    def __init__(
        self,
        network: nn.Module,
        rank: int | Mapping[str, int],
        generator: torch.Generator,
        only: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        ranks = {"": rank} if isinstance(rank, int) else rank
        chosen = {
            name: (parameter, number)
            for name, parameter in network.named_parameters()
            if name.endswith("weight") and parameter.ndim >= 2
            if not only or any(word in name for word in only)
            for start, number in ranks.items()
            if name.startswith(start)
        }
        self.names = tuple(chosen)
        left, right = nn.ParameterList(), nn.ParameterList()
        for weight, rank in chosen.values():
            *many, rows, columns = _flat(weight).shape
            drawn = torch.randn((*many, rows, rank), generator=generator) * rows**-0.5
            left.append(nn.Parameter(drawn))
            right.append(nn.Parameter(torch.zeros(*many, rank, columns)))
        # Saved files name the factors in their order: their "A" is B, and their "B" is A.
        self.add_module("A", left)
        self.add_module("B", right)

    @property
    def up(self) -> nn.ParameterList:
        """B of each weight, (..., rows, rank), drawn at first."""
        return cast(nn.ParameterList, self.get_submodule("A"))

    @property
    def down(self) -> nn.ParameterList:
        """A of each weight, (..., rank, columns), zero at first."""
        return cast(nn.ParameterList, self.get_submodule("B"))

    def weights(self, network: nn.Module) -> Mapping[str, Tensor]:
        """Return a network's changed weights by name.

        Raises:
            CheckpointError: the network lacks a weight this changes, or has it in another shape.
        """
        theirs = dict(network.named_parameters())
        changed: dict[str, Tensor] = {}
        for name, B, A in zip(self.names, self.up, self.down, strict=True):
            own = theirs.get(name)
            if own is None or _flat(own).shape != (*B.shape[:-1], A.shape[-1]):
                raise CheckpointError(
                    f"this low-rank change was made for another network: it changes {name}",
                    found=None if own is None else tuple(own.shape),
                    needed=(*B.shape[:-1], A.shape[-1]),
                )
            changed[name] = own + (B @ A).view(own.shape)
        return changed


def _flat(weight: Tensor) -> Tensor:
    """A weight as (..., rows, columns)."""
    return weight.flatten(1) if weight.ndim == 4 else weight


class DeltaDenoiser(nn.Module):
    """A denoiser with a low-rank change; of the two only the change is its own to train and save.

    Args:
        network: the base, or the student a change of the base is loaded into.
        change: of its weights.
    """

    def __init__(self, network: nn.Module, change: WeightDelta) -> None:
        super().__init__()
        self.change = change
        self._base = (network,)  # in a tuple it is no submodule

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return the changed network's velocity; see `Denoiser`."""
        return self._call("velocity", x_t, t, cond, extra)

    def features(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return the changed network's features."""
        return self._call("features", x_t, t, cond, extra)

    def _call(
        self, what: str, x_t: Tensor, t: Tensor, cond: Tensor | None, extra: dict[str, Tensor]
    ) -> Tensor:
        network = self._base[0]
        weights = {f"network.{name}": w for name, w in self.change.weights(network).items()}
        return functional_call(_Call(network, what), weights, (x_t, t, cond), extra)


class _Call(nn.Module):
    """A network's method as its forward, which is what `functional_call` calls."""

    def __init__(self, network: nn.Module, method: str) -> None:
        super().__init__()
        self.network, self.method = network, method

    def forward(self, *inputs: Tensor | None, **extra: Tensor) -> Tensor:
        return getattr(self.network, self.method)(*inputs, **extra)
