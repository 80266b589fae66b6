"""Learn FLUX-Makeup's injector: rectified flow on the target's tokens (arXiv 2508.05069).

The paper's training code is not published. Ours is the standard objective for this base, with the
reference made from the target itself, warped so that its geometry is of no use:

    x_s = (1 - s) x_0 + s eps        loss = mean |v(x_s, s; source, reference) - (eps - x_0)|^2
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor

from models.diffusion.flux_tokens import SOURCE, TARGET, position_ids
from models.diffusion.rectified_flow import Conditions, denoise, velocity
from models.reflora.injector import RefLoRAInjector
from training.loop import Method
from training.losses import flow

SAMPLING_GUIDANCE = 2.5


class RefLoRA(Method):
    """Trains the injector; the transformer stays frozen unless `whole`.

    Args:
        injector: its weights drawn.
        transformer: FLUX.1-Kontext.
        rows: of the target's tokens.
        columns: of the target's tokens.
        precision: what the forward pass computes in; the injector's own weights are float32.
        whole: train the transformer, too; only toys can.
        guidance: what a guidance-distilled transformer is given while it learns.
        checkpointing: recompute activations in the backward pass.
        emphasis: how much more tokens count where the target differs from the source; the paper
            has none. With 1 they are half of the loss however few they are.
    """

    def __init__(
        self,
        injector: RefLoRAInjector,
        transformer: FluxTransformer2DModel,
        rows: int,
        columns: int,
        precision: torch.dtype = torch.float32,
        whole: bool = False,
        guidance: float = 1.0,
        checkpointing: bool = True,
        emphasis: float = 0.0,
    ) -> None:
        injector.install(transformer)
        transformer.requires_grad_(False).eval()
        if checkpointing:
            transformer.enable_gradient_checkpointing()
        self.injector, self.transformer = injector, transformer
        # A frozen transformer is in no checkpoint: it can be had where it came from.
        self.networks = {"injector": injector} | ({"transformer": transformer} if whole else {})
        self.phases = {"flow": tuple(self.networks)}
        self.rows, self.columns = rows, columns
        self.precision, self.guidance, self.emphasis = precision, guidance, emphasis

    def conditions(self, batch: dict[str, Tensor], guidance: float) -> Conditions:
        """The conditions of the transformer for a batch of `FluxLatents`."""
        reference = self.injector(batch["reference"], self.rows, self.columns)
        ids = [position_ids(self.rows, self.columns, kind) for kind in (TARGET, SOURCE)]
        return Conditions(
            batch["prompt"],
            batch["pooled"],
            batch["source"],
            torch.cat(ids).to(batch["source"].device),
            guidance if self.transformer.config["guidance_embeds"] else None,
            {"reference": reference},
        )

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return `velocity`, the weighted squared error, for a batch of `FluxLatents`."""
        device = batch["target"].device.type
        with torch.autocast(device, self.precision, enabled=self.precision != torch.float32):
            noisy = flow.add_noise(batch["target"], batch["noise"], batch["sigma"])
            found = velocity(
                self.transformer, noisy, batch["sigma"], self.conditions(batch, self.guidance)
            )
        error = (found.float() - (batch["noise"] - batch["target"])).square().mean(-1)
        changed = (batch["target"] - batch["source"]).square().mean(-1)
        weight = 1 + self.emphasis * changed / changed.mean().clamp_min(1e-6)
        return {"velocity": (weight * error).mean() / weight.mean()}

    @torch.no_grad()
    def sample(self, batch: dict[str, Tensor], scheduler: Any, steps: int = 8) -> Tensor:
        """Paint the batch's sources from its noise: (B, N, C) packed latents."""
        device = batch["target"].device.type
        with torch.autocast(device, self.precision, enabled=self.precision != torch.float32):
            conditions = self.conditions(batch, SAMPLING_GUIDANCE)
            return denoise(self.transformer, scheduler, batch["noise"], steps, conditions).float()
