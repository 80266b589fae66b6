"""Low-rank updates of one network's layers, applied only while they are wanted: W x + B A x.

Several students can so share one frozen network, whatever its weights' form: spread over cards,
quantised, in half precision. (`models.diffusion.weight_delta` makes the changed weights W + B A
themselves, which takes any network, but as much memory as it has.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from models.errors import CheckpointError

Updates = Mapping[str, Callable[[Tensor], Tensor]]
"""Name of a layer -> what is added to its output, given its first input."""

_APPLIED: ContextVar[Updates] = ContextVar("applied updates")


class LoRALayer(nn.Module):
    """B A x, with B zero at first; the scale alpha / rank of LoRA is 1."""

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.lora_A = nn.Linear(inputs, rank, bias=False)
        self.lora_B = nn.Linear(rank, outputs, bias=False)
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return the update of (..., inputs), (..., outputs), computed in the update's dtype."""
        return self.lora_B(self.lora_A(x.to(self.lora_A.weight.dtype)))

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Draw A from N(0, 1 / rank^2) as peft's `gaussian` does, and zero B."""
        rank, inputs = self.lora_A.weight.shape
        self.lora_A.weight.copy_(torch.randn(rank, inputs, generator=generator) / rank)
        nn.init.zeros_(self.lora_B.weight)


def add_update(parent: nn.Module, name: str, update: LoRALayer) -> None:
    """Register an update below modules named like those of the network, so that keys are peft's."""
    *path, last = name.split(".")
    for word in path:
        if word not in dict(parent.named_children()):
            parent.add_module(word, nn.Module())
        parent = parent.get_submodule(word)
    parent.add_module(last, update)


@contextmanager
def applied(updates: Updates) -> Iterator[None]:
    """Add these updates, and no others, to whatever passes through the network meanwhile."""
    token = _APPLIED.set(updates)
    try:
        yield
    finally:
        _APPLIED.reset(token)


def attach(network: nn.Module, updates: Updates) -> None:
    """Let whichever updates are applied change this network; the weights stay untouched.

    Hooks leave names, devices and quantisation of the network's layers as they are. Attaching
    several sets of updates, or one twice, adds one hook per layer.

    Raises:
        CheckpointError: there is no such layer, or not of this size.
    """
    for name, update in updates.items():
        try:
            layer = network.get_submodule(name)
        except AttributeError:
            raise CheckpointError(
                f"the adapter updates {name}, which this transformer has not", found=name
            ) from None
        if isinstance(update, LoRALayer):
            _check_size(name, layer, update)
        if not any(isinstance(hook, _Updating) for hook in layer._forward_hooks.values()):
            layer.register_forward_hook(_Updating(name))


def _check_size(name: str, layer: nn.Module, update: LoRALayer) -> None:
    found = update.lora_A.in_features, update.lora_B.out_features
    needed = getattr(layer, "in_features", None), getattr(layer, "out_features", None)
    if found != needed:
        raise CheckpointError(
            f"the adapter's {name} is for {found[0]} inputs and {found[1]} outputs, "
            f"the transformer's has {needed[0]} and {needed[1]}",
            found=found,
            needed=needed,
        )


class _Updating:
    """A forward hook that adds the applied update to one layer's output."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        update = _APPLIED.get({}).get(self.name)
        return output if update is None else output + update(inputs[0]).to(output.dtype)


def recompute_activations(transformer: ModelMixin) -> None:
    """Recompute blocks in the backward pass, with the updates that were applied in the forward."""

    def recomputed(block: nn.Module, *arguments: object) -> object:
        updates = _APPLIED.get({})

        def forward(*again: object) -> object:
            with applied(updates):
                return block(*again)

        return checkpoint(forward, *arguments, use_reentrant=False)

    transformer.enable_gradient_checkpointing(recomputed)
