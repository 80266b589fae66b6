"""FLUX as a `Denoiser`: what drives the toys drives it.

Its guidance embedder is a second embedder of times, so it serves for what else a student is told:
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


def heard(t: Tensor, told: dict[str, Tensor]) -> Tensor | None:
    """What a network hears of what it is told: the length of a jump, the guidance, or the step."""
    if "r" in told:
        return t - told["r"]
    return told.get("w", told.get("step"))


@dataclass(frozen=True)
class Told:
    """A FLUX that was told its conditions once and for all, as a `Denoiser`.

    Attributes:
        transformer: FLUX with a guidance embedder.
        conditions: of every batch it will see; their guidance is told where nothing else is.
    """

    transformer: FluxTransformer2DModel
    conditions: Conditions

    def velocity(self, x_t: Tensor, t: Tensor, cond: Any = None, **told: Tensor) -> Tensor:
        """Return v, (B, N, C); `cond` is not looked at."""
        found = heard(t, told)
        conditions = self.conditions if found is None else replace(self.conditions, guidance=found)
        return velocity(self.transformer, x_t, t, conditions)


class FluxDenoiser(nn.Module):
    """A FLUX transformer with one prompt; the condition is the context that follows the target.

    Args:
        transformer: FLUX; without a guidance embedder it hears nothing but t (see `hearing`).
        prompt: (1, T, D) embeddings of its tokens.
        pooled: (1, P) embedding of the whole.
        ids: (N + M, 3) places of target and context.
        blocks: numbers of the blocks `features` listens to.
        guidance: told where nothing else is.
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

    def velocity(self, x_t: Tensor, t: Tensor, cond: Any = None, **told: Tensor) -> Tensor:
        """Return v, (B, N, C); see `Denoiser`.

        Args:
            x_t: (B, N, C) packed latents.
            t: (B,).
            cond: (B, M, C) packed latents of the context, or None to leave it out.
            told: `r` is heard as t - r; of several, `r`, then `w`, then `step` is heard.
        """
        found = heard(t, told)
        conditions = self.conditions(x_t, cond, self.guidance if found is None else found)
        return velocity(self.transformer, x_t, t, conditions)

    def conditions(self, x_t: Tensor, cond: Any, guidance: float | Tensor) -> Conditions:
        """What the transformer is told besides x_t and t."""
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
        self, x_t: Tensor, t: Tensor, cond: Any = None, **told: Tensor
    ) -> dict[int, Tensor]:
        """Return the tokens that leave `blocks`, (B, tokens, width) by block; for `TokenHeads`."""
        with capture_features(self.transformer, self.blocks) as heard:
            self.velocity(x_t, t, cond, **told)
        return heard


@torch.no_grad()
def hearing(transformer: FluxTransformer2DModel) -> FluxTransformer2DModel:
    """Return a copy that can be told more than the time, which changes nothing yet.

    The guidance embedder begins as the timestep's, its last layer at zero. (FLUX.1-dev has one.)
    """
    config = dict(transformer.config) | {"guidance_embeds": True}
    copy: FluxTransformer2DModel = FluxTransformer2DModel.from_config(config)  # pyright: ignore
    copy.load_state_dict(transformer.state_dict(), strict=transformer.config["guidance_embeds"])
    if not transformer.config["guidance_embeds"]:
        clocks: Any = copy.time_text_embed
        clocks.guidance_embedder.load_state_dict(clocks.timestep_embedder.state_dict())
        nn.init.zeros_(clocks.guidance_embedder.linear_2.weight)
        nn.init.zeros_(clocks.guidance_embedder.linear_2.bias)
    return copy
