"""One look in a network of under 100,000 parameters: a face goes in, the made-up face comes out.

A U-Net of separable convolutions at half the crop's resolution, whose last layer paints the four
pixels of each place. It is distilled from the instant pipeline and needs no mesh, no parser and no
texture of the face: what it costs is one pass over the crop.

    net = TinyBeauty.from_pretrained("assets/weights/tiny-beauty/classic-red").eval()
    made_up = net(face)                      # (B, 3, 256, 256) in [-1, 1], both
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from diffusers.configuration_utils import register_to_config
from torch import Tensor, nn
from torch.nn import functional as F

from models.blocks import SeparableUNet
from models.errors import ShapeError
from models.seeding import starts_at_zero

SIDE = 256
"""Side of the crop it is trained on, in pixels."""


class TinyBeauty(SeparableUNet):
    """Makeup as a change of an aligned face crop.

    Args:
        widths: channels at 1/2, 1/4, 1/8, ... of the crop's size.
    """

    @register_to_config
    def __init__(self, widths: Sequence[int] = (16, 24, 40, 64, 96)) -> None:
        super().__init__()
        self.build(3, widths)
        self.head = starts_at_zero(nn.Conv2d(widths[0] + 12, 12, 3, padding=1))
        self.stride = 2 ** len(widths)

    def forward(self, face: Tensor) -> Tensor:
        """Return the face with the look on.

        Args:
            face: (B, 3, S, S) in [-1, 1], sRGB, aligned by `crop_face`; S a multiple of `stride`.

        Returns:
            (B, 3, S, S) in [-1, 1].

        Raises:
            ShapeError: S is no such multiple.
        """
        if face.shape[-2] % self.stride or face.shape[-1] % self.stride:
            raise ShapeError(
                f"height and width must be multiples of {self.stride}",
                found=tuple(face.shape),
                needed=self.stride,
            )
        places = torch.cat([self.body(face), F.pixel_unshuffle(face, 2)], dim=1)
        return (face + F.pixel_shuffle(self.head(places), 2)).clamp(-1, 1)
