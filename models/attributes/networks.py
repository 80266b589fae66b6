"""The two networks that read product pictures; both are small enough for a CPU.

`ShadeFinder` analyses the whole picture: where shades are, where one ends and the next begins,
which of their pixels show the shade's own colour, and what kind of picture it is.
`FinishClassifier` judges what is measured of one shade: its finish, and the axes that finishes are
made of.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional as F

from models.blocks import Pyramid
from models.seeding import starts_at_zero


class Found(NamedTuple):
    """What `ShadeFinder` says; maps are logits at half the picture's size.

    Attributes:
        shade: (B, h, w), the pixel shows a shade's material.
        core: (B, h, w), the pixel lies in the inner part of one shade.
        tone: (B, h, w), the pixel shows the shade's own colour rather than light or shadow.
        kind: (B, K), what kind of picture it is.
    """

    shade: Tensor
    core: Tensor
    tone: Tensor
    kind: Tensor


class ShadeFinder(ModelMixin, ConfigMixin):
    """A mobile encoder and a narrow pyramid with four heads.

    Args:
        kinds: how many kinds of picture there are.
        widths: channels at strides 2, 4, 8, ...
        depths: blocks at each stride.
        channels: of the pyramid.
    """

    @register_to_config
    def __init__(
        self,
        kinds: int = 8,
        widths: tuple[int, ...] = (16, 24, 32, 56, 80),
        depths: tuple[int, ...] = (1, 2, 2, 2, 2),
        channels: int = 32,
    ) -> None:
        super().__init__()
        self.pyramid = Pyramid(3, widths, depths, channels, finest=0)
        self.maps = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
            nn.ReLU6(),
            nn.Conv2d(channels, 3, 1),
        )
        self.to_kind = starts_at_zero(nn.Linear(4 * channels, kinds))

    def forward(self, images: Tensor) -> Found:
        """Read (B, 3, H, W) pictures in [-1, 1]; H and W are multiples of 32."""
        levels = self.pyramid(images)
        maps = self.maps(levels[0])
        pooled = [pool for level in (levels[-1], levels[-3]) for pool in _pooled(level)]
        return Found(maps[:, 0], maps[:, 1], maps[:, 2], self.to_kind(torch.cat(pooled, 1)))


class ThreadInvariantLinear(nn.Linear):
    """A linear layer that gives the same bits whatever the number of threads.

    A matrix times one row is split over threads by outputs, and a share that is no multiple of the
    processor's vectors is summed in another order. Blocks of 32 outputs are not split, and whole
    vectors; several rows are split by rows.
    """

    def forward(self, input: Tensor) -> Tensor:
        """Return (B, out_features) for (B, in_features)."""
        if len(input) > 1:
            return super().forward(input)
        blocks = zip(self.weight.split(32), self.bias.split(32), strict=True)
        return torch.cat([F.linear(input, weight, bias) for weight, bias in blocks], -1)


class SeededDropout(nn.Module):
    """Dropout whose draws have an owner: nothing is left out unless a generator is given.

    Args:
        share: of the numbers that are left out, 0..1.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
        """Leave out some of x, of any shape, and scale up the rest by as much.

        Args:
            x: of any shape.
            generator: on the CPU; draws what is left out. Without it x comes back as it is.
        """
        if generator is None:
            return x
        kept = torch.rand(x.shape, generator=generator).to(x.device) >= self.share
        return x * kept / (1 - self.share)


class FinishClassifier(ModelMixin, ConfigMixin):
    """Three layers over the surface features of one shade.

    Args:
        signs: how many features are measured; saved folders have this name.
        finishes: how many finishes there are.
        axes: how many axes, each in 0..1.
        width: of the layers.
        dropout: share of each layer left out while it learns.
    """

    usual: Tensor
    spread: Tensor

    @register_to_config
    def __init__(
        self,
        signs: int = 112,
        finishes: int = 10,
        axes: int = 5,
        width: int = 256,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.register_buffer("usual", torch.zeros(signs))
        self.register_buffer("spread", torch.ones(signs))
        layers: list[nn.Module] = []
        for inputs in (signs, width):
            layers += [ThreadInvariantLinear(inputs, width), nn.ReLU(), SeededDropout(dropout)]
        self.layers = nn.Sequential(*layers)
        self.to_finish = starts_at_zero(ThreadInvariantLinear(width, finishes))
        self.to_axes = starts_at_zero(ThreadInvariantLinear(width, axes))

    def fit_statistics(self, features: Tensor) -> None:
        """Take the usual features, and how far they spread, from (N, K) examples."""
        self.usual.copy_(features.mean(0))
        self.spread.copy_(features.std(0) + 1e-3)

    def forward(
        self, features: Tensor, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Classify by (B, K) features; what lies beyond four deviations is taken as that.

        Args:
            features: (B, K).
            generator: draws what dropout leaves out while it learns; without it nothing is.

        Returns:
            Logits over finishes (B, F) and axes (B, A) in 0..1.
        """
        hidden = ((features - self.usual) / self.spread).clamp(-4, 4)
        for layer in self.layers:
            hidden = layer(hidden, generator) if isinstance(layer, SeededDropout) else layer(hidden)
        return self.to_finish(hidden), self.to_axes(hidden).sigmoid()


def _pooled(level: Tensor) -> tuple[Tensor, Tensor]:
    return level.mean((2, 3)), level.amax((2, 3))
