"""BeautyBank's networks: a makeup branch and a bare branch over the patches of a face.

As in the paper (arXiv 2411.11231) makeup is a code apart from the face, in two parts: *structure*
(which pattern, the paper's layers 0-6) and *colour* (its layers 7-17). Ours are literal: a region's
structure decodes to soft masks, and its colours are the colours those masks are filled with,

    change = alpha (paint - bare) + (1 - alpha) tint,
    alpha = sum_k m_k,  paint = sum_k m_k c_k / alpha,  tint = sum_j n_j d_j,

so that a colour can be changed exactly and leaves every pattern as it is. `m` is a softmax with an
empty slot, `n` a sigmoid, both times where the region's makeup can lie at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from models.beautybank.patches import PATCHES, REGIONS, Patch
from models.beautybank.reading import CHANNELS, SPREAD, TINT_SPREAD
from models.seeding import starts_at_zero

Module = TypeVar("Module", bound=nn.Module)

SLOTS = sum(PATCHES[region].slots for region in REGIONS)
"""Colours in a code, over all regions."""


@dataclass(frozen=True)
class Layer:
    """Makeup of one region as the decoder draws it; two halves, as in `patches.cut`.

    Attributes:
        paints: (B, 2, P, h, w), how much of each opaque colour, 0..1; they add up to at most 1.
        tints: (B, 2, T, h, w), how much of each tint, 0..1.
        alpha: (B, 2, h, w), opacity.
        paint: (B, 6, h, w), colour times opacity, in `reading.SPREAD` from `reading.MIDDLE`.
        tint: (B, 6, h, w), shift of the skin, in `reading.TINT_SPREAD`.
    """

    paints: Tensor
    tints: Tensor
    alpha: Tensor
    paint: Tensor
    tint: Tensor

    def change_on(self, bare: Tensor) -> Tensor:
        """What the layer adds to a bare face: (B, 6, h, w), in `reading.SPREAD`.

        Args:
            bare: (B, 6, h, w), the face's colours without fine texture, like `paint`.
        """
        alpha = self.alpha.repeat_interleave(3, 1)
        scale = torch.from_numpy(TINT_SPREAD / SPREAD).repeat(2).view(1, 6, 1, 1).to(self.tint)
        return self.paint - alpha * bare + (1 - alpha) * self.tint * scale


class PatchEncoder(nn.Module):
    """A patch to a vector: (B, C, h, w) to (B, width); h and w multiples of 16."""

    def __init__(self, patch: Patch, channels: int, base: int, width: int) -> None:
        super().__init__()
        self.unshuffle = nn.PixelUnshuffle(2)
        widths = (base, base * 3 // 2, base * 2, base * 2)
        before = channels * 4
        layers: list[nn.Module] = []
        for number, after in enumerate(widths):
            layers += [
                nn.Conv2d(before, after, 3, 1 if number == 0 else 2, 1),
                nn.GroupNorm(4, after),
                nn.LeakyReLU(0.1),
            ]
            before = after
        self.layers = nn.Sequential(*layers)
        self.out = nn.Linear(before * (patch.height // 16) * (patch.width // 16), width)

    def forward(self, patch: Tensor) -> Tensor:
        """Encode patches."""
        return F.leaky_relu(self.out(self.layers(self.unshuffle(patch)).flatten(1)), 0.1)


class PatchDecoder(nn.Module):
    """A vector to maps over a patch: (B, S) to (B, C, h, w).

    A learned constant grows from a sixteenth of the patch; the vector moves it at every size, as
    styles do in StyleGAN2. Vector 0 is the constant itself.
    """

    def __init__(self, patch: Patch, code: int, channels: int, base: int) -> None:
        super().__init__()
        self.bottom = (base * 2, patch.height // 16, patch.width // 16)
        self.constant = nn.Parameter(torch.zeros(1, *self.bottom))
        self.start = nn.Linear(code, base * 2 * self.bottom[1] * self.bottom[2], bias=False)
        widths = (base * 2, base * 3 // 2, base)
        before = base * 2
        self.convs, self.styles, self.norms = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for after in widths:
            self.convs.append(nn.Conv2d(before, after, 3, 1, 1))
            self.norms.append(nn.GroupNorm(4, after))
            self.styles.append(starts_at_zero(nn.Linear(code, 2 * after, bias=False)))
            before = after
        self.out = starts_at_zero(nn.Conv2d(before, channels * 4, 3, 1, 1))
        self.shuffle = nn.PixelShuffle(2)

    def forward(self, code: Tensor) -> Tensor:
        """Decode vectors."""
        x = self.constant + self.start(code).view(-1, *self.bottom)
        for conv, norm, style in zip(self.convs, self.norms, self.styles, strict=True):
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            scale, shift = style(code)[..., None, None].chunk(2, 1)
            x = F.leaky_relu(norm(conv(x)) * (1 + scale) + shift, 0.1)
        return self.shuffle(self.out(x))


class BeautyBank(ModelMixin, ConfigMixin):
    """Both branches.

    Args:
        structure: numbers that say a region's pattern.
        bare: numbers of the bare code.
        base: channels at half of a patch's size.
        width: of an encoder's vector.
    """

    @register_to_config
    def __init__(
        self, structure: int = 32, bare: int = 64, base: int = 32, width: int = 128
    ) -> None:
        super().__init__()
        self.structure, self.bare = structure, bare
        of = PATCHES.items()
        self.encoders = nn.ModuleDict({r: PatchEncoder(p, CHANNELS, base, width) for r, p in of})
        self.patterns = nn.ModuleDict({r: nn.Linear(width, structure) for r, _ in of})
        self.colors = nn.ModuleDict({r: nn.Linear(width, 3 * p.slots) for r, p in of})
        self.decoders = nn.ModuleDict(
            {r: PatchDecoder(p, structure, 2 * p.slots, base) for r, p in of}
        )
        half = max(8, base // 2)
        self.bare_encoders = nn.ModuleDict(
            {r: PatchEncoder(p, CHANNELS, half, width // 2) for r, p in of}
        )
        self.bare_code = nn.Linear(width // 2 * len(REGIONS), bare)
        self.bare_decoders = nn.ModuleDict({r: PatchDecoder(p, bare, 6, half) for r, p in of})

    def encode(self, patches: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Read makeup.

        Args:
            patches: region -> (B, 14, h, w), from `reading.patches_of`.

        Returns:
            Structure (B, 4, S) in the order of `REGIONS`, and colours (B, `SLOTS`, 3).
        """
        seen = {region: self.encoders[region](patches[region]) for region in REGIONS}
        structure = torch.stack([self.patterns[r](seen[r]) for r in REGIONS], 1)
        colors = [self.colors[r](seen[r]).view(-1, PATCHES[r].slots, 3) for r in REGIONS]
        return structure, torch.cat(colors, 1)

    def decode(
        self, structure: Tensor, colors: Tensor, paintable: dict[str, Tensor]
    ) -> dict[str, Layer]:
        """Draw makeup.

        Args:
            structure: (B, 4, S).
            colors: (B, `SLOTS`, 3).
            paintable: region -> (1, 2, h, w) in 0..1, where its makeup can lie at all.
        """
        layers = {}
        by_region = colors.split([PATCHES[region].slots for region in REGIONS], 1)
        for number, region in enumerate(REGIONS):
            patch, own = PATCHES[region], by_region[number]
            logits = self.decoders[region](structure[:, number])
            logits = logits.unflatten(1, (2, patch.slots))
            gate = paintable[region][:, :, None]
            empty = torch.full_like(logits[:, :, :1], 2.0)
            paints = torch.cat([empty, logits[:, :, : patch.paints]], 2).softmax(2)[:, :, 1:] * gate
            tints = torch.sigmoid(logits[:, :, patch.paints :] - 2.0) * gate
            fill = "bskhw,bkc->bschw"
            layers[region] = Layer(
                paints,
                tints,
                paints.sum(2),
                torch.einsum(fill, paints, own[:, : patch.paints]).flatten(1, 2),
                torch.einsum(fill, tints, own[:, patch.paints :]).flatten(1, 2),
            )
        return layers

    def encode_bare(self, patches: dict[str, Tensor]) -> Tensor:
        """The face under the makeup as a code: (B, bare)."""
        seen = [self.bare_encoders[region](patches[region]) for region in REGIONS]
        return self.bare_code(torch.cat(seen, 1))

    def decode_bare(self, code: Tensor) -> dict[str, Tensor]:
        """What a bare face adds to its plain skin: region -> (B, 6, h, w) in `reading.SPREAD`."""
        return {region: self.bare_decoders[region](code) for region in REGIONS}
