"""Analyse a whole picture: its kind, where its shades are, and which pixels show their colour.

finder = ShadeFinder.from_pretrained("assets/weights/product-attributes/shade-finder")
finding = find_shades(finder, pixels)
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch

from models.attributes.crops import letterbox
from models.attributes.networks import ShadeFinder
from models.attributes.pan_grid import SOLID, complete
from models.attributes.shades import Region, separate_pans, separate_pieces
from models.attributes.vocabulary import KINDS, SHADELESS

SIDE = 160
"""Side of the square the whole picture is analysed in."""
CLOSE_SIDES = (160, 256, 384)
"""Sides of the squares a palette is analysed in, from afar to close by."""

CLOSER_GAINS = 1.1
"""How many times more area must be in whole pans before a closer look is believed."""


@dataclass(frozen=True)
class Finding:
    """What is in a picture.

    Attributes:
        kinds: (K,) float32, probabilities over `KINDS`.
        regions: shades; the tip of a bottle's wand comes first, otherwise in no order.
        tone: (H, W) float32 in 0..1, how far a pixel shows its shade's own colour.
    """

    kinds: np.ndarray
    regions: tuple[Region, ...]
    tone: np.ndarray

    @property
    def kind(self) -> str:
        """The likeliest kind; see `likeliest`."""
        return likeliest(self.kinds)


def likeliest(kinds: np.ndarray) -> str:
    """The likeliest of `KINDS`; one of `SHADELESS` only where those are likelier than all others.

    A product taken for packaging is lost, packaging taken for a product gives a row with little
    confidence: so it takes more than being the likeliest of many.

    Args:
        kinds: (K,) probabilities.
    """
    shadeless = np.isin(KINDS, SHADELESS)
    seen = shadeless if kinds[shadeless].sum() > 0.5 else ~shadeless
    return KINDS[int(np.argmax(np.where(seen, kinds, 0)))]


@torch.inference_mode()
def find_shades(finder: ShadeFinder, pan_finder: ShadeFinder, pixels: np.ndarray) -> Finding:
    """Find the shades of a picture; a palette is analysed again from close by.

    Args:
        finder: analyses the whole picture; in evaluation mode.
        pan_finder: analyses palettes; in evaluation mode.
        pixels: (H, W, 3) uint8 RGB.
    """
    height, width = pixels.shape[:2]
    kinds, maps = _predict(finder, pixels, SIDE)
    kind = likeliest(kinds)
    several = kind == "palette"
    box, regions = (0, 0, width, height), []
    if several:
        box, regions, maps = _find_pans(pan_finder, pixels)
    size_hw = box[3] - box[1], box[2] - box[0]
    regions = regions or separate_pieces(maps[0], maps[2], size_hw, wand=kind == "bottle")
    tone = np.zeros((height, width), np.float32)
    tone[box[1] : box[3], box[0] : box[2]] = cv2.resize(maps[2], size_hw[::-1])
    return Finding(kinds, tuple(_moved(region, box[:2]) for region in regions), tone)


def _find_pans(
    finder: ShadeFinder, pixels: np.ndarray
) -> tuple[tuple[int, int, int, int], list[Region], tuple[np.ndarray, ...]]:
    """The part of the picture that shows pans, the pans in its pixels, and its maps.

    Large pans are torn when seen from close by, and small ones run together from afar: the
    pans are those of the farthest distance that closer ones do not clearly beat in whole pans.
    """
    height, width = pixels.shape[:2]
    _, maps = _predict(finder, pixels, CLOSE_SIDES[-1])
    box = _bounds(maps[0], (height, width)) or (0, 0, width, height)
    part = pixels[box[1] : box[3], box[0] : box[2]]
    size_hw = part.shape[0], part.shape[1]
    best, regions = -1.0, []
    for side in CLOSE_SIDES:
        _, closer = _predict(finder, part, side)
        found = complete(separate_pans(closer[0], closer[1], size_hw), closer[0], size_hw)
        whole = float(sum(region.area for region in found if region.solidity > SOLID))
        if whole > CLOSER_GAINS * best:
            best, regions, maps = whole, found, closer
    return box, regions, maps


def _predict(
    finder: ShadeFinder, pixels: np.ndarray, side: int
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    """Kinds (K,), and the maps shade, core and tone cut to the picture; all probabilities."""
    square, scale = letterbox(pixels, side)
    image = torch.from_numpy(square).permute(2, 0, 1)[None].float() / 127.5 - 1
    found = finder(image.contiguous(memory_format=torch.channels_last))
    height, width = (max(1, round(n * scale / 2)) for n in pixels.shape[:2])
    maps = tuple(
        np.ascontiguousarray(logits[0, :height, :width].sigmoid().numpy())
        for logits in (found.shade, found.core, found.tone)
    )
    return found.kind[0].softmax(0).numpy(), maps


def _bounds(shade: np.ndarray, size_hw: tuple[int, int]) -> tuple[int, int, int, int] | None:
    """Box of the shades in picture pixels with a margin, or None without any."""
    rows, columns = np.flatnonzero((shade > 0.4).any(1)), np.flatnonzero((shade > 0.4).any(0))
    if len(rows) == 0:
        return None
    y, x = size_hw[0] / shade.shape[0], size_hw[1] / shade.shape[1]
    margin = 0.06 * max((rows[-1] - rows[0] + 1) * y, (columns[-1] - columns[0] + 1) * x)
    x0, y0 = max(0, int(columns[0] * x - margin)), max(0, int(rows[0] * y - margin))
    x1 = min(size_hw[1], int((columns[-1] + 1) * x + margin) + 1)
    y1 = min(size_hw[0], int((rows[-1] + 1) * y + margin) + 1)
    return x0, y0, x1, y1


def _moved(region: Region, by_xy: tuple[int, int]) -> Region:
    x0, y0, x1, y1 = region.bbox_xyxy
    x, y = by_xy
    return Region((x0 + x, y0 + y, x1 + x, y1 + y), region.mask, region.score)
