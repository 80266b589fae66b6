"""Put makeup on a face: an editable layer in the picture, computed once, blended often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from models import regions
from models.instant.face_texture import FaceTexture
from models.instant.makeup import Makeup, brow_colour
from models.ops.color import lab_to_rgb, rgb_to_lab
from models.ops.landmarks import canonical_face
from models.ops.masks import blur, canonical_regions, polygon, smoothstep
from models.structures import Face

_DARKEST = 4.0  # L* below which a face shows no drawing any more


@dataclass(frozen=True)
class MakeupLayer:
    """Makeup at full strength on one face, ready to be weighted by region.

    Attributes:
        box_xyxy: where the layer lies in the picture, whole pixels.
        change: (h, w, 3) float32, what full strength adds to the picture, in 8-bit code values.
        weights: region -> (h, w) float32 in 0..1; they add up to 1 wherever `change` is not 0.
    """

    box_xyxy: tuple[int, int, int, int]
    change: np.ndarray
    weights: Mapping[str, np.ndarray]


def render(makeup: Makeup, face: Face, texture: FaceTexture) -> MakeupLayer:
    """Put `makeup` on `face` at full strength.

    Args:
        makeup: the look.
        face: the wearer.
        texture: the wearer, unfolded; of the same size as the makeup's maps.
    """
    size = makeup.size
    box = face.box_xyxy
    x0, y0, x1, y1 = box
    uv, inside = canonical_face().texture_positions(face.points_xyz, box)
    uv = uv * size - 0.5
    masks = canonical_regions(size)
    packed = np.dstack(
        [masks[r] for r in (regions.LIPS, regions.EYES, regions.CHEEKS, regions.SKIN)]
    )
    lips, eyes, cheeks, rest = cv2.split(cv2.remap(packed, uv, None, cv2.INTER_LINEAR))
    brow_zone = cv2.remap(masks[regions.BROWS], uv, None, cv2.INTER_LINEAR)
    change = cv2.remap(_change(makeup, texture, masks), uv, None, cv2.INTER_LINEAR)

    crop = face.image[y0:y1, x0:x1]
    lab = rgb_to_lab(crop)
    local = face.points_xyz[:, :2] - [x0, y0]
    hair = _brow_hair(lab[..., 0], texture, uv, brow_zone)
    openings = _openings(local, inside.shape, face.eye_distance)
    visible = inside * (1 - openings)
    if face.skin is not None:
        visible = visible * face.skin
    eyes, cheeks, rest = (mask * (1 - hair) for mask in (eyes, cheeks, rest))
    weights = {
        regions.LIPS: lips * visible,
        regions.EYES: eyes * visible,
        regions.BROWS: np.zeros_like(lips),
        regions.CHEEKS: cheeks * visible,
        regions.SKIN: rest * visible,
    }
    own = brow_colour(texture)
    if np.isfinite(makeup.brows + own).all():
        shift = 0.7 * np.clip(makeup.brows - own, [-18, -12, -14], [18, 12, 14])
        weights[regions.BROWS] = hair * visible
        change = change + hair[..., None] * (np.float32(shift) - change)
    total = sum(weights.values())
    share = np.where(total > 0, 1 / np.maximum(total, 1), 0)
    full = _soft_floor(lab + change * np.minimum(total, 1)[..., None])
    added = (lab_to_rgb(full) - lab_to_rgb(lab)) * 255
    known = np.maximum(total, 1e-3)[..., None]
    added = np.where(total[..., None] > 1e-3, added / np.minimum(known, 1), 0)
    return MakeupLayer(
        box, np.float32(added), {name: np.float32(w * share) for name, w in weights.items()}
    )


def blend(
    image: np.ndarray,
    layer: MakeupLayer,
    strengths: Mapping[str, float],
    strength: float = 1.0,
) -> np.ndarray:
    """Add the layer to the picture.

    Args:
        image: (H, W, 3) uint8, the picture the layer was made for.
        layer: from `render`.
        strengths: region -> 0..1; regions not named are worn in full.
        strength: overall, 0..1.

    Returns:
        A new (H, W, 3) uint8 picture; pixels without weight are bit-equal to `image`.
    """
    x0, y0, x1, y1 = layer.box_xyxy
    weight = np.zeros(layer.change.shape[:2], np.float32)
    for region, mask in layer.weights.items():
        share = strength * strengths.get(region, 1.0)
        if share > 0:
            weight += np.float32(share) * mask
    result = image.copy()
    crop = image[y0:y1, x0:x1]
    mixed = crop + weight[..., None] * layer.change
    result[y0:y1, x0:x1] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    return result


def _change(makeup: Makeup, texture: FaceTexture, masks: dict[str, np.ndarray]) -> np.ndarray:
    """CIELAB to add to each texel of the wearer: the look's deviation in place of the wearer's."""
    size = makeup.size
    half = (size // 2, size // 2)
    own = blur(cv2.resize(texture.lab, half, interpolation=cv2.INTER_AREA), 0.012 * size / 2)
    own = cv2.resize(own, (size, size), interpolation=cv2.INTER_LINEAR)
    trusted = makeup.cover * smoothstep(0.2, 0.6, texture.seen)
    change = _on_skin(makeup, texture.bare) - (own - texture.bare) * trusted[..., None]
    rows, cols = (np.nonzero(makeup.opacity.max(axis))[0] for axis in (1, 0))
    if len(rows):
        box = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        opaque, lips = makeup.opacity[box][..., None], masks[regions.LIPS][box][..., None]
        close = blur(texture.lab[box], 0.006 * size)  # lips keep less of their own colour
        base = own[box] + lips * (close - own[box])
        change[box] += opaque * (makeup.paint[box] - base - change[box])
    return change


def _on_skin(makeup: Makeup, bare: np.ndarray) -> np.ndarray:
    """The look's deviation on another skin: half difference, half filter.

    Adding a CIELAB difference seen on tanned skin turns black liner blue on pale skin; dividing
    light as a filter does (in linear sRGB) keeps it black but fades on dark skin. Their mean keeps
    the hue of the pigment and most of its contrast on both; the darker, the more a filter's hue.
    """
    if not np.isfinite(makeup.tone).all():
        return makeup.deviation
    tone = makeup.tone.reshape(1, 1, 3)
    seen = cv2.cvtColor(tone + makeup.deviation, cv2.COLOR_Lab2LRGB)
    passed = np.clip(seen, 0.002, 1) / np.clip(cv2.cvtColor(tone, cv2.COLOR_Lab2LRGB), 0.01, 1)
    light = cv2.cvtColor(bare, cv2.COLOR_Lab2LRGB) * np.clip(passed, 0, 4)
    filtered = cv2.cvtColor(np.clip(light, 0, 1), cv2.COLOR_LRGB2Lab) - bare
    share = 0.5 + 0.5 * smoothstep(12, 36, -makeup.deviation[..., :1])
    share = np.concatenate([np.full_like(share, 0.5), share, share], -1)
    return makeup.deviation + share * (filtered - makeup.deviation)


def _brow_hair(
    lightness: np.ndarray, texture: FaceTexture, uv: np.ndarray, zone: np.ndarray
) -> np.ndarray:
    """How much of each pixel is brow hair: darker than the bare skin there, inside the brow."""
    bare = cv2.remap(np.ascontiguousarray(texture.bare[..., 0]), uv, None, cv2.INTER_LINEAR)
    return smoothstep(4, 26, bare - lightness) * zone


def _openings(points_xy: np.ndarray, size_hw: tuple[int, int], eye_distance: float) -> np.ndarray:
    """The eyes and the inside of the mouth, where no makeup goes."""
    feather = 0.008 * eye_distance
    loops = (regions.EYE_LEFT, regions.EYE_RIGHT, regions.LIPS_INNER)
    return np.max([polygon(points_xy[list(loop)], size_hw, feather) for loop in loops], axis=0)


def _soft_floor(lab: np.ndarray) -> np.ndarray:
    """Let L* approach black softly instead of being cut off."""
    light = lab[..., 0]
    lab[..., 0] = np.where(
        light < 2 * _DARKEST,
        _DARKEST * np.exp2(np.clip(light, -60, None) / _DARKEST - 2) * 2,
        light,
    )
    return lab
