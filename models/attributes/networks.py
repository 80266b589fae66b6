"""The two networks that read product pictures; both are small enough for a CPU.

`ShadeFinder` looks at the whole picture: where shades are, where one ends and the next begins,
which of their pixels show the shade's own colour, and what kind of picture it is. `FinishReader`
looks at one shade: its finish, and the axes that finishes are made of.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from models.dmvton.encoders import MobileEncoder, Pyramid


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
        self.to_kind = nn.Linear(4 * channels, kinds)
        self.to_kind.starts_at_zero = True  # pyright: ignore - read by seeding.initialise

    def forward(self, images: Tensor) -> Found:
        """Read (B, 3, H, W) pictures in [-1, 1]; H and W are multiples of 32."""
        levels = self.pyramid(images)
        maps = self.maps(levels[0])
        pooled = [pool for level in (levels[-1], levels[-3]) for pool in _pooled(level)]
        return Found(maps[:, 0], maps[:, 1], maps[:, 2], self.to_kind(torch.cat(pooled, 1)))


class FinishReader(ModelMixin, ConfigMixin):
    """An encoder over several views of one shade; what it sees in them is averaged.

    Args:
        finishes: how many finishes there are.
        axes: how many axes, each in 0..1.
        widths: channels at strides 2, 4, 8, ...
        depths: blocks at each stride.
        features: of a shade, before the heads.
    """

    @register_to_config
    def __init__(
        self,
        finishes: int = 10,
        axes: int = 5,
        widths: tuple[int, ...] = (16, 24, 48, 80),
        depths: tuple[int, ...] = (1, 1, 2, 2),
        features: int = 96,
    ) -> None:
        super().__init__()
        self.encoder = MobileEncoder(4, widths, depths)
        pooled = 2 * (widths[0] + widths[1] + widths[-1])
        self.from_afar = nn.Linear(pooled, features)
        self.from_close = nn.Linear(pooled, features)
        self.to_finish = nn.Linear(features, finishes)
        self.to_axes = nn.Linear(features, axes)
        for head in (self.to_finish, self.to_axes):
            head.starts_at_zero = True  # pyright: ignore - read by seeding.initialise

    def forward(self, views: Tensor) -> tuple[Tensor, Tensor]:
        """Read (B, V, 4, S, S) views, the first from afar, V >= 2; see `crops.network_views`.

        Returns:
            Logits over finishes (B, F) and axes (B, A) in 0..1.
        """
        each = views.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        inside = each[:, 3:]
        maps = self.encoder(each)
        pooled = [pool for level in (maps[0], maps[1], maps[-1]) for pool in _within(level, inside)]
        seen = torch.cat(pooled, 1).unflatten(0, views.shape[:2])
        afar, close = self.from_afar(seen[:, 0]), self.from_close(seen[:, 1:]).mean(1)
        features = F.relu6(afar + close)
        return self.to_finish(features), self.to_axes(features).sigmoid()


def _pooled(level: Tensor) -> tuple[Tensor, Tensor]:
    return level.mean((2, 3)), level.amax((2, 3))


def _within(level: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of a level over the shade, (B, C) each; `inside` is (B, 1, S, S)."""
    weight = F.adaptive_avg_pool2d(inside, level.shape[2:]) + 1e-3
    weight = weight / weight.sum((2, 3), keepdim=True)
    mean = (level * weight).sum((2, 3))
    spread = ((level - mean[:, :, None, None]).square() * weight).sum((2, 3))
    return mean, (spread + 1e-4).sqrt()
