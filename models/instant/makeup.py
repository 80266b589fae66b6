"""Makeup without a face: what a reference wears, as maps in the canonical face."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import cv2
import numpy as np

from models import regions
from models.instant.face_texture import TEXTURE_SIZE, FaceTexture
from models.ops.color import chroma
from models.ops.landmarks import canonical_face
from models.ops.masks import blur, both_sides, canonical_regions, smoothstep

_LOST = 0.08  # share of a soft wash that mask edges and fine hair take away again; given back


@dataclass(frozen=True)
class Makeup:
    """A look, ready to be put on any face.

    Two ways of saying colour live side by side: `deviation` is relative to the wearer's own bare
    skin (what is seen of blush and shadow), `paint` is absolute (lipstick, liner, glitter).

    Attributes:
        deviation: (S, S, 3) float32, CIELAB difference from bare skin.
        cover: (S, S) float32 in 0..1, how far the wearer's own deviation (old makeup, redness) is
            taken away first: 1 replaces it, 0 adds to it.
        paint: (S, S, 3) float32 CIELAB; meaningful where `opacity` is above 0.
        opacity: (S, S) float32 in 0..1.
        brows: (3,) float32, CIELAB difference of the brow hair from bare skin, or NaN to leave
            the wearer's brows alone.
        tone: (3,) float32, CIELAB of the skin `deviation` was seen on, or NaN. Known, it lets a
            pigment act on another skin as a filter does (see `models.instant.layer`).
    """

    deviation: np.ndarray
    cover: np.ndarray
    paint: np.ndarray
    opacity: np.ndarray
    brows: np.ndarray
    tone: np.ndarray = field(default_factory=lambda: np.full(3, np.nan, np.float32))

    @property
    def size(self) -> int:
        """Side S of the maps in texels."""
        return self.opacity.shape[0]


def nothing(size: int = TEXTURE_SIZE) -> Makeup:
    """A look without makeup: it leaves every face as it is."""
    flat = np.zeros((size, size), np.float32)
    color = np.zeros((size, size, 3), np.float32)
    return Makeup(color, flat, color.copy(), flat.copy(), np.full(3, np.nan, np.float32))


def extract(texture: FaceTexture) -> Makeup:
    """Take the makeup off a reference face.

    What one side hides (turned away, hair, shadow) is taken from the other.

    Args:
        texture: the reference, unfolded.
    """
    size = texture.lab.shape[0]
    masks = canonical_regions(size)
    deviation, known = _fill_from_mirror(texture.deviation, texture.seen)
    deviation = _close_holes(deviation, known * (1 - masks[regions.BROWS]))
    half = size // 2  # broad things are judged at half resolution
    light = blur(cv2.resize(deviation, (half, half), interpolation=cv2.INTER_AREA), 0.010 * half)
    broad = _resized(_plausible(light, texture.tone, canonical_regions(half)), size)
    fine = deviation - _resized(light, size)

    # Fine light and dark is makeup along the lashes, in glitter, and where colour is fine too.
    eyes = masks[regions.EYES]
    edges = blur(chroma(fine), 0.006 * size)
    drawn = smoothstep(5, 12, edges) * np.maximum(eyes, smoothstep(10, 18, chroma(broad)))
    drawn = np.maximum(drawn, lash_band(size) * eyes)
    detail = blur(fine, 0.003 * size) * np.maximum(eyes, drawn)[..., None]
    sparkle = np.clip(fine[..., 0] - 8, 0, None) * eyes
    detail[..., 0] = drawn * _cored(fine[..., 0], 1.5) + (1 - drawn) * sparkle

    cover = eyes + masks[regions.CHEEKS] + 0.8 * masks[regions.SKIN]
    return Makeup(
        broad + detail,
        cover,
        _lip_color(texture, masks[regions.LIPS]),
        masks[regions.LIPS],
        brow_color(texture),
        texture.tone,
    )


def mix(base: Makeup, parts: dict[str, Makeup]) -> Makeup:
    """Take some regions from other looks: `mix(a, {"lips": b})` wears b's lips and a's rest.

    Raises:
        KeyError: a key is not one of `regions.MAKEUP_REGIONS`.
    """
    result = base
    for region, other in parts.items():
        if region not in regions.MAKEUP_REGIONS:
            raise KeyError(region)
        if region == regions.BROWS:
            result = replace(result, brows=other.brows)
            continue
        weight = np.clip(4 * canonical_regions(base.size)[region], 0, 1)  # its soft edge too
        wide = weight[..., None]
        result = replace(
            result,
            deviation=result.deviation + wide * (other.deviation - result.deviation),
            cover=result.cover + weight * (other.cover - result.cover),
            paint=np.where(wide > 0.02, other.paint, result.paint),
            opacity=result.opacity + weight * (other.opacity - result.opacity),
        )
    return result


@lru_cache(maxsize=4)
def lash_band(size: int) -> np.ndarray:
    """A soft band along the lashes and the wing beyond the outer corner, (S, S) in 0..1."""
    mask = np.zeros((size, size), np.uint8)
    uv = canonical_face().points_uv
    upper = uv[[33, 246, 161, 160, 159, 158, 157, 173, 133]] - [0, 0.012]
    lower = uv[[33, 7, 163, 144, 145, 153, 154, 155]] + [0, 0.006]
    wing = uv[33] + np.array([[-0.07, -0.035], [0, 0]])
    for line in (upper, wing, lower):
        fixed = np.round(line * size * 16).astype(np.int32)
        cv2.polylines(mask, [fixed], False, (255,), max(1, round(0.036 * size)), cv2.LINE_AA, 4)
    return both_sides(blur(mask.astype(np.float32) / 255, 0.006 * size))


def _fill_from_mirror(values: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Replace what cannot be trusted by the other side; returns values and what is now known."""
    own = smoothstep(0.35, 0.75, blur(seen, 0.008 * len(seen)))
    other = own[:, ::-1]
    mirrored = (1 - own) * other
    filled = values + mirrored[..., None] * (values[:, ::-1] - values)
    return filled, np.maximum(own, other)


def _close_holes(deviation: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Continue the map into what is unknown from its surroundings, fading to none further in."""
    size = len(known)
    quarter = (size // 4, size // 4)
    weight = cv2.resize(known, quarter, interpolation=cv2.INTER_AREA)[..., None]
    values = cv2.resize(deviation, quarter, interpolation=cv2.INTER_AREA) * weight
    near = blur(values, 0.02 * size / 4) / (blur(weight, 0.02 * size / 4)[..., None] + 0.08)
    return deviation + (1 - known)[..., None] * (_resized(near, size) - deviation)


def _plausible(light: np.ndarray, tone: np.ndarray, masks: dict[str, np.ndarray]) -> np.ndarray:
    """Keep of a broad deviation what makeup does, and drop what light and shape do.

    Shadows and highlights have no colour of their own and mostly fall on one side; soft makeup is
    worn on both. So without strong colour the two sides must agree: the smaller one is believed.
    Off the eyes and cheeks a weak deviation is skin, not makeup. What is brighter and greyer than
    the skin is a reflection.
    """
    grey = 1 - smoothstep(0.4, 0.8, chroma(light + tone) / (np.hypot(*tone[1:]) + 1))
    glare = smoothstep(5, 14, light[..., 0]) * grey * (1 - masks[regions.EYES])
    light = light * (1 - glare)[..., None]
    mirrored = light[:, ::-1]
    both = (light + mirrored) / 2
    smaller = np.minimum(np.abs(light), np.abs(mirrored))
    agreed = np.where(light * mirrored > 0, np.copysign(smaller, light), 0)
    one_sided = smoothstep(22, 36, chroma(light - mirrored)) * smoothstep(14, 24, chroma(light))
    soft_regions = np.repeat(masks[regions.EYES][..., None], 3, 2)
    soft_regions[..., 1:] += masks[regions.CHEEKS][..., None]
    soft = (agreed + soft_regions * (both - agreed)) * (1 + _LOST * soft_regions)
    kept = soft + one_sided[..., None] * (light - soft)

    strength = chroma(kept)
    plain = masks[regions.SKIN] * (1 - smoothstep(6, 16, strength))
    # Shading, unlike pigment, lacks colour of its own.
    within = 3 + strength + 100 * masks[regions.EYES] + 2 * masks[regions.CHEEKS]
    kept[..., 0] = np.clip(kept[..., 0], -within, within) * (1 - plain)
    kept[..., 1:] *= (1 - 0.3 * plain)[..., None]
    lips = masks[regions.LIPS]
    around_lips = blur(lips, 0.02 * len(light)) * (1 - lips)
    return kept * (1 - smoothstep(0.02, 0.2, around_lips))[..., None]  # lipstick past the mesh


def _lip_color(texture: FaceTexture, lips: np.ndarray) -> np.ndarray:
    """Colour of the lips, continued beyond their edge so that no skin of the reference shows."""
    size = len(lips)
    paint = np.zeros((size, size, 3), np.float32)
    rows, cols = (np.nonzero(lips.max(axis))[0][[0, -1]] for axis in (1, 0))
    box = np.s_[rows[0] : rows[1] + 1, cols[0] : cols[1] + 1]  # symmetric, like the mask
    lab, known = _fill_from_mirror(texture.lab[box], texture.seen[box])
    core = smoothstep(0.72, 0.95, blur(lips[box], 0.009 * size))
    weight = core * np.maximum(known, 0.02)
    near = np.dstack([blur(lab[..., 0], 0.006 * size), blur(lab[..., 1:], 0.003 * size)])
    spread = blur(lab * weight[..., None], 0.02 * size)
    far = spread / (blur(weight, 0.02 * size)[..., None] + 1e-4)
    paint[box] = far + smoothstep(0.3, 0.8, weight)[..., None] * (near - far)
    return paint


def _resized(image: np.ndarray, size: int) -> np.ndarray:
    return cv2.resize(image, (size, size), interpolation=cv2.INTER_LINEAR)


def _cored(values: np.ndarray, noise: float) -> np.ndarray:
    """Shrink towards 0 by `noise`."""
    return np.sign(values) * np.clip(np.abs(values) - noise, 0, None)


def brow_color(texture: FaceTexture) -> np.ndarray:
    """Mean difference of the darkest third of each brow from bare skin; NaN if not seen."""
    weight = canonical_regions(texture.lab.shape[0])[regions.BROWS] * texture.seen
    chosen = weight > 0.5
    if chosen.sum() < 50:
        return np.full(3, np.nan, np.float32)
    deviation = texture.lab[chosen] - texture.bare[chosen]
    dark = deviation[:, 0] <= np.percentile(deviation[:, 0], 33)
    return np.asarray(np.median(deviation[dark], axis=0), np.float32)
