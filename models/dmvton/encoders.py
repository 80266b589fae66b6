"""The published feature pyramid of DM-VTON (arXiv 2308.13798)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from models.blocks import InvertedResidual, conv_bn


class PublishedPyramid(nn.Module):
    """The published encoder: MobileNetV2 with a feature pyramid of 256 channels.

    1,504,704 parameters with three input channels. The five output maps of a 256x192 picture are
    128x96, 64x48, 32x24, 16x12 and 8x6. One smoothing convolution serves all levels: the published
    code writes `[Conv] * 5`, which repeats one instance, and its weights are counted that way.

    Args:
        inputs: channels of the picture or condition.
        channels: channels of every level of the pyramid.
    """

    widths = (16, 24, 32, 64, 96, 160, 320)

    def __init__(self, inputs: int = 3, channels: int = 256) -> None:
        super().__init__()
        # The published first block widens by 1, which is one more 1x1 convolution.
        self.stem = nn.Sequential(conv_bn(inputs, 32), conv_bn(32, 32, kernel=1))
        sizes = (32, *self.widths)
        strides = (1, 2, 2, 2, 2, 2, 1)
        self.blocks = nn.ModuleList(
            InvertedResidual(sizes[i], sizes[i + 1], strides[i], expand=1 if i == 0 else 6)
            for i in range(7)
        )
        self.top = nn.Conv2d(320, channels, 1)
        self.lateral = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in self.widths[1:6])
        self.smooth = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return five maps of (B, inputs, H, W), finest (H/2, W/2) first."""
        x, maps = self.stem(x), []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        above = self.top(F.adaptive_avg_pool2d(maps[-1], 1))
        levels: list[Tensor] = []
        for lateral, features in zip(reversed(self.lateral), reversed(maps[1:6]), strict=True):
            here = lateral(features)
            size = here.shape[-2:]
            above = here + F.interpolate(above, size=size, mode="bilinear", align_corners=False)
            levels.append(self.smooth(above))
        return levels[::-1]
