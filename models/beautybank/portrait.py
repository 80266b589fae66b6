"""A generated face to show a look on: nobody's, made from a bare code."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from models.ops.color import lab_to_rgb
from models.ops.landmarks import canonical_face
from models.ops.masks import blur, smoothstep
from models.ops.warp import sample

_MARGIN = 1.08
_PAPER = np.array([0.95, 0.94, 0.93], np.float32)


def portrait(lab: np.ndarray, size: int) -> np.ndarray:
    """The median face from the front, wearing a canonical map, on paper white.

    Args:
        lab: (S, S, 3) CIELAB.
        size: side of the picture in pixels.

    Returns:
        (size, size, 3) uint8 sRGB.
    """
    uv, cover, light = _view(size)
    seen = sample(np.asarray(lab, np.float32), uv * len(lab) - 0.5)
    seen[..., 0] += light
    skin = lab_to_rgb(seen)
    picture = _PAPER + cover[..., None] * (skin - _PAPER)
    return np.rint(picture * 255).clip(0, 255).astype(np.uint8)


@lru_cache(maxsize=4)
def _view(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each pixel lies in the map, how far it is face, and the shape's own shading in L*."""
    mesh = canonical_face()
    points = mesh.points_xyz.copy()
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    scale = size / (_MARGIN * (high - low).max())
    points[:, :2] = (points[:, :2] - (low + high) / 2) * scale + size / 2
    points[:, 2] *= scale
    uv, cover = mesh.texture_positions(points, (0, 0, size, size))
    facing = mesh.interpolate(mesh.facing(points)[:, None], 192)[..., 0]
    turned = sample(facing, uv * 192 - 0.5)
    edge = smoothstep(0.6, 1.0, blur(cover, 0.012 * size))
    return uv, edge * cover, 9 * blur(np.minimum(turned, 1) - 0.85, 0.01 * size)
