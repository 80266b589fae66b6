"""Swatches of shades: a domed pan in the light of a window, so that the finish shows."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from PIL import Image

from models.instant.face_light import FaceLight
from models.instant.finish import FINISHES, scattered, sheen
from models.ops.color import hex_to_lab, lab_to_rgb, linear_to_rgb, rgb_to_linear

_DOME = 0.9  # how much a pan's surface leans at its edge
_WINDOW = np.array([-0.45, -0.55, 0.70])


@lru_cache(maxsize=512)
def draw_swatch(color: str, finish: str = "matte", side: int = 120) -> Image.Image:
    """Draw a swatch.

    Args:
        color: sRGB hex; the median of the swatch has it.
        finish: one of `FINISHES`.
        side: width and height in pixels.

    Raises:
        KeyError: there is no such finish.
        ValueError: the colour is no hex.
    """
    across = np.linspace(-1, 1, side, dtype=np.float32)
    x, y = np.meshgrid(across, across)
    normals = np.dstack([_DOME * x, _DOME * y, np.ones_like(x)])
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    window = _WINDOW / np.linalg.norm(_WINDOW)
    light = FaceLight(np.array([0.75, *(0.25 * window), 0, 0, 0, 0, 0]), window, 0.7, 0.4)
    surface = FINISHES[finish]
    pigment = rgb_to_linear(lab_to_rgb(hex_to_lab(color)[None]))[0]
    grid = np.dstack([x, y]) / 8 + np.float32(0.5)  # a pan is about as wide as an eighth of a face
    glints = scattered(surface, grid, 18 / side, seed=0)
    everywhere = np.ones((side, side), bool)
    lit = sheen(pigment, surface, normals, light, glints, everywhere)
    shade = light.at(normals)
    body = pigment * (shade / np.median(shade) * lit.gain)[..., None]
    mirrored = np.maximum(lit.added - np.percentile(lit.added, 65, axis=(0, 1)), 0)
    return Image.fromarray(np.rint(255 * linear_to_rgb(body + mirrored)).astype(np.uint8))
