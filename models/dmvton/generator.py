"""The Mobile Generative Module of DM-VTON, and how its output becomes a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.blocks import InvertedResidual, MobileEncoder, conv_bn, resized
from models.dmvton.flow import resize_flow, sample

# Light on the garment lies between exp(-this) and exp(this).
_DARKEST = 0.8


@dataclass(frozen=True)
class TryOn:
    """A try-on and its ingredients; pictures are (B, 3, H, W) in [-1, 1].

    Attributes:
        image: the try-on.
        rendered: what the generator painted.
        warped_garment: the garment moved into place.
        warped_mask: (B, 1, H, W) in [0, 1], where the moved garment is.
        garment_share: (B, 1, H, W) in [0, 1], how much of each pixel is the moved garment.
        person_share: (B, 1, H, W) in [0, 1], how much is the person as given; zeros in the
            published form.
        shade: (B, 1, H, W), the light on the moved garment: its pixels, black as 0, are multiplied
            by it; ones in the published form.
        flow: (B, H, W, 2), sampling grid into the garment.
    """

    image: Tensor
    rendered: Tensor
    warped_garment: Tensor
    warped_mask: Tensor
    garment_share: Tensor
    person_share: Tensor
    shade: Tensor
    flow: Tensor


class PublishedGenerator(nn.Module):
    """MobileNetV2_unet(7, 4) of the paper: 2,179,736 parameters.

    Args:
        inputs: 7 = person, warped garment and its mask; 8 for the parser-based teacher.
        outputs: 4 = picture and mask.
    """

    def __init__(self, inputs: int = 7, outputs: int = 4) -> None:
        super().__init__()
        self.stem = conv_bn(inputs, 32, stride=2)
        sizes = (32, 16, 24, 32, 64, 96, 160, 320)
        strides = (1, 2, 2, 2, 1, 2, 1)
        self.blocks = nn.ModuleList(
            InvertedResidual(sizes[i], sizes[i + 1], strides[i], expand=1 if i == 0 else 6)
            for i in range(7)
        )
        self.top = conv_bn(320, 512, kernel=1)
        wide = (512, 96, 32, 24, 16)
        self.up = nn.ModuleList(nn.ConvTranspose2d(wide[i], wide[i + 1], 4, 2, 1) for i in range(4))
        self.merge = nn.ModuleList(
            InvertedResidual(2 * width, width, expand=6) for width in wide[1:]
        )
        self.head = nn.Conv2d(16, outputs, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H, W); H and W multiples of 32."""
        x = self.stem(x)
        maps: list[Tensor] = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        x = self.top(x)
        for up, merge, skip in zip(
            self.up, self.merge, (maps[4], maps[2], maps[1], maps[0]), strict=True
        ):
            x = merge(torch.cat([up(x), skip], 1))
        return self.head(F.interpolate(x, scale_factor=2.0, mode="nearest"))


class LightGenerator(nn.Module):
    """Our generator: a narrower U-Net that keeps its last step at full resolution.

    The published one ends by doubling a half-size map; edges and lettering are then drawn at half
    size. Here one thin 3x3 layer sees the input again at full size.

    Args:
        inputs: channels in.
        outputs: channels out.
        widths: channels at strides 2, 4, 8, 16, 32.
        depths: blocks at each stride.
        expand: widening of the blocks.
    """

    def __init__(
        self,
        inputs: int = 7,
        outputs: int = 6,
        widths: Sequence[int] = (16, 24, 40, 64, 112),
        depths: Sequence[int] = (1, 2, 2, 2, 2),
        expand: int = 4,
    ) -> None:
        super().__init__()
        self.encoder = MobileEncoder(inputs, widths, depths, expand)
        self.up = nn.ModuleList(
            InvertedResidual(coarse + fine, fine, 1, 2)
            for coarse, fine in zip(widths[1:], widths[:-1], strict=True)
        )
        self.full = conv_bn(widths[0] + inputs, 16)
        self.head = nn.Conv2d(16, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H, W); H and W multiples of 32."""
        maps = self.encoder(x)
        y = maps[-1]
        for up, skip in zip(reversed(self.up), reversed(maps[:-1]), strict=True):
            y = up(torch.cat([resized(y, skip), skip], 1))
        return self.head(self.full(torch.cat([resized(y, x), x], 1)))


def published_blend(output: Tensor, warped: Tensor, mask: Tensor, flow: Tensor) -> TryOn:
    """Compose as the paper does: the garment through a mask, the rest painted."""
    rendered = torch.tanh(output[:, :3])
    share = torch.sigmoid(output[:, 3:4]) * mask
    image = warped * share + rendered * (1 - share)
    nothing, unshaded = torch.zeros_like(share), torch.ones_like(share)
    return TryOn(image, rendered, warped, mask, share, nothing, unshaded, flow)


def three_way_blend(
    output: Tensor, person: Tensor, warped: Tensor, mask: Tensor, flow: Tensor
) -> TryOn:
    """Compose from three sources: the person as given, the garment in their light, and paint.

    Where the person is kept, its pixels are kept exactly; the paper repaints face and background.
    The paper takes the garment's pixels as photographed flat, too; here folds and the room's light
    fall on them. That light is one channel and smooth, so that hue and print stay the shop's.

    Args:
        output: (B, 6, H, W): paint, evidence for the garment, for the person, and light.
        person: (B, 3, H, W) in [-1, 1].
        warped: (B, 3, H, W) in [-1, 1].
        mask: (B, 1, H, W), where the moved garment is.
        flow: passed on.
    """
    rendered = torch.tanh(output[:, :3])
    garment = torch.sigmoid(output[:, 3:4]) * mask
    kept = torch.sigmoid(output[:, 4:5]) * (1 - garment)
    smooth = F.avg_pool2d(output[:, 5:6], 5, 1, 2, count_include_pad=False)
    shade = torch.exp(_DARKEST * torch.tanh(smooth))
    image = lit(warped, shade) * garment + person * kept + rendered * (1 - garment - kept)
    return TryOn(image, rendered, warped, mask, garment, kept, shade, flow)


def lit(garment: Tensor, shade: Tensor) -> Tensor:
    """Multiply a picture in [-1, 1] by light, black staying black; it may exceed 1."""
    return (garment + 1) * shade - 1


def enlarge(small: TryOn, person: Tensor, garment: Tensor, mask: Tensor) -> TryOn:
    """Repeat a try-on at a larger size: the flow samples the full-size garment.

    Shares, light and paint are enlarged, so paint stays as soft as it was; the garment's print and
    the person's own pixels are as sharp as they came.

    Args:
        small: the try-on at the network's size.
        person: (B, 3, H, W) in [-1, 1].
        garment: (B, 3, h, w) in [-1, 1] of any size, flat, 0 off the garment.
        mask: (B, 1, h, w), 1 where the garment is.
    """
    flow = resize_flow(small.flow, person.shape[-2:])
    warped, warped_mask = sample(garment, flow), sample(mask, flow, "zeros")
    share = torch.minimum(resized(small.garment_share, person), warped_mask)
    kept = torch.minimum(resized(small.person_share, person), 1 - share)
    rendered = resized(small.rendered, person)
    shade = resized(small.shade, person)
    image = lit(warped, shade) * share + person * kept + rendered * (1 - share - kept)
    return TryOn(image.clamp(-1, 1), rendered, warped, warped_mask, share, kept, shade, flow)
