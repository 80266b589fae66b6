"""The parser-free student: a person and a flat garment in, the person wearing it out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor
from torch.nn import functional as F

from models.blocks import Pyramid
from models.dmvton.encoders import PublishedPyramid
from models.dmvton.flow import FlowNet, Warp, sample
from models.dmvton.generator import (
    LightGenerator,
    PublishedGenerator,
    TryOn,
    published_blend,
    three_way_blend,
)


class PublishedStudent(ModelMixin, ConfigMixin):
    """DM-VTON's student as published (arXiv 2308.13798): 9,350,124 parameters, 37.6 MB.

    Args:
        channels: channels of the pyramids.
    """

    @register_to_config
    def __init__(self, channels: int = 256) -> None:
        super().__init__()
        self.garment_encoder = PublishedPyramid(3, channels)
        self.person_encoder = PublishedPyramid(3, channels)
        self.flow = FlowNet(channels)
        self.generator = PublishedGenerator(7, 4)

    def warp(self, person: Tensor, garment: Tensor) -> Warp:
        """Find where the garment goes; both (B, 3, H, W) in [-1, 1]."""
        return self.flow(
            self.garment_encoder(garment), self.person_encoder(person), person.shape[-2:]
        )

    def paint(self, person: Tensor, garment: Tensor, mask: Tensor, flow: Tensor) -> TryOn:
        """Put the garment on along a flow; see `forward`."""
        warped = sample(garment, flow)
        warped_mask = sample(mask, flow, "zeros")
        output = self.generator(torch.cat([person, warped, warped_mask], 1))
        return published_blend(output, warped, warped_mask, flow)

    def forward(self, person: Tensor, garment: Tensor, mask: Tensor) -> tuple[TryOn, Warp]:
        """Try a garment on.

        Args:
            person: (B, 3, H, W) in [-1, 1]; H and W multiples of 32.
            garment: (B, 3, H, W) in [-1, 1], flat.
            mask: (B, 1, H, W), 1 where the garment is.
        """
        mask = (mask > 0.5).to(person.dtype)
        garment = garment * mask
        warp = self.warp(person, garment)
        return self.paint(person, garment, mask, warp.flow), warp


class LightStudent(ModelMixin, ConfigMixin):
    """Our student: smaller, faster, and it keeps what it need not paint.

    Four departures from the paper. The flow is found on half-size pictures by narrow pyramids,
    since a fold of cloth moves smoothly; it is then enlarged, and the garment is sampled at full
    size. Flow heads are depthwise-separable. The output takes the person's own pixels where
    nothing changes, and light falls on the garment (`three_way_blend`).

    Args:
        channels: channels of the pyramids.
        widths: channels of the encoders at strides 2, 4, 8, 16 of the flow's picture.
        depths: blocks at each stride.
        expand: widening of the encoders' blocks.
        head: channels inside the flow heads.
        flow_size_hw: height and width of the pictures the flow is found on.
        generator_widths: channels of the generator at strides 2, 4, ...
        generator_depths: blocks of the generator at each stride.
    """

    @register_to_config
    def __init__(
        self,
        channels: int = 48,
        widths: Sequence[int] = (16, 24, 32, 64, 96),
        depths: Sequence[int] = (1, 2, 2, 2, 2),
        expand: int = 4,
        head: int = 48,
        flow_size_hw: tuple[int, int] = (128, 96),
        generator_widths: Sequence[int] = (16, 24, 40, 64, 112),
        generator_depths: Sequence[int] = (1, 2, 2, 2, 2),
    ) -> None:
        super().__init__()
        self.garment_encoder = Pyramid(3, widths, depths, channels, expand)
        self.person_encoder = Pyramid(3, widths, depths, channels, expand)
        self.flow = FlowNet(channels, len(widths) - 1, light=True, width=head)
        self.generator = LightGenerator(7, 6, generator_widths, generator_depths, expand)
        self.flow_size_hw = tuple(flow_size_hw)

    def warp(self, person: Tensor, garment: Tensor) -> Warp:
        """Find where the garment goes; both (B, 3, H, W) in [-1, 1]; the flow has that size."""
        size = person.shape[-2:]
        return self.flow(
            self.garment_encoder(shrunk(garment, self.flow_size_hw)),
            self.person_encoder(shrunk(person, self.flow_size_hw)),
            size,
        )

    def paint(self, person: Tensor, garment: Tensor, mask: Tensor, flow: Tensor) -> TryOn:
        """Put the garment on along a flow; see `forward`."""
        warped = sample(garment, flow)
        warped_mask = sample(mask, flow, "zeros")
        output = self.generator(torch.cat([person, warped, warped_mask], 1))
        return three_way_blend(output, person, warped, warped_mask, flow)

    def forward(self, person: Tensor, garment: Tensor, mask: Tensor) -> tuple[TryOn, Warp]:
        """Try a garment on; arguments as in `PublishedStudent.forward`."""
        mask = (mask > 0.5).to(person.dtype)
        garment = garment * mask
        warp = self.warp(person, garment)
        return self.paint(person, garment, mask, warp.flow), warp


def shrunk(image: Tensor, size_hw: Sequence[int]) -> Tensor:
    """Return a picture averaged down to at most `size_hw`; smaller ones stay as they are."""
    if image.shape[-2] <= size_hw[0]:
        return image
    return F.interpolate(image, size=tuple(size_hw), mode="area")
