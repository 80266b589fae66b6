"""IMDN (arXiv 1909.11856): super-resolution that keeps a quarter of the features at each stage."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional as F

LEAK = 0.05


class ContrastAttention(nn.Module):
    """Channels weighed by their contrast: standard deviation plus mean over the picture."""

    def __init__(self, width: int, squeeze: int = 16) -> None:
        super().__init__()
        self.down = nn.Conv2d(width, width // squeeze, 1)
        self.up = nn.Conv2d(width // squeeze, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        contrast = x.std((2, 3), correction=0, keepdim=True) + x.mean((2, 3), keepdim=True)
        return x * self.up(F.relu(self.down(contrast))).sigmoid()


class MultiDistillation(nn.Module):
    """A block: three times keep a quarter, go on with the rest, and put all together."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.kept = width // 4
        rest = width - self.kept
        self.stages = nn.ModuleList(
            [
                nn.Conv2d(width, width, 3, padding=1),
                nn.Conv2d(rest, width, 3, padding=1),
                nn.Conv2d(rest, width, 3, padding=1),
                nn.Conv2d(rest, self.kept, 3, padding=1),
            ]
        )
        self.attention = ContrastAttention(width)
        self.together = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> the same."""
        kept, rest = [], x
        for stage in self.stages[:-1]:
            quarter, rest = F.leaky_relu(stage(rest), LEAK).tensor_split([self.kept], 1)
            kept.append(quarter)
        kept.append(self.stages[-1](rest))
        return x + self.together(self.attention(torch.cat(kept, 1)))


class IMDN(ModelMixin, ConfigMixin):
    """Enlarges a picture; 694,404 parameters at scale 2, 703,059 at 3, 715,176 at 4.

    Args:
        scale: 2, 3 or 4.
        width: of the features.
        blocks: how many.
    """

    @register_to_config
    def __init__(self, scale: int = 2, width: int = 64, blocks: int = 6) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, width, 3, padding=1)
        self.body = nn.ModuleList(MultiDistillation(width) for _ in range(blocks))
        self.fuse = nn.Conv2d(width * blocks, width, 1)
        self.smooth = nn.Conv2d(width, width, 3, padding=1)
        self.last = nn.Sequential(
            nn.Conv2d(width, 3 * scale * scale, 3, padding=1), nn.PixelShuffle(scale)
        )

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, 3, scale H, scale W)."""
        x = first = self.first(picture)
        outputs = []
        for block in self.body:
            x = block(x)
            outputs.append(x)
        fused = F.leaky_relu(self.fuse(torch.cat(outputs, 1)), LEAK)
        return self.last(first + self.smooth(fused))
