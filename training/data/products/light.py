"""The studio of a product photograph: two softboxes over a table, a room, and a camera.

A surface is told from another by what it mirrors. A lamp that is a point shows only where a
surface happens to face it; a softbox is mirrored with its edges by gloss, blurred by cream, as a
broad sheen by satin, and not at all by a matte powder. Reflections are prefiltered: a rough
surface sees the studio through a Gaussian as wide as its lobe (the first half of the split sum of
Karis, "Real Shading in Unreal Engine 4", 2013).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr


@dataclass(frozen=True)
class Softbox:
    """A lamp behind a rectangular sheet that faces the middle of the table.

    Attributes:
        place_xyz: its middle; the picture's sides measure 1, z points to the camera.
        half_size: (2,) half its sides, as tangents seen from the table.
        turn: of its sides about its axis, radians.
    """

    place_xyz: np.ndarray
    half_size: np.ndarray
    turn: float = 0.0

    def measure_share(self, mirrored: np.ndarray, light: np.ndarray, blur: float) -> np.ndarray:
        """Share of the lobe about each mirrored direction that falls on the sheet, (h, w).

        Args:
            mirrored: (h, w, 3) unit vectors from the surface.
            light: (h, w, 3) unit vectors to the sheet's middle.
            blur: standard deviation of the lobe, as a tangent.
        """
        axis = normalize(self.place_xyz - np.array([0.5, 0.5, 0.0]))
        side = normalize(np.cross([np.sin(self.turn), np.cos(self.turn), 0.0], axis))
        ahead = (mirrored * light).sum(-1)
        along = np.maximum(ahead, 0.05)
        share = np.where(ahead > 0, 1.0, 0.0)
        for direction, half in zip((side, np.cross(axis, side)), self.half_size, strict=True):
            off = mirrored @ direction - ahead * (light @ direction)
            share = share * (ndtr((off / along + half) / blur) - ndtr((off / along - half) / blur))
        return share

    @property
    def solid_angle(self) -> float:
        """About how much of the sky it fills, steradians."""
        return float(4 * self.half_size.prod())


@dataclass(frozen=True)
class Rig:
    """Lights and camera over a picture whose sides measure 1.

    Attributes:
        key: the main light.
        fill: the second.
        fill_share: its strength beside the main one's, 0..1.
        ambient: share of the diffuse light that comes from the room, 0..1.
        camera_z: height of the camera over the middle.
        exposure: brightness of a white sheet.
    """

    key: Softbox
    fill: Softbox
    fill_share: float
    ambient: float
    camera_z: float
    exposure: float

    @property
    def lamps(self) -> tuple[tuple[Softbox, float], ...]:
        """Each softbox with its share of the diffuse light on a flat sheet."""
        key = (1 - self.ambient) / (1 + self.fill_share)
        return (self.key, key), (self.fill, key * self.fill_share)


def draw_rig(rng: np.random.Generator, *, held_out: bool = False, standing: bool = False) -> Rig:
    """Draw a studio; held-out ones are lit from the lower half, training ones from the upper.

    Args:
        rng: draws it.
        held_out: draw one that training never sees.
        standing: the product is upright: it is lit by tall strips from its sides.
    """
    if standing:
        side = 1 if rng.random() < 0.5 else -1
        lean = rng.uniform(0.0, 0.35) * (1 if held_out else -1)  # y points down
        angles = np.pi / 2 * (1 - side) + side * lean, np.pi / 2 * (1 + side) - side * lean
    else:
        key_angle = rng.uniform(np.pi * 1.1, np.pi * 1.9) + (np.pi if held_out else 0)
        angles = key_angle, key_angle + rng.uniform(2.0, 4.2)
    key, fill = (
        _draw_softbox(angle, reach, rng, standing)
        for angle, reach in zip(angles, rng.uniform((0.2, 0.4), (0.8, 1.2)), strict=True)
    )
    return Rig(
        key=key,
        fill=fill,
        fill_share=rng.uniform(0.2, 0.7),
        ambient=rng.uniform(0.2, 0.5),
        camera_z=rng.uniform(1.6, 3.0),
        exposure=rng.uniform(0.93, 1.05),
    )


def _draw_softbox(angle: float, reach: float, rng: np.random.Generator, standing: bool) -> Softbox:
    place = [0.5 + reach * np.cos(angle), 0.5 + reach * np.sin(angle), rng.uniform(0.9, 1.6)]
    if standing:  # the second side runs along y
        return Softbox(np.array(place), rng.uniform((0.1, 0.5), (0.25, 0.9)), rng.normal(0, 0.1))
    return Softbox(np.array(place), rng.uniform(0.12, 0.35, 2), rng.uniform(0, np.pi))


def normalize(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length 1 along the last axis."""
    return vectors / np.sqrt((vectors * vectors).sum(-1, keepdims=True))
