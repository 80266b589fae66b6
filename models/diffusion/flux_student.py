"""A few-step student, or the critic of one, as a low-rank change of a FLUX that stays as it is.

    adapter = StudentLoRA.for_transformer(transformer, rank=64).initialise(generator)
    attach(transformer, adapter.layers)
    student = LoRADenoiser(FluxDenoiser(transformer, ...), adapter)

Students, critics and teacher can share one transformer; a student's file holds its change alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn

from models.diffusion.few_step import Network
from models.diffusion.flux_denoiser import guidance_input
from models.diffusion.lora import LoRALayer, Updates, add_update, applied

_STREAM = {"attn.to_q": (1, 1), "attn.to_k": (1, 1), "attn.to_v": (1, 1)}
DOUBLE = _STREAM | {
    "attn.to_out.0": (1, 1),
    "attn.add_q_proj": (1, 1),
    "attn.add_k_proj": (1, 1),
    "attn.add_v_proj": (1, 1),
    "attn.to_add_out": (1, 1),
    "ff.net.0.proj": (1, 4),
    "ff.net.2": (4, 1),
    "ff_context.net.0.proj": (1, 4),
    "ff_context.net.2": (4, 1),
}
"""Layers that are changed in double-stream blocks: name -> inputs, outputs, in widths of FLUX."""
SINGLE = _STREAM | {"proj_mlp": (1, 4), "proj_out": (5, 1)}
"""Likewise in single-stream blocks."""
TIME_EMBEDDER = "time_text_embed"


class StudentLoRA(ModelMixin, ConfigMixin):
    """Low-rank updates of all attention and feed-forward layers, and a second time embedder.

    FLUX embeds the time and the guidance. A student's extra condition, the length of a jump or the
    number of a step, has an embedder of its own, whose last layer begins at zero. So a new student
    is its teacher bit for bit, whatever the extra conditions.

    Args:
        rank: of every update; with 0 there is none.
        width: of FLUX's tokens.
        num_layers, num_single_layers: blocks of FLUX.
    """

    @register_to_config
    def __init__(
        self,
        rank: int = 64,
        width: int = 3072,
        num_layers: int = 19,
        num_single_layers: int = 38,
    ) -> None:
        super().__init__()
        self.updates: dict[str, LoRALayer] = {}
        kinds = (
            ("transformer_blocks", num_layers, DOUBLE),
            ("single_transformer_blocks", num_single_layers, SINGLE),
        )
        for kind, count, table in kinds if rank else ():
            for block in range(count):
                for layer, (inputs, outputs) in table.items():
                    update = LoRALayer(inputs * width, outputs * width, rank)
                    self.updates[f"{kind}.{block}.{layer}"] = update
        for name, update in self.updates.items():
            add_update(self, name, update)
        self.waves = Timesteps(256, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.add_module("clock", TimestepEmbedding(256, width))  # the name in saved files
        nn.init.zeros_(self.time_embedder.linear_2.weight)
        nn.init.zeros_(self.time_embedder.linear_2.bias)

    @property
    def time_embedder(self) -> TimestepEmbedding:
        """Embeds an extra condition as FLUX embeds the time."""
        return cast(TimestepEmbedding, self.get_submodule("clock"))

    @classmethod
    def for_transformer(cls, transformer: FluxTransformer2DModel, rank: int) -> StudentLoRA:
        """Return one of this transformer's sizes."""
        config = transformer.config
        return cls(rank, transformer.inner_dim, config["num_layers"], config["num_single_layers"])

    def initialise(self, generator: torch.Generator) -> StudentLoRA:
        """Draw the weights; nothing is changed yet."""
        for update in self.updates.values():
            update.initialise(generator)
        nn.init.kaiming_normal_(self.time_embedder.linear_1.weight, generator=generator)
        nn.init.zeros_(self.time_embedder.linear_1.bias)
        return self

    @property
    def layers(self) -> Updates:
        """Every layer of a transformer that may be changed, for `attach`."""
        return {**self.updates, TIME_EMBEDDER: self.embed_extra}

    def embed_extra(self, condition: Tensor) -> Tensor:
        """Return what is added to FLUX's embedding of the time, (B, width), of a number (B,)."""
        return self.time_embedder(self.waves(1000 * condition).to(self.dtype))

    def updates_for(self, condition: Tensor | None) -> Updates:
        """Return the updates of a batch with an extra condition (B,), or with none."""
        if condition is None:
            return self.updates
        return {**self.updates, TIME_EMBEDDER: lambda _: self.embed_extra(condition)}


class LoRADenoiser(nn.Module):
    """A denoiser with a change; of the two only the change is its own to train and save.

    Args:
        base: on a transformer the adapter's layers are attached to.
        adapter: the change.
    """

    def __init__(self, base: Network, adapter: StudentLoRA) -> None:
        super().__init__()
        self.adapter = adapter
        self._base = (base,)  # in a tuple it is no submodule

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return v, (B, ...); see `Denoiser`. `guidance_input` picks an extra condition."""
        with applied(self.adapter.updates_for(guidance_input(t, extra))):
            return self._base[0].velocity(x_t, t, cond)

    def features(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> dict[int, Tensor]:
        """Return the changed network's features, as the base does."""
        with applied(self.adapter.updates_for(guidance_input(t, extra))):
            return self._base[0].features(x_t, t, cond)

    def save_pretrained(self, folder: Path) -> None:
        """Write the change to a folder, for `StudentLoRA.from_pretrained`."""
        self.adapter.save_pretrained(folder)
