"""Human parsing: which pixel is hair, face, skin, garment; a small U-Net for a CPU."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from models.blocks import InvertedResidual, MobileEncoder, resized
from models.errors import ShapeError


class Part(IntEnum):
    """What a pixel of a person's picture shows. Left and right are the person's own."""

    BACKGROUND = 0
    HAIR = 1
    FACE = 2
    NECK = 3  # and the bare skin of the chest and shoulders
    UPPER = 4  # tops, coats and the upper garment of a dress
    LOWER = 5  # trousers, skirts
    LEFT_ARM = 6
    RIGHT_ARM = 7
    HANDS = 8
    LEGS = 9  # and shoes and socks
    OTHER = 10  # hats, scarves, bags, gloves


IGNORE = 255  # label of a pixel whose part is not known


class HumanParser(ModelMixin, ConfigMixin):
    """A MobileNetV2-style U-Net that labels every pixel with a `Part`.

    Its encoder also starts the try-on encoders and measures perceptual distance in training, where
    other projects use VGG: it has seen garments, skin and hair, and it is ours.

    Args:
        widths: channels at strides 2, 4, 8, 16, 32.
        depths: blocks at each stride.
        expand: widening of the blocks.
        parts: number of labels.
    """

    @register_to_config
    def __init__(
        self,
        widths: Sequence[int] = (16, 24, 32, 64, 96),
        depths: Sequence[int] = (1, 2, 2, 2, 2),
        expand: int = 4,
        parts: int = len(Part),
    ) -> None:
        super().__init__()
        self.encoder = MobileEncoder(3, widths, depths, expand)
        self.up = nn.ModuleList(
            InvertedResidual(coarse + fine, fine, 1, 2)
            for coarse, fine in zip(widths[1:], widths[:-1], strict=True)
        )
        self.head = nn.Conv2d(widths[0], parts, 1)
        self.stride = 2 ** len(widths)

    def forward(self, image: Tensor) -> Tensor:
        """Return the evidence for each part.

        Args:
            image: (B, 3, H, W) in [-1, 1], sRGB; H and W multiples of the coarsest stride (32).

        Returns:
            (B, parts, H, W) logits.

        Raises:
            ShapeError: H or W is no such multiple.
        """
        if image.shape[-2] % self.stride or image.shape[-1] % self.stride:
            raise ShapeError(
                f"height and width must be multiples of {self.stride}",
                found=tuple(image.shape),
                needed=self.stride,
            )
        maps = self.encoder(image)
        x = maps[-1]
        for up, skip in zip(reversed(self.up), reversed(maps[:-1]), strict=True):
            x = up(torch.cat([resized(x, skip), skip], 1))
        return resized(self.head(x), image)

    def features(self, image: Tensor) -> list[Tensor]:
        """Return the encoder's maps of (B, 3, H, W) in [-1, 1], finest (H/2, W/2) first."""
        return self.encoder(image)
