"""MobileNetV2 blocks and the feature pyramids of DM-VTON (arXiv 2308.13798)."""

from __future__ import annotations

from collections.abc import Sequence

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


def resized(x: Tensor, like: Tensor) -> Tensor:
    """Return `x` at the height and width of `like`, bilinear."""
    size = like.shape[-2:]
    if x.shape[-2:] == size:
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def load_matching(network: nn.Module, state: dict[str, Tensor]) -> int:
    """Copy the tensors of `state` whose name and shape fit; return how many did.

    The stem of a condition with other channels, for instance, keeps its own weights.
    """
    own = network.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    network.load_state_dict(fitting, strict=False)
    return len(fitting)


def count_parameters(network: nn.Module) -> int:
    """Return the number of parameters; shared ones count once."""
    return sum(parameter.numel() for parameter in network.parameters())
