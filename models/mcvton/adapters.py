"""Branch-wise LoRA: low-rank updates at work only while one branch's tokens pass through FLUX.

The published counts are 39.7 M trained parameters and 86.8 M after distillation; ranks 8 (garment)
and 4 (masked person) are known, the layers are not. With the layers of OminiControl, 3,621,952
parameters per rank on FLUX.1, these sizes give both counts to 0.1 %:

    G-LoRA   rank 8,  without the single blocks' norm.linear    25,240,064
    MP-LoRA  rank 4                                             14,487,808    together 39,727,872
    D-LoRA   rank 13                                            47,085,376    together 86,813,248
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from typing_extensions import Required, TypedDict, Unpack

from models.diffusion.lora import LoRALayer, add_update, applied

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


class BranchSettings(TypedDict, total=False):
    """What differs between branches; see `BranchLoRA`."""

    rank: Required[int]
    without: Sequence[str]
    sigmas: Sequence[float] | None


GARMENT: BranchSettings = {"rank": 8, "without": ("norm.linear",)}
PERSON: BranchSettings = {"rank": 4}
DISTILLED: BranchSettings = {"rank": 13}


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
        self.updates: dict[str, LoRALayer] = {}
        self._add("x_embedder", LoRALayer(in_channels, width, rank))
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
                    update = LoRALayer(inputs * width, outputs * width, rank)
                    self._add(f"{kind}.{block}.{layer}", update)

    def _add(self, name: str, update: LoRALayer) -> None:
        add_update(self, name, update)
        self.updates[name] = update

    @classmethod
    def for_transformer(
        cls, transformer: FluxTransformer2DModel, **settings: Unpack[BranchSettings]
    ) -> BranchLoRA:
        """Return a new LoRA for this transformer; `settings` are rank, without and sigmas."""
        config = transformer.config
        return cls(
            width=transformer.inner_dim,
            in_channels=config["in_channels"],
            num_layers=config["num_layers"],
            num_single_layers=config["num_single_layers"],
            **settings,
        )

    def initialise(self, generator: torch.Generator) -> BranchLoRA:
        """Draw every update anew, so that nothing is changed yet."""
        for update in self.updates.values():
            update.initialise(generator)
        return self

    def applied(self) -> AbstractContextManager[None]:
        """Add this branch's updates to whatever passes through the transformer meanwhile."""
        return applied(self.updates)
