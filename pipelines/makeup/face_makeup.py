"""What makeup a person wears, region by region, so that a catalogue can find its nearest shades.

Only what colour can tell is read: lips, eyes and cheeks. A foundation that suits cannot be told
from skin, nor a filled brow from a dark one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from models import regions
from models.instant.drawn_shapes import Place, Zone, zone_mask
from models.instant.face_texture import FaceTexture, unfold
from models.instant.makeup import Makeup, extract
from models.ops.color import delta_e, hex_to_lab, lab_to_hex
from models.ops.masks import blur, canonical_regions, smoothstep
from models.structures import Face
from pipelines.analysis import FaceAnalyzer

# What bare faces show, fitted on 54 neutral faces of the London set (L*, a*, b*).
_BARE_TONE = np.array([55, 10, 15], np.float32)
_BARE_LIPS = np.array([44.6, 18.3, 7.6], np.float32)  # of a face of that tone, and by tone:
_LIPS_BY_TONE = np.array([[0.59, 0.29, 0.05], [-0.05, 0.8, -0.09], [-0.15, -0.08, 0.4]], np.float32)
_BARE_EYES: dict[Zone | Place, np.ndarray] = {
    "lid": np.array([-24.7, -3.7, -6.1]),
    "crease": np.array([-19.6, -1.4, -3.0]),
}
_BARE_CHEEK = np.array([0.0, 1.2, 1.1])

CERTAIN_MAKEUP = 0.3
"""Strength from which on a colour on a face is taken for makeup."""

# How much of the skin a soft product usually hides: the colour in the pan is further from skin.
_EYE_COVER, _CHEEK_COVER = 0.75, 0.45
_SAME_SHADOW = 8.0  # CIEDE2000 within which lid and crease count as one shadow


@dataclass(frozen=True)
class MakeupColor:
    """One product a person seems to wear.

    Attributes:
        region: "lips", "eyes" or "cheeks"; eyes may come twice, lid first, then crease.
        hex: sRGB of the product, such as "#b01030".
        lab: CIELAB (D65) of the product: L in 0..100, a, b.
        finish: one of `FINISHES` of `pipelines.catalog.extract.attributes`.
        strength: 0 (bare, as far as one can tell) to 1 (certainly made up).
    """

    region: str
    hex: str
    lab: tuple[float, float, float]
    finish: str
    strength: float


def read_makeup(image: Image.Image, analyzer: FaceAnalyzer | None = None) -> list[MakeupColor]:
    """Read the makeup off the largest face of a picture.

    Args:
        image: RGB.
        analyzer: finds faces; made when None.

    Returns:
        What lips, eyes and cheeks wear, in that order; a region that is hidden is left out. Look
        at `strength` before believing that a colour is makeup.

    Raises:
        NoFaceError: the picture shows no face.
    """
    return read_face_makeup((analyzer or FaceAnalyzer()).find_largest(image))


def read_face_makeup(face: Face) -> list[MakeupColor]:
    """Read the makeup off a face already found; see `read_makeup`."""
    texture = unfold(face)
    makeup = extract(texture)
    return [*_lips(texture), *_eyes(texture, makeup), *_cheeks(texture, makeup)]


def read_certain_makeup(face: Face) -> list[MakeupColor]:
    """What of a face's colours is taken for makeup, from a strength of `CERTAIN_MAKEUP` on."""
    return [color for color in read_face_makeup(face) if color.strength >= CERTAIN_MAKEUP]


def _lips(texture: FaceTexture) -> list[MakeupColor]:
    """Lipstick hides: its colour is what is seen."""
    core = _core(texture, canonical_regions(len(texture.seen))[regions.LIPS])
    if core is None:
        return []
    colors = texture.lab[core]
    seen = np.median(colors, axis=0)
    natural = _BARE_LIPS + (texture.tone - _BARE_TONE) @ _LIPS_BY_TONE
    highlight = float(np.percentile(colors[:, 0], 98) - seen[0])
    finish = "gloss" if highlight > 24 else "satin" if highlight > 11 else "matte"
    return [_makeup_color(regions.LIPS, seen, finish, smoothstep(5, 15, delta_e(seen, natural)))]


def _eyes(texture: FaceTexture, makeup: Makeup) -> list[MakeupColor]:
    """Shadow: what lid and crease show beyond the shade that bare lids lie in."""
    found: list[MakeupColor] = []
    for zone, bare in _BARE_EYES.items():
        core = _core(texture, zone_mask(zone, makeup.size))
        if core is None:
            continue
        excess = np.median(makeup.deviation[core], axis=0) - bare
        color = texture.tone + excess / _EYE_COVER
        strength = smoothstep(5, 22, float(np.linalg.norm(excess * [0.6, 1.5, 1.2])))
        if found and delta_e(np.array(found[0].lab), color) < _SAME_SHADOW:
            continue
        found.append(_makeup_color(regions.EYES, color, _eye_finish(texture, core), strength))
    return found


def _cheeks(texture: FaceTexture, makeup: Makeup) -> list[MakeupColor]:
    """Blush: a shift of colour; the lightness of a cheek is the shape of the face."""
    core = _core(texture, zone_mask("cheekbones", makeup.size))
    if core is None:
        return []
    excess = np.median(makeup.deviation[core], axis=0) - _BARE_CHEEK
    excess[0] = min(excess[0], 0)
    strength = smoothstep(2, 9, float(np.linalg.norm(excess[1:])))
    return [_makeup_color(regions.CHEEKS, texture.tone + excess / _CHEEK_COVER, "matte", strength)]


def _core(texture: FaceTexture, mask: np.ndarray) -> np.ndarray | None:
    """Texels well inside `mask` that can be seen; None if there are too few to judge."""
    core = (mask > 0.75) & (texture.seen > 0.7)
    return core if core.sum() >= 60 else None


def _eye_finish(texture: FaceTexture, core: np.ndarray) -> str:
    """Sparkle is light finer than lashes and folds; skin has next to none of it."""
    light = texture.lab[..., 0]
    fine = (light - blur(light, 0.004 * len(light)))[core]
    share = float((fine > 6).mean())
    return "glitter" if share > 0.10 else "shimmer" if share > 0.055 else "matte"


def _makeup_color(region: str, lab: np.ndarray, finish: str, strength: np.ndarray) -> MakeupColor:
    code = lab_to_hex(lab)
    lightness, a, b = (round(float(value), 2) for value in hex_to_lab(code))
    return MakeupColor(region, code, (lightness, a, b), finish, round(float(strength), 3))
