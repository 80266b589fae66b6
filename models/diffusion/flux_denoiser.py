"""FLUX as a `Denoiser`: what drives the toys drives it.

Its guidance embedder is a second embedder of times, so it serves for a student's extra condition:
the length of a jump, the step's number, or the guidance itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn

from models.diffusion.rectified_flow import Conditions, velocity
from models.diffusion.token_discriminator import capture_features


def guidance_input(t: Tensor, extra: dict[str, Tensor]) -> Tensor | None:
    """Return what goes into the guidance embedder: t - r of a jump, the guidance, or the step."""
    if "r" in extra:
        return t - extra["r"]
    return extra.get("w", extra.get("step"))


@dataclass(frozen=True)
class ConditionedDenoiser:
    """A FLUX whose conditions are fixed, as a `Denoiser`.

    Attributes:
        transformer: FLUX with a guidance embedder.
        conditions: of every batch it will see; their guidance stands in for no extra condition.
    """

    transformer: FluxTransformer2DModel
    conditions: Conditions

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return v, (B, N, C); `cond` is ignored."""
        found = guidance_input(t, extra)
        conditions = self.conditions if found is None else replace(self.conditions, guidance=found)
        return velocity(self.transformer, x_t, t, conditions)


class FluxDenoiser(nn.Module):
    """A FLUX transformer with one prompt; the condition is the context that follows the target.

    Args:
        transformer: FLUX; where it has no guidance embedder it takes t alone.
        prompt: (1, T, D) embeddings of its tokens.
        pooled: (1, P) embedding of the whole.
        ids: (N + M, 3) places of target and context.
        blocks: numbers of the blocks that `features` captures.
        guidance: goes in where there is no extra condition.
    """

    prompt: Tensor
    pooled: Tensor
    ids: Tensor

    def __init__(
        self,
        transformer: FluxTransformer2DModel,
        prompt: Tensor,
        pooled: Tensor,
        ids: Tensor,
        blocks: tuple[int, ...] = (),
        guidance: float = 1.0,
    ) -> None:
        super().__init__()
        self.transformer, self.blocks, self.guidance = transformer, blocks, guidance
        self.register_buffer("prompt", prompt, persistent=False)
        self.register_buffer("pooled", pooled, persistent=False)
        self.register_buffer("ids", ids, persistent=False)

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return v, (B, N, C); see `Denoiser`.

        Args:
            x_t: (B, N, C) packed latents.
            t: (B,).
            cond: (B, M, C) packed latents of the context, or None to leave it out.
            extra: see `guidance_input`; of several, `r`, then `w`, then `step` is taken.
        """
        found = guidance_input(t, extra)
        conditions = self.conditions(x_t, cond, self.guidance if found is None else found)
        return velocity(self.transformer, x_t, t, conditions)

    def conditions(self, x_t: Tensor, cond: Tensor | None, guidance: float | Tensor) -> Conditions:
        """What the transformer is conditioned on besides x_t and t."""
        count = len(x_t)
        return Conditions(
            prompt=self.prompt.expand(count, -1, -1),
            pooled=self.pooled.expand(count, -1),
            context=cond,
            ids=self.ids if cond is not None else self.ids[: x_t.shape[1]],
            guidance=guidance if self.transformer.config["guidance_embeds"] else None,
            attention={},
        )

    def features(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> dict[int, Tensor]:
        """Return the tokens that leave `blocks`, (B, tokens, width) by block; for `TokenHeads`."""
        with capture_features(self.transformer, self.blocks) as captured:
            self.velocity(x_t, t, cond, **extra)
        return captured


@torch.no_grad()
def with_guidance_embedder(transformer: FluxTransformer2DModel) -> FluxTransformer2DModel:
    """Return a copy that takes an extra condition beside the time; it changes nothing yet.

    The guidance embedder begins as the timestep's, its last layer at zero. (FLUX.1-dev has one.)
    """
    config = dict(transformer.config) | {"guidance_embeds": True}
    copy: FluxTransformer2DModel = FluxTransformer2DModel.from_config(config)  # pyright: ignore
    copy.load_state_dict(transformer.state_dict(), strict=transformer.config["guidance_embeds"])
    if not transformer.config["guidance_embeds"]:
        embedders: Any = copy.time_text_embed
        embedders.guidance_embedder.load_state_dict(embedders.timestep_embedder.state_dict())
        nn.init.zeros_(embedders.guidance_embedder.linear_2.weight)
        nn.init.zeros_(embedders.guidance_embedder.linear_2.bias)
    return copy
