"""A tiny net learns to paint one look as the instant pipeline does."""

from __future__ import annotations

import torch
from torch import Tensor

from models.small.tiny_beauty import TinyBeauty
from training.loop import Method

FULL = 0.25
"""Change of a pixel, of [-1, 1], from which on it has the whole extra weight."""


def emphasis(bare: Tensor, made_up: Tensor) -> Tensor:
    """Weight of each pixel, (B, 1, H, W): 1 where nothing is painted, up to 10 where much is."""
    painted = (made_up - bare).abs().amax(1, keepdim=True)
    return 1 + 9 * (painted / FULL).clamp(max=1)


class TinyBeautyMethod(Method):
    """Squared differences of colours and of edges; where the teacher paints counts ten times.

    Not absolute ones: a fine line is off most pixels it might be on, and the median of what they
    show is bare skin, so that a net trained on absolute differences draws no eyeliner at all.

    Args:
        net: trained.
    """

    def __init__(self, net: TinyBeauty) -> None:
        self.networks = {"net": net}
        self.phases = {"net": ("net",)}
        self.net = net

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return `colours` and `edges`.

        Args:
            batch: `bare` and `made_up`, (B, 3, S, S) in [-1, 1].
            generator: nothing is drawn.
            phase: "net".
        """
        bare = batch["bare"].contiguous(memory_format=torch.channels_last)
        made_up = batch["made_up"]
        error = self.net(bare) - made_up
        weight = emphasis(bare, made_up)
        across, down = error.diff(dim=3).square(), error.diff(dim=2).square()
        return {
            "colours": (weight * error.square()).mean(),
            "edges": (weight[..., 1:] * across).mean() + (weight[..., 1:, :] * down).mean(),
        }
