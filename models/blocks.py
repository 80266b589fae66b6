"""Blocks that several networks are made of: MobileNet's, a small U-Net and a feature pyramid."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from diffusers.configuration_utils import ConfigMixin
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional as F


def conv_bn(
    inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Return convolution, batch norm and ReLU6; height and width are divided by `stride`."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(),
    )


class InvertedResidual(nn.Module):
    """MobileNetV2's block: widen, filter each channel, narrow; added to its input if it fits.

    Args:
        inputs: channels in.
        outputs: channels out.
        stride: 1 or 2.
        expand: how many times wider the middle is; 1 leaves the widening out.
    """

    def __init__(self, inputs: int, outputs: int, stride: int = 1, expand: int = 6) -> None:
        super().__init__()
        middle = inputs * expand
        widen = [] if expand == 1 else [conv_bn(inputs, middle, kernel=1)]
        self.layers = nn.Sequential(
            *widen,
            conv_bn(middle, middle, stride=stride, groups=middle),
            nn.Conv2d(middle, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        return x + self.layers(x) if self.adds else self.layers(x)


class MobileEncoder(nn.Module):
    """A stem of stride 2 and inverted residuals; gives one feature map per stride.

    Args:
        inputs: channels of the picture.
        widths: channels at strides 2, 4, 8, ...
        depths: blocks at each stride.
        expand: widening of the blocks.
    """

    def __init__(
        self,
        inputs: int = 3,
        widths: Sequence[int] = (16, 24, 32, 64, 96),
        depths: Sequence[int] = (1, 2, 2, 2, 2),
        expand: int = 4,
    ) -> None:
        super().__init__()
        self.stem = conv_bn(inputs, widths[0], stride=2)
        stages, channels = [], widths[0]
        for index, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            blocks = []
            for number in range(depth):
                stride = 2 if index > 0 and number == 0 else 1
                blocks.append(InvertedResidual(channels, width, stride, expand if index else 1))
                channels = width
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps of (B, inputs, H, W), finest (H/2) first."""
        x, maps = self.stem(x), []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


class Pyramid(nn.Module):
    """Our encoder: a `MobileEncoder` and a pyramid narrow enough for a CPU.

    Instead of 256 channels and a full 3x3 convolution at every level, each level has `channels`
    and is smoothed by a depthwise 3x3 and a 1x1 of its own.

    Args:
        inputs: channels of the picture or condition.
        widths: channels of the encoder at strides 2, 4, 8, ...
        depths: blocks of the encoder at each stride.
        channels: channels of every level of the pyramid.
        expand: widening of the encoder's blocks.
        finest: the first stage that gets a level; 1 leaves out stride 2, whose level costs as much
            as all the others and moves a smooth flow by less than a pixel.
    """

    def __init__(
        self,
        inputs: int = 3,
        widths: Sequence[int] = (16, 24, 32, 64, 96),
        depths: Sequence[int] = (1, 2, 2, 2, 2),
        channels: int = 48,
        expand: int = 4,
        finest: int = 1,
    ) -> None:
        super().__init__()
        self.encoder = MobileEncoder(inputs, widths, depths, expand)
        self.finest = finest
        widths = widths[finest:]
        self.lateral = nn.ModuleList(nn.Conv2d(width, channels, 1) for width in widths)
        self.smooth = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
                nn.Conv2d(channels, channels, 1, bias=False),
                nn.BatchNorm2d(channels),
            )
            for _ in widths
        )
        self.context = nn.Conv2d(widths[-1], channels, 1)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return one map of (B, inputs, H, W) per level, finest first."""
        maps = self.encoder(x)[self.finest :]
        above = self.context(maps[-1].mean((2, 3), keepdim=True))
        levels: list[Tensor] = []
        for lateral, smooth, features in zip(
            reversed(self.lateral), reversed(self.smooth), reversed(maps), strict=True
        ):
            above = lateral(features) + resized(above, features)
            levels.append(smooth(above))
        return levels[::-1]


def separable(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    """Depthwise then pointwise convolution [MobileNet, arXiv:1704.04861].

    Halving uses an even kernel: an odd one would look a half pixel to the side, and a mirrored
    face would get another map.
    """
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_in, 2 + stride, stride, 1, groups=channels_in, bias=False),
        nn.BatchNorm2d(channels_in),
        nn.Conv2d(channels_in, channels_out, 1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(),
    )


class Level(nn.Module):
    """Halve, then look twice more at the same size, adding what is seen.

    Args:
        channels_in: before.
        channels_out: after.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.halve = separable(channels_in, channels_out, stride=2)
        self.refine = nn.ModuleList([separable(channels_out, channels_out) for _ in range(2)])

    def forward(self, features: Tensor) -> Tensor:
        """(B, channels_in, H, W) -> (B, channels_out, H / 2, W / 2)."""
        features = self.halve(features)
        for block in self.refine:
            features = features + block(features)
        return features


class SeparableUNet(ModelMixin, ConfigMixin):
    """What nets over an aligned face crop share: all but their heads."""

    def build(self, channels: int, widths: Sequence[int]) -> None:
        """Make the layers.

        Args:
            channels: of the crop.
            widths: channels at 1/2, 1/4, 1/8, ... of the crop's size.
        """
        steps = list(itertools.pairwise(widths))
        self.stem = nn.Sequential(
            nn.Conv2d(channels, widths[0], 4, 2, 1, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(),
        )
        self.down = nn.ModuleList([Level(fine, coarse) for fine, coarse in steps])
        self.up = nn.ModuleList([separable(coarse + fine, fine) for fine, coarse in steps])

    def body(self, crops: Tensor) -> Tensor:
        """(B, channels, S, S) -> (B, widths[0], S / 2, S / 2)."""
        skips = [self.stem(crops)]
        for level in self.down:
            skips.append(level(skips[-1]))
        features = skips.pop()
        for merge in reversed(self.up):
            features = merge(torch.cat([doubled(features), skips.pop()], dim=1))
        return features


def doubled(features: Tensor) -> Tensor:
    """(B, C, H, W) -> (B, C, 2 H, 2 W), bilinear."""
    return F.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)


def resized(x: Tensor, like: Tensor) -> Tensor:
    """Return `x` at the height and width of `like`, bilinear."""
    size = like.shape[-2:]
    if x.shape[-2:] == size:
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def count_parameters(*networks: nn.Module) -> int:
    """Return the number of parameters; within a network shared ones count once."""
    return sum(parameter.numel() for network in networks for parameter in network.parameters())
