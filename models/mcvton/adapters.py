"""Branch-wise LoRA: low-rank updates at work only while one branch's tokens pass through FLUX.

The published counts are 39.7 M trained parameters and 86.8 M after distillation; ranks 8 (garment)
and 4 (masked person) are known, the layers are not. With the layers of OminiControl, 3,621,952
parameters per rank on FLUX.1, these sizes give both counts to 0.1 %:

    G-LoRA   rank 8,  without the single blocks' norm.linear    25,240,064
    MP-LoRA  rank 4                                             14,487,808    together 39,727,872
    D-LoRA   rank 13                                            47,085,376    together 86,813,248
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from models.errors import CheckpointError

# Layers of OminiControl, in the two kinds of blocks: name -> inputs, outputs, in widths of FLUX.
DOUBLE = {
    "norm1.linear": (1, 6),
    "attn.to_q": (1, 1),
    "attn.to_k": (1, 1),
    "attn.to_v": (1, 1),
    "attn.to_out.0": (1, 1),
    "ff.net.2": (4, 1),
}
SINGLE = {
    "norm.linear": (1, 3),
    "proj_mlp": (1, 4),
    "proj_out": (5, 1),
    "attn.to_q": (1, 1),
    "attn.to_k": (1, 1),
    "attn.to_v": (1, 1),
}
GARMENT: dict[str, Any] = {"rank": 8, "without": ("norm.linear",)}
PERSON: dict[str, Any] = {"rank": 4}
DISTILLED: dict[str, Any] = {"rank": 13}

_AT_WORK: ContextVar[BranchLoRA | None] = ContextVar("branch at work", default=None)


class LowRank(nn.Module):
    """B A x, with B zero at first; the scale alpha / rank of LoRA is 1."""

    def __init__(self, inputs: int, outputs: int, rank: int) -> None:
        super().__init__()
        self.lora_A = nn.Linear(inputs, rank, bias=False)
        self.lora_B = nn.Linear(rank, outputs, bias=False)
        nn.init.zeros_(self.lora_B.weight)

    def forward(self, x: Tensor) -> Tensor:
        """Return the update of (..., inputs), (..., outputs), computed in the update's dtype."""
        return self.lora_B(self.lora_A(x.to(self.lora_A.weight.dtype)))


class BranchLoRA(ModelMixin, ConfigMixin):
    """The LoRA of one branch.

    Its keys are those of peft (`transformer_blocks.0.attn.to_q.lora_A.weight`), so the file it
    saves loads in plain diffusers by `transformer.load_lora_adapter(file, prefix=None)`.

    Args:
        rank: of every update.
        width: of FLUX's tokens.
        in_channels: of FLUX's input.
        num_layers, num_single_layers: blocks of FLUX.
        without: layers of the table `SINGLE` that stay as they are.
        sigmas: noise levels the branch was distilled for, from 1 down; None if it was not.
    """

    @register_to_config
    def __init__(
        self,
        rank: int,
        width: int = 3072,
        in_channels: int = 64,
        num_layers: int = 19,
        num_single_layers: int = 38,
        without: Sequence[str] = (),
        sigmas: Sequence[float] | None = None,
    ) -> None:
        super().__init__()
        self.updates: dict[str, LowRank] = {}
        self._add("x_embedder", LowRank(in_channels, width, rank))
        for kind, count, table in (
            ("transformer_blocks", num_layers, DOUBLE),
            (
                "single_transformer_blocks",
                num_single_layers,
                {layer: size for layer, size in SINGLE.items() if layer not in without},
            ),
        ):
            for block in range(count):
                for layer, (inputs, outputs) in table.items():
                    update = LowRank(inputs * width, outputs * width, rank)
                    self._add(f"{kind}.{block}.{layer}", update)

    def _add(self, name: str, update: LowRank) -> None:
        """Register an update below modules named like those of FLUX, so that keys are peft's."""
        *path, last = name.split(".")
        parent: nn.Module = self
        for word in path:
            if word not in dict(parent.named_children()):
                parent.add_module(word, nn.Module())
            parent = parent.get_submodule(word)
        parent.add_module(last, update)
        self.updates[name] = update

    @classmethod
    def fitting(cls, transformer: FluxTransformer2DModel, **settings: Any) -> BranchLoRA:
        """Return a new LoRA for this transformer; `settings` are rank, without and sigmas."""
        config = transformer.config
        return cls(
            width=transformer.inner_dim,
            in_channels=config["in_channels"],
            num_layers=config["num_layers"],
            num_single_layers=config["num_single_layers"],
            **settings,
        )

    @torch.no_grad()
    def start(self, generator: torch.Generator) -> BranchLoRA:
        """Draw A from N(0, 1 / rank^2) as peft's `gaussian` does, and zero B."""
        for update in self.updates.values():
            rank, inputs = update.lora_A.weight.shape
            update.lora_A.weight.copy_(torch.randn(rank, inputs, generator=generator) / rank)
            nn.init.zeros_(update.lora_B.weight)
        return self

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Add this branch's updates to whatever passes through the transformer meanwhile."""
        with _branch(self):
            yield


@contextmanager
def _branch(lora: BranchLoRA | None) -> Iterator[None]:
    token = _AT_WORK.set(lora)
    try:
        yield
    finally:
        _AT_WORK.reset(token)


def attach(transformer: FluxTransformer2DModel, lora: BranchLoRA) -> None:
    """Let whichever branch is at work update this transformer; the weights stay untouched.

    Hooks leave names, devices and quantisation of the transformer's layers as they are. Attaching
    several branches, or one twice, adds one hook per layer.

    Raises:
        CheckpointError: the LoRA has a layer that the transformer has not, or not in this size.
    """
    for name, update in lora.updates.items():
        try:
            layer = transformer.get_submodule(name)
        except AttributeError:
            raise CheckpointError(
                f"the adapter updates {name}, which this transformer has not", found=name
            ) from None
        found = update.lora_A.in_features, update.lora_B.out_features
        needed = getattr(layer, "in_features", None), getattr(layer, "out_features", None)
        if found != needed:
            raise CheckpointError(
                f"the adapter's {name} is for {found[0]} inputs and {found[1]} outputs, "
                f"the transformer's has {needed[0]} and {needed[1]}",
                found=found,
                needed=needed,
            )
        if not any(isinstance(hook, _Updating) for hook in layer._forward_hooks.values()):
            layer.register_forward_hook(_Updating(name))


class _Updating:
    """A forward hook that adds the update of the branch at work to one layer's output."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        lora = _AT_WORK.get()
        update = None if lora is None else lora.updates.get(self.name)
        return output if update is None else output + update(inputs[0]).to(output.dtype)


def save_activations(transformer: FluxTransformer2DModel) -> None:
    """Recompute blocks in the backward pass, with the branch that was at work in the forward."""

    def recomputed(block: nn.Module, *arguments: Any) -> Any:
        lora = _AT_WORK.get()

        def forward(*again: Any) -> Any:
            with _branch(lora):
                return block(*again)

        return checkpoint(forward, *arguments, use_reentrant=False)

    transformer.enable_gradient_checkpointing(recomputed)
