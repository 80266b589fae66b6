"""The face in patches: where each region of a code looks and paints in the canonical map.

A patch covers one half of the map; the other half lies beside it, mirrored, as further channels. So
one network sees both eyes at once and learns nothing twice, and makeup worn on one side only can
still be said.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from models import regions
from models.ops.masks import blur, canonical_regions, face_fade, smoothstep

MAP_SIZE = 192
"""Side of the canonical map that faces are read in, texels."""

REGIONS = (regions.LIPS, regions.EYES, regions.CHEEKS, regions.SKIN)
"""Regions that have a row in a makeup code, in its order. Brows are three numbers beside it."""


@dataclass(frozen=True)
class Patch:
    """Where a region lies in the canonical map.

    Attributes:
        left, top, right, bottom: of the half on the person's right, 0..1 of the map.
        height, width: of the patch in its own pixels.
        paints, tints: how many opaque colours and how many shifts of the skin a look may have here.
    """

    left: float
    top: float
    right: float
    bottom: float
    height: int
    width: int
    paints: int
    tints: int

    @property
    def slots(self) -> int:
        """How many colours a look may have here."""
        return self.paints + self.tints


PATCHES = {
    regions.LIPS: Patch(0.30, 0.61, 0.50, 0.81, 32, 32, 3, 2),
    regions.EYES: Patch(0.02, 0.16, 0.50, 0.48, 48, 64, 6, 4),
    regions.CHEEKS: Patch(0.02, 0.28, 0.50, 0.80, 32, 32, 3, 3),
    regions.SKIN: Patch(0.00, 0.02, 0.50, 0.98, 48, 32, 3, 3),
}


def cut(maps: np.ndarray, region: str) -> np.ndarray:
    """A region's patch of canonical maps.

    Args:
        maps: (S, S, C) float32, any S.
        region: one of `REGIONS`.

    Returns:
        (2 C, h, w) float32: the half on the person's right, then the other, mirrored.
    """
    patch = PATCHES[region]
    size = len(maps)
    maps = np.ascontiguousarray(maps, np.float32)
    steps = ((patch.right - patch.left) / patch.width, (patch.bottom - patch.top) / patch.height)
    down = [0, steps[1] * size, (patch.top + steps[1] / 2) * size - 0.5]
    start = (patch.left + steps[0] / 2) * size - 0.5
    halves = []
    for across in ([steps[0] * size, 0, start], [-steps[0] * size, 0, size - 1 - start]):
        half = cv2.warpAffine(
            maps,
            np.array([across, down]),
            (patch.width, patch.height),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        halves.append(half.reshape(patch.height, patch.width, -1).transpose(2, 0, 1))
    return np.concatenate(halves)


def paste(patch_maps: np.ndarray, region: str, size: int) -> np.ndarray:
    """Undo `cut`: a patch as canonical maps, 0 where the patch does not reach.

    Args:
        patch_maps: (2 C, h, w) float32, C at most 4.
        region: one of `REGIONS`.
        size: side S of the maps wanted.

    Returns:
        (S, S, C) float32.
    """
    patch = PATCHES[region]
    scale = (patch.width / (patch.right - patch.left), patch.height / (patch.bottom - patch.top))
    matrix = np.array(
        [
            [scale[0] / size, 0, (0.5 / size - patch.left) * scale[0] - 0.5],
            [0, scale[1] / size, (0.5 / size - patch.top) * scale[1] - 0.5],
        ]
    )
    channels = len(patch_maps) // 2
    middle = size // 2
    x0, x1 = round(patch.left * size), middle
    y0, y1 = round(patch.top * size), round(patch.bottom * size)
    maps = np.zeros((size, size, channels), np.float32)
    matrix[:, 2] += matrix[:, :2] @ (x0, y0)
    for number, view in enumerate((maps, maps[:, ::-1])):
        half = patch_maps[number * channels : (number + 1) * channels]
        view[y0:y1, x0:x1] = cv2.warpAffine(
            np.ascontiguousarray(half.transpose(1, 2, 0)),
            matrix,
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ).reshape(y1 - y0, x1 - x0, channels)
    return maps


@lru_cache(maxsize=4)
def shares(size: int) -> dict[str, np.ndarray]:
    """Which region speaks where: (size, size) float32 in 0..1 each; they add up to 1.

    Wider than the makeup regions: a wing beyond the eye still belongs to the eyes.
    """
    masks = canonical_regions(size)
    lips = smoothstep(0.0, 0.5, masks[regions.LIPS])
    near = smoothstep(0.03, 0.30, blur(masks[regions.EYES] + openings(size), 0.035 * size))
    eyes = near * _window(regions.EYES, size) * (1 - lips)
    cheeks = np.clip(1.5 * masks[regions.CHEEKS], 0, 1) * (1 - eyes) * (1 - lips)
    return {
        regions.LIPS: lips,
        regions.EYES: eyes,
        regions.CHEEKS: cheeks,
        regions.SKIN: 1 - lips - eyes - cheeks,
    }


@lru_cache(maxsize=4)
def paintable(size: int) -> dict[str, np.ndarray]:
    """Where each region's makeup can lie at all: (size, size) float32 in 0..1.

    Lips end at their outline and no shadow lies on the eyeball, and this is known more sharply than
    a code could say it.
    """
    masks = canonical_regions(size)
    lips = masks[regions.LIPS]
    off_eyes = (1 - lips) * (1 - openings(size))
    return {
        regions.LIPS: lips,
        regions.EYES: off_eyes,
        regions.CHEEKS: off_eyes,
        regions.SKIN: off_eyes,
    }


def _window(region: str, size: int) -> np.ndarray:
    """1 inside a region's two patches, falling to 0 towards their edge but not at the middle."""
    patch = PATCHES[region]
    at = (np.arange(size, dtype=np.float32) + 0.5) / size
    down = np.minimum(at - patch.top, patch.bottom - at)
    side = np.abs(at - 0.5)  # from the middle of the face
    across = np.minimum(0.5 - patch.left - side, side - (0.5 - patch.right) + 1)
    return smoothstep(0.0, 0.04, down)[:, None] * smoothstep(0.0, 0.04, across)[None]


@lru_cache(maxsize=4)
def openings(size: int) -> np.ndarray:
    """The eyeballs, which no makeup region covers: (size, size) float32 in 0..1."""
    masks = canonical_regions(size)
    covered = np.sum([masks[name] for name in REGIONS], axis=0)
    inside = smoothstep(0.90, 0.99, face_fade(size)) * _window(regions.EYES, size)
    return smoothstep(0.3, 0.7, 1 - covered) * inside
