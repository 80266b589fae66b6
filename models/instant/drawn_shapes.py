"""Where drawn makeup lies: soft shapes on the median face, unfolded into the canonical map.

Everything is drawn where an artist draws, on a face seen from the front, so that a wing is straight
on a face and not in a map that stretches the lids. Coordinates are those of
`CanonicalFace.points_xyz`: the unit is the distance between the irises, x to the picture's right,
y down, the origin on the nose bridge. Shapes are drawn on the person's right side (x below 0) and
mirrored.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy.interpolate import CubicSpline

from models.ops.landmarks import canonical_face
from models.ops.masks import both_sides, polygon, smoothstep
from models.ops.warp import sample
from models.regions import FOLD, LASHES, LOWER_LASHES, SOCKET

Zone = Literal["lid", "lashes", "crease", "outer", "inner", "lower", "browbone"]
Place = Literal["apples", "cheekbones", "sunkissed", "contour", "highlight", "freckles"]

_ORIGIN = np.array([1.2, 0.9])  # the canvas' corner lies this far left of and above the origin
_EXTENT = np.array([2.4, 2.75])
_DETAIL = 0.55  # canvas pixels to the unit, as a share of the map's side: about one a texel


@lru_cache(maxsize=32)
def zone_mask(zone: Zone | Place, size: int) -> np.ndarray:
    """Where a wash or tint lies: (S, S) float32 in 0..1, soft, the same on both sides; read-only.

    Raises:
        KeyError: there is no such zone.
    """
    mask = both_sides(_SHAPES[zone](size))
    mask.setflags(write=False)
    return mask


def area(
    points_xy: Sequence[Sequence[float]] | np.ndarray, softness: float, size: int
) -> np.ndarray:
    """A filled outline with its edge blurred by a sigma of `softness`: (S, S) float32 in 0..1."""
    scale = _DETAIL * size
    outline = (np.asarray(points_xy, np.float64) + _ORIGIN) * scale - 0.5
    width, height = np.ceil(_EXTENT * scale).astype(int)
    return sample(polygon(outline, (height, width), softness * scale), _on_canvas(size))


def spot(
    centre_xy: Sequence[float], spread: tuple[float, float], turn: float, size: int
) -> np.ndarray:
    """A Gaussian, (S, S) float32, with sigmas along and across a line `turn` radians below x."""
    offset = _seen_from_front(size) - np.asarray(centre_xy, np.float32)
    cos, sin = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    along = (offset[..., 0] * cos + offset[..., 1] * sin) / np.float32(spread[0])
    across = (offset[..., 1] * cos - offset[..., 0] * sin) / np.float32(spread[1])
    return np.exp(-0.5 * (along * along + across * across))


def curve(points: Sequence[int], count: int = 64) -> np.ndarray:
    """A smooth line through mesh points seen from the front: (count, 2)."""
    corners = canonical_face().points_xyz[list(points), :2].astype(np.float64)
    lengths = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1))])
    return CubicSpline(lengths, corners)(np.linspace(0, lengths[-1], count))


def liner_mask(thickness: float, wing: float, lower: float, size: int) -> np.ndarray:
    """Eyeliner: it thickens from the inner corner to the outer and runs on into a wing.

    Args:
        thickness: of the line at its thickest.
        wing: length of the wing beyond the corner; 0 ends at the corner.
        lower: 0..1, opacity of a line under the outer half of the eye.
        size: side S of the map.

    Returns:
        (S, S) float32 in 0..1, crisp, the same on both sides.
    """
    lashes = curve(LASHES)
    inwards = np.linspace(0, 1, len(lashes))
    normal = np.gradient(lashes, axis=0)[:, ::-1] * [1, -1]
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    grown = thickness * (0.15 + 0.85 * smoothstep(1.15, 0.1, inwards))
    top = lashes + normal * grown[:, None]
    corner = lashes[0]
    under = corner + np.array([0.004, 0.010])  # the wing leaves from just below the corner
    # The wing continues the lower lashes towards the end of the brow; its upper side is hollow.
    tip = corner + wing * np.array([-np.cos(0.62), -np.sin(0.62)])
    start = 18 if wing > 0 else 0
    along = np.linspace(0, 1, 16)[:, None]
    hollow = 0.60 * top[6] + 0.40 * (corner + 0.35 * (tip - corner))
    upper = (1 - along) ** 2 * tip + 2 * along * (1 - along) * hollow + along**2 * top[start]
    inside = lashes[::-1] + np.array([0, 0.012])  # no skin between line and lashes
    outline = [under, *upper, *top[start:], *inside]
    mask = area(np.stack(outline), 0.0035, size)
    if lower:
        below = curve(LOWER_LASHES)[:34]
        fade = np.linspace(1, 0.1, len(below))[:, None]
        outline = [*(below - [0, 0.008]), *(below + fade * [0, 0.024])[::-1]]
        mask = np.maximum(mask, lower * area(np.stack(outline), 0.008, size))
    return both_sides(mask)


def star_outline(centre_xy: Sequence[float], radius: float) -> np.ndarray:
    """Corners of a five-pointed star, (10, 2), tips and notches in turn."""
    turn = np.arange(10) * np.pi / 5 - np.pi / 2
    reach = np.where(np.arange(10) % 2 == 0, 1, STAR_NOTCH) * radius
    return np.asarray(centre_xy) + np.stack([np.cos(turn), np.sin(turn)], 1) * reach[:, None]


STAR_NOTCH = 0.42
"""Distance of a star's notches from its centre, as a share of its radius."""


@lru_cache(maxsize=4)
def _seen_from_front(size: int) -> np.ndarray:
    """Where each texel lies on the median face: (S, S, 2) float32; far away outside the mesh."""
    return canonical_face().picture_positions(canonical_face().points_xyz, size)


@lru_cache(maxsize=4)
def _on_canvas(size: int) -> np.ndarray:
    positions = (_seen_from_front(size) + _ORIGIN) * (_DETAIL * size) - 0.5
    return np.asarray(positions, np.float32)


def _rows(low: float, high: float) -> np.ndarray:
    """Outline between two heights on the lid: 0 at the lashes, 1 at the fold, 2 at the socket."""
    rows = np.stack([curve(LASHES), curve(FOLD), curve(SOCKET)])

    def at(height: float) -> np.ndarray:
        below = min(int(height), 1)
        return rows[below] + (height - below) * (rows[below + 1] - rows[below])

    return np.concatenate([at(low), at(high)[::-1]])


def _lid(size: int) -> np.ndarray:
    return area(_rows(-0.05, 0.92), 0.014, size)


def _lashes(size: int) -> np.ndarray:
    return area(_rows(-0.05, 0.28), 0.016, size)


def _crease(size: int) -> np.ndarray:
    band = _rows(0.55, 1.45)
    tail = [[-0.76, 0.0], [-0.82, -0.02], [-0.855, -0.080], [-0.81, -0.120], [-0.72, -0.10]]
    return np.minimum(1, 1.15 * np.maximum(area(band, 0.034, size), 0.8 * area(tail, 0.036, size)))


def _outer(size: int) -> np.ndarray:
    """The outer V: along the lashes to the wing, back over the fold."""
    lashes, fold = curve(LASHES), curve(FOLD)
    outline = [
        lashes[20],
        *lashes[8::-4],
        [-0.745, 0.015],
        [-0.890, -0.085],
        [-0.80, -0.125],
        *(fold[14:26:3] - [0, 0.012]),
    ]
    return np.minimum(1, 1.2 * area(np.stack(outline), 0.030, size))


def _inner(size: int) -> np.ndarray:
    return np.maximum(
        spot([-0.262, 0.020], (0.042, 0.036), 0.5, size),
        0.8 * spot([-0.300, -0.030], (0.040, 0.036), 0.6, size),
    )


def _lower(size: int) -> np.ndarray:
    below = curve(LOWER_LASHES)
    width = np.linspace(0.050, 0.022, len(below))[:, None] * [0, 1]
    start = [[-0.745, 0.028]]
    band = area(np.concatenate([below - [0, 0.01], (below + width)[::-1], start]), 0.014, size)
    return band * (0.45 + 0.55 * smoothstep(-0.30, -0.52, _seen_from_front(size)[..., 0]))


def _browbone(size: int) -> np.ndarray:
    return spot([-0.755, -0.165], (0.075, 0.020), 0.42, size)


def _apples(size: int) -> np.ndarray:
    return spot([-0.675, 0.510], (0.185, 0.125), 0.45, size)


def _cheekbones(size: int) -> np.ndarray:
    return np.maximum(
        spot([-0.800, 0.420], (0.200, 0.085), 0.58, size),
        0.7 * spot([-0.690, 0.500], (0.150, 0.100), 0.45, size),
    )


def _sunkissed(size: int) -> np.ndarray:
    cheek = spot([-0.640, 0.430], (0.210, 0.110), 0.25, size)
    return np.maximum(cheek, 0.75 * spot([0, 0.330], (0.170, 0.075), 0, size))


def _contour(size: int) -> np.ndarray:
    return spot([-0.860, 0.640], (0.190, 0.065), 0.62, size)


def _highlight(size: int) -> np.ndarray:
    return np.max(
        [
            spot([-0.850, 0.300], (0.115, 0.050), 0.52, size),
            0.5 * spot([0, 0.270], (0.030, 0.150), 0, size),
            0.5 * spot([0, 0.880], (0.045, 0.014), 0, size),
            0.5 * spot([-0.745, -0.170], (0.070, 0.018), 0.42, size),
        ],
        axis=0,
    )


def _freckles(size: int) -> np.ndarray:
    cheek = spot([-0.560, 0.400], (0.190, 0.110), 0.15, size)
    return np.maximum(cheek, 0.9 * spot([0, 0.330], (0.150, 0.110), 0, size))


_SHAPES = {
    "lid": _lid,
    "lashes": _lashes,
    "crease": _crease,
    "outer": _outer,
    "inner": _inner,
    "lower": _lower,
    "browbone": _browbone,
    "apples": _apples,
    "cheekbones": _cheekbones,
    "sunkissed": _sunkissed,
    "contour": _contour,
    "highlight": _highlight,
    "freckles": _freckles,
}
