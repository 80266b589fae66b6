"""Finishes: what a cosmetic does to light beyond its colour."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.instant.face_light import FaceLight
from models.ops.color import lab_to_rgb, linear_to_rgb, rgb_to_lab, rgb_to_linear
from models.ops.masks import smoothstep

_WINDOW = 0.16  # half the width of a usual lamp or window, as a roughness: lights are no points
_MM = 1 / 63  # of the distance between the irises


@dataclass(frozen=True)
class Finish:
    """Surface of a layer of makeup.

    Attributes:
        roughness: of the film's surface: 0.1 is wet, 0.9 is powder (GGX alpha).
        gloss: strength of the film's colourless reflection; 1 is that of an oil film.
        metal: 0..1, how much of the colour is mirrored by aligned flakes instead of scattered.
        sparkle: share of the area that glints, 0..1.
        sparkle_size: diameter of a glint in mm on the face.
        sparkle_light: how bright a glint is against diffuse white.
        hue_shift: degrees that the hue turns where the surface mirrors the light.
        own_shine: how much of the wearer's own highlights stays; above 1 they are strengthened.
        texture: how much of the lines and pores below shows, 0..1.
        opacity: 0..1, usual hiding of the product, to be multiplied with the coat's.
    """

    roughness: float = 0.6
    gloss: float = 0.0
    metal: float = 0.0
    sparkle: float = 0.0
    sparkle_size: float = 0.2
    sparkle_light: float = 0.0
    hue_shift: float = 0.0
    own_shine: float = 0.6
    texture: float = 0.9
    opacity: float = 1.0


FINISHES: dict[str, Finish] = {
    "matte": Finish(roughness=0.9, own_shine=0.15),
    "satin": Finish(roughness=0.42, gloss=0.8, own_shine=0.8),
    "cream": Finish(roughness=0.34, gloss=0.9, own_shine=0.8, texture=0.75),
    "sheer": Finish(roughness=0.36, gloss=0.7, own_shine=1.0, opacity=0.45),
    "shimmer": Finish(0.36, 0.6, 0.25, 0.45, 0.16, 0.35, 0, 0.8, 0.8),
    "metallic": Finish(0.32, 0.5, 0.75, 0.25, 0.12, 0.25, 0, 0.8, 0.7),
    "glitter": Finish(0.40, 0.5, 0.10, 0.16, 0.42, 1.4, 0, 0.7, 0.8),
    "gloss": Finish(roughness=0.10, gloss=1.6, own_shine=1.6, texture=0.6, opacity=0.88),
    "dewy": Finish(roughness=0.26, gloss=1.1, own_shine=1.25, opacity=0.75),
    "duochrome": Finish(0.42, 0.5, 0.30, 0.30, 0.14, 0.4, 75, 0.8, 0.75),
}
"""By the names of `pipelines.catalog.extract.attributes.FINISHES`."""


def mirrored(normals: np.ndarray, light: FaceLight, roughness: float) -> np.ndarray:
    """How strongly a surface mirrors the light into the camera: (..., 3) normals to (...).

    The GGX microfacet lobe with the lamp's own width added (Walter et al., "Microfacet models for
    refraction", 2007, eq. 33; Karis, "Real shading in Unreal Engine 4", 2013, for Schlick's
    visibility), in units of what diffuse white sends back, without Fresnel's factor.
    """
    half = light.direction + np.array([0, 0, 1])
    half /= np.linalg.norm(half)
    alpha2 = np.float32(roughness**2 + _WINDOW**2)
    along = np.clip(normals @ np.float32(half), 0, 1)
    lobe = alpha2 / (along**2 * (alpha2 - 1) + 1) ** 2  # pi D(h)
    to_light = np.clip(normals @ np.float32(light.direction), 0, 1)
    to_eye = np.clip(normals[..., 2], 0.05, 1)
    k = np.float32(np.sqrt(alpha2) / 2)
    visibility = 1 / ((to_light * (1 - k) + k) * (to_eye * (1 - k) + k))
    return np.float32(light.directed) * lobe * visibility * to_light / 4


@dataclass(frozen=True)
class Sheen:
    """What a finish makes of the light, pixel by pixel.

    Attributes:
        gain: (h, w) float32, factor on the colour; about 1 in the middle.
        added: (h, w, 3) float32 linear sRGB against diffuse white, 0 or more.
    """

    gain: np.ndarray
    added: np.ndarray


def sheen(
    color: np.ndarray,
    finish: Finish,
    normals: np.ndarray,
    light: FaceLight,
    glints: tuple[np.ndarray, np.ndarray],
    core: np.ndarray,
) -> Sheen:
    """Light a finish under a face's light.

    Args:
        color: (3,) linear sRGB of the product.
        finish: the surface.
        normals: (h, w, 3) unit normals.
        light: of the face.
        glints: from `scattered`.
        core: (h, w) bool, the middle of the place.
    """
    film = 0.04 * finish.gloss * mirrored(normals, light, finish.roughness)  # oil: F0 = 4 %
    added = np.repeat(film[..., None], 3, -1)
    metal = mirrored(normals, light, finish.roughness)
    metal = metal / max(float(np.median(metal[core])), 1e-3)
    gain = 1 + finish.metal * (np.clip(metal**0.6, 0.4, 2.4) - 1)
    turned = _turned(color, finish.hue_shift) / max(float(color.max()), 0.05)
    if finish.hue_shift:
        brightest = max(float(np.percentile(metal[core], 97)), 1.1)
        added += (0.45 * smoothstep(1.0, brightest, metal))[..., None] * turned
    if finish.sparkle:
        tilt, bright = glints
        caught = smoothstep(0.1, 0.7, mirrored(_tilted(normals, tilt), light, 0.2))
        added += finish.sparkle_light * (bright * caught)[..., None] * (0.5 + 0.5 * turned)
    return Sheen(gain, added)


def scattered(
    finish: Finish, uv: np.ndarray, texel: float, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Flakes strewn over the canonical map, seen in the picture.

    Args:
        finish: how many and how large.
        uv: (h, w, 2) float32 places in the map, 0..1.
        texel: width of a picture pixel in mm on the face; flakes are no finer than that.
        seed: of their places.

    Returns:
        (h, w, 2) how far each flake is tilted, and (h, w) its brightness, 0 between flakes.
    """
    generator = np.random.default_rng(seed)
    cells = int(np.clip(150 / max(finish.sparkle_size, 1.1 * texel), 64, 2048))
    tilt = generator.normal(0, 0.35, (cells, cells, 2)).astype(np.float32)
    bright = generator.random((cells, cells)) < finish.sparkle
    bright = bright * generator.uniform(0.4, 1, (cells, cells)).astype(np.float32)
    flakes = np.dstack([tilt, bright.astype(np.float32)])
    places = uv * np.float32(cells) - np.float32(0.5)
    seen = cv2.remap(flakes, places, None, cv2.INTER_LINEAR)  # pyright: ignore
    return seen[..., :2], seen[..., 2]


def _turned(color: np.ndarray, degrees: float) -> np.ndarray:
    """The colour with its CIELAB hue turned, (3,) linear."""
    if not degrees:
        return np.asarray(color, np.float32)
    lightness, a, b = rgb_to_lab(linear_to_rgb(color)[None])[0]
    turn = np.radians(degrees)
    turned = [lightness, a * np.cos(turn) - b * np.sin(turn), a * np.sin(turn) + b * np.cos(turn)]
    return rgb_to_linear(lab_to_rgb(np.asarray([turned], np.float32))[0])


def _tilted(normals: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    leaned = normals.copy()
    leaned[..., :2] += tilt
    return leaned / np.linalg.norm(leaned, axis=-1, keepdims=True)
