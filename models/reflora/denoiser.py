"""FLUX-Makeup as a `Denoiser`: the condition is a source and a reference."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor

from models.diffusion.flux_denoiser import FluxDenoiser
from models.diffusion.flux_tokens import SOURCE, TARGET, position_ids
from models.diffusion.rectified_flow import Conditions
from models.reflora.injector import RefLoRAInjector


class MakeupDenoiser(FluxDenoiser):
    """Transformer and injector in one, so that any method can train both.

    Args:
        transformer: FLUX.1-Kontext or a small one.
        injector: of that transformer; it is installed.
        prompt: (1, T, D) embeddings of its tokens.
        pooled: (1, P) embedding of the whole.
        size_rc: rows and columns of a picture's tokens.
        blocks: numbers of the blocks `features` listens to.
    """

    def __init__(
        self,
        transformer: FluxTransformer2DModel,
        injector: RefLoRAInjector,
        prompt: Tensor,
        pooled: Tensor,
        size_rc: tuple[int, int],
        blocks: tuple[int, ...] = (),
    ) -> None:
        ids = torch.cat([position_ids(*size_rc, kind) for kind in (TARGET, SOURCE)])
        super().__init__(transformer, prompt, pooled, ids, blocks)
        self.injector, self.size_rc = injector, size_rc
        injector.install(transformer)

    def conditions(self, x_t: Tensor, cond: Tensor | None, guidance: float | Tensor) -> Conditions:
        """What it is conditioned on; `cond` is (B, 2 N, C), source and reference, or None."""
        if cond is None:
            return super().conditions(x_t, None, guidance)
        source, reference = cond.chunk(2, dim=1)
        conditions = super().conditions(x_t, source, guidance)
        return replace(conditions, attention={"reference": self.injector(reference, *self.size_rc)})

    def save_pretrained(self, folder: Path) -> None:
        """Write `transformer` and `injector` below a folder."""
        self.transformer.save_pretrained(folder / "transformer")
        self.injector.save_pretrained(folder / "injector")
