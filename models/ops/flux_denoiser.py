"""FLUX as a `Denoiser`: what drives the toys drives it.

Its guidance embedder is a second embedder of times, so it serves for what else a student is told:
the length of a jump, the step's number, or the guidance itself.
"""

from __future__ import annotations

from typing import Any

from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn

from models.mcvton.discriminator import listening
from models.ops.rectified_flow import Conditions, velocity


class FluxDenoiser(nn.Module):
    """A FLUX transformer with one prompt; the condition is the context that follows the target.

    Args:
        transformer: FLUX with a guidance embedder.
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
        count = len(x_t)
        heard = told.get("w", told.get("step", self.guidance))
        if "r" in told:
            heard = t - told["r"]
        places = self.ids if cond is not None else self.ids[: x_t.shape[1]]
        conditions = Conditions(
            prompt=self.prompt.expand(count, -1, -1),
            pooled=self.pooled.expand(count, -1),
            context=cond,
            ids=places,
            guidance=heard,
            attention={},
        )
        return velocity(self.transformer, x_t, t, conditions)

    def features(
        self, x_t: Tensor, t: Tensor, cond: Any = None, **told: Tensor
    ) -> dict[int, Tensor]:
        """Return the tokens that leave `blocks`, (B, tokens, width) by block; for `TokenHeads`."""
        with listening(self.transformer, self.blocks) as heard:
            self.velocity(x_t, t, cond, **told)
        return heard
