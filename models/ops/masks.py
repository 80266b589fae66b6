"""Soft masks: polygons, ramps, and the makeup regions of the canonical face."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from models import regions
from models.ops.landmarks import canonical_face


def smoothstep(low: float, high: float, x: np.ndarray | float) -> np.ndarray:
    """Rise smoothly from 0 at `low` to 1 at `high`; float32. With `low` > `high` it falls."""
    t = np.clip((np.asarray(x, np.float32) - np.float32(low)) / np.float32(high - low), 0, 1)
    return t * t * (3 - 2 * t)


def blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian blur, sigma in pixels; wide ones run at a lower resolution."""
    if sigma <= 0:
        return image
    if sigma > 6:
        size = (max(1, image.shape[1] // 3), max(1, image.shape[0] // 3))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        small = blur(small, sigma / 3)
        return cv2.resize(small, image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(image, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)


def polygon(points_xy: np.ndarray, size_hw: tuple[int, int], feather: float = 0.0) -> np.ndarray:
    """Fill a closed polygon: (H, W) float32 in 0..1, each pixel by the share of it inside.

    Args:
        points_xy: (N, 2) corners in pixels, pixel centres at whole numbers.
        size_hw: size of the mask.
        feather: sigma in pixels of a blur over the edge.
    """
    mask = np.zeros(size_hw, np.float32)
    outline = np.asarray(points_xy, np.float32) + 0.5
    margin = 3 * feather + 1
    x0, y0 = np.maximum(np.floor(outline.min(0) - margin), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(outline.max(0) + margin), size_hw[::-1]).astype(int)
    if x1 <= x0 or y1 <= y0:
        return mask
    # OpenCV counts every pixel an edge touches; at four times the size that is an eighth of one.
    fine = np.zeros(((y1 - y0) * 4, (x1 - x0) * 4), np.uint8)
    corners = np.round(((outline - [x0, y0]) * 4 - 0.5) * 16).astype(np.int32)
    cv2.fillPoly(fine, [corners], (255,), shift=4)
    part = cv2.resize(fine, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)
    mask[y0:y1, x0:x1] = blur(part.astype(np.float32) / 255, feather)
    return mask


@lru_cache(maxsize=4)
def canonical_regions(size: int) -> dict[str, np.ndarray]:
    """Masks of the makeup regions in the canonical map; they add up to at most 1.

    Returns:
        (size, size) float32 for each of `regions.MAKEUP_REGIONS`. `eyes` holds shadow and liner
        and leaves the eye itself out; `skin` is what the others leave of the face and falls to 0
        before the mesh ends.
    """
    lips = np.clip(_loop(regions.LIPS_OUTER, size) - _loop(regions.LIPS_INNER, size), 0, 1)
    lips = both_sides(blur(lips, 0.004 * size))
    openings = both_sides(_loop(regions.EYE_RIGHT, size))
    brows = both_sides(blur(_loop(_hull(regions.BROW_RIGHT, 0.005), size), 0.006 * size))
    shadow = _loop(_hull(regions.SHADOW_RIGHT, 0.012), size)
    eyes = both_sides(blur(shadow, 0.013 * size)) * (1 - openings)
    cheeks = both_sides(blur(_loop(regions.CHEEK_RIGHT, size), 0.03 * size)) * (1 - eyes)
    face = face_fade(size)
    eyes, cheeks = eyes * face * (1 - lips), cheeks * face * (1 - lips)
    skin = face * (1 - lips) * (1 - openings) - eyes - cheeks
    return {
        regions.LIPS: lips,
        regions.EYES: eyes,
        regions.BROWS: brows,
        regions.CHEEKS: cheeks,
        regions.SKIN: np.clip(skin, 0, 1),
    }


@lru_cache(maxsize=4)
def face_fade(size: int) -> np.ndarray:
    """1 on the face, falling smoothly to 0 before the mesh's own edge; (size, size) float32."""
    inside = canonical_face().texels(size)[1]
    inside = inside & inside[:, ::-1]
    padded = np.pad(inside.astype(np.uint8), 1)
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1] / size
    return both_sides(blur(smoothstep(0.012, 0.10, distance), 0.004 * size)) * inside


def both_sides(mask: np.ndarray) -> np.ndarray:
    """The mask and its mirror image, whichever is larger."""
    return np.maximum(mask, mask[:, ::-1])


def _loop(points: Sequence[int] | np.ndarray, size: int) -> np.ndarray:
    outline = points if isinstance(points, np.ndarray) else canonical_face().points_uv[list(points)]
    return polygon(outline * size - 0.5, (size, size))


def _hull(points: Sequence[int], grow: float) -> np.ndarray:
    """Convex hull of mesh points in map coordinates, grown by a share of the map."""
    outline = canonical_face().points_uv[list(points)]
    centre = outline.mean(0)
    grown = outline + grow * (outline - centre) / np.linalg.norm(
        outline - centre, axis=1, keepdims=True
    )
    return cv2.convexHull(np.asarray(grown, np.float32))[:, 0]
