"""The parser-based teacher: it never sees the old garment, so it cannot copy its outline."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor

from models.blocks import Pyramid
from models.dmvton.flow import FlowNet, Warp, sample
from models.dmvton.generator import LightGenerator, TryOn, three_way_blend
from models.dmvton.student import shrunk

POSE_CHANNELS = 18
# Agnostic picture, its hole, pose.
CONDITION_CHANNELS = 3 + 1 + POSE_CHANNELS


class MobileTeacher(ModelMixin, ConfigMixin):
    """A mobile stand-in for FS-VTON, sized for two CPU cores.

    Its condition is the person with garment, arms and neck cut out in a generous hole around the
    pose, the hole itself, and the pose as soft dots. The paper's teacher sees DensePose, for which
    there is no CPU-friendly detector; the pose and the hole carry the body here.

    Args:
        channels: channels of the pyramids.
        widths: channels of the encoders at strides 2, 4, 8, ...
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
        self.person_encoder = Pyramid(CONDITION_CHANNELS, widths, depths, channels, expand)
        self.flow = FlowNet(channels, len(widths) - 1, light=True, width=head)
        self.generator = LightGenerator(
            CONDITION_CHANNELS + 4, 6, generator_widths, generator_depths, expand
        )
        self.flow_size_hw = tuple(flow_size_hw)

    def warp(self, condition: Tensor, garment: Tensor) -> Warp:
        """Find where the garment goes; (B, 22, H, W) and (B, 3, H, W)."""
        return self.flow(
            self.garment_encoder(shrunk(garment, self.flow_size_hw)),
            self.person_encoder(shrunk(condition, self.flow_size_hw)),
            condition.shape[-2:],
        )

    def paint(
        self, condition: Tensor, garment: Tensor, mask: Tensor, flow: Tensor, plate: Tensor
    ) -> TryOn:
        """Put the garment on along a flow, before the plate; see `forward`."""
        warped = sample(garment, flow)
        warped_mask = sample(mask, flow, "zeros")
        output = self.generator(torch.cat([condition, warped, warped_mask], 1))
        # Outside the hole nothing changes but what the garment reaches.
        kept = output[:, 4:5] + 100.0 * (1 - condition[:, 3:4])
        output = torch.cat([output[:, :4], kept, output[:, 5:]], 1)
        return three_way_blend(output, plate, warped, warped_mask, flow)

    def forward(
        self, condition: Tensor, garment: Tensor, mask: Tensor, plate: Tensor
    ) -> tuple[TryOn, Warp]:
        """Try a garment on.

        Args:
            condition: (B, 22, H, W): agnostic picture in [-1, 1] with 0 in the hole, the hole (1
                inside), 18 pose maps in [0, 1].
            garment: (B, 3, H, W) in [-1, 1], flat.
            mask: (B, 1, H, W), 1 where the garment is.
            plate: (B, 3, H, W) in [-1, 1], from `agnostic.background_plate`: the network does not
                see it, but may let it show, so that a textured wall stays as it is beside an arm.
        """
        mask = (mask > 0.5).to(condition.dtype)
        garment = garment * mask
        warp = self.warp(condition, garment)
        return self.paint(condition, garment, mask, warp.flow, plate), warp
