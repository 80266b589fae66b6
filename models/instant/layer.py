"""Put makeup on a face: an editable layer in the picture, computed once, blended often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from models import regions
from models.instant.face_texture import FaceTexture
from models.instant.makeup import Makeup, brow_color
from models.ops.color import chroma, lab_to_rgb, rgb_to_lab
from models.ops.landmarks import canonical_face
from models.ops.masks import blur, canonical_regions, polygon, smoothstep
from models.ops.warp import sample
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
    shift = None
    own_brows = brow_color(texture)
    if np.isfinite(makeup.brows + own_brows).all():
        shift = np.clip(makeup.brows - own_brows, [-18, -12, -14], [18, 12, 14])
        if not np.isfinite(makeup.tone).all():  # drawn for nobody: darken brows, never dye them
            shift = np.array([min(shift[0], 0), 0, 0])
    return render_change(change_on(makeup, texture), face, texture, shift)


def render_change(
    lab_change: np.ndarray, face: Face, texture: FaceTexture, brows: np.ndarray | None = None
) -> MakeupLayer:
    """Carry a change of the unfolded face into the picture.

    Args:
        lab_change: (S, S, 3) CIELAB to add to each texel.
        face: the face in its picture.
        texture: the face, unfolded to the same size.
        brows: (3,) CIELAB to add to the hair of the brows, or None to leave it alone.
    """
    size = len(lab_change)
    x0, y0, x1, y1 = face.box_xyxy
    # 1. Where each pixel lies in the canonical face
    uv, inside = canonical_face().texture_positions(face.points_xyz, face.box_xyxy)
    uv = uv * size - 0.5
    # 2. The change, carried into the picture
    masks = canonical_regions(size)
    added = sample(lab_change, uv)
    lips, eyes, cheeks, plain = cv2.split(sample(_packed(size), uv))
    zone_and_bare = np.dstack([masks[regions.BROWS], texture.bare[..., 0]])
    zone, bare = cv2.split(sample(zone_and_bare, uv))
    # 3. What must stay: eyes, mouth, hair, glasses, hands, the hair of the brows
    lab = rgb_to_lab(face.image[y0:y1, x0:x1])
    visible = paintable(face, inside)
    hair = brow_hair(lab, bare, zone)
    weights = {
        regions.LIPS: lips * visible,
        regions.EYES: eyes * (1 - hair) * visible,
        regions.BROWS: np.zeros_like(hair),
        regions.CHEEKS: cheeks * (1 - hair) * visible,
        regions.SKIN: plain * (1 - hair) * visible,
    }
    if brows is not None:
        weights[regions.BROWS] = hair * visible
        added += hair[..., None] * (np.asarray(0.7 * brows, np.float32) - added)
    # 4. As code values at full strength, shared out to the regions
    total = np.sum(list(weights.values()), axis=0)
    share = 1 / np.maximum(total, 1)
    lit = (lab_to_rgb(_soft_floor(lab + added)) - lab_to_rgb(_soft_floor(lab))) * 255
    return MakeupLayer(
        face.box_xyxy, lit, {name: weight * share for name, weight in weights.items()}
    )


def region_weights(face: Face, size: int = 512) -> dict[str, np.ndarray]:
    """Where each region's makeup may lie on a face, whoever makes it.

    Args:
        face: the wearer.
        size: side of the canonical masks in texels.

    Returns:
        region -> (h, w) float32 in 0..1 over `face.box_xyxy`; they add up to at most 1.
    """
    uv, inside = canonical_face().texture_positions(face.points_xyz, face.box_xyxy)
    visible = paintable(face, inside)
    masks = canonical_regions(size)
    uv = uv * size - 0.5
    weights = {region: sample(mask, uv) * visible for region, mask in masks.items()}
    share = 1 / np.maximum(np.sum(list(weights.values()), axis=0), 1)
    return {region: weight * share for region, weight in weights.items()}


def paintable(face: Face, inside: np.ndarray) -> np.ndarray:
    """Where makeup may lie: on the mesh, off the eyes and the mouth, not on hair, glasses or hands.

    Args:
        face: the wearer.
        inside: (h, w) float32, 1 inside the mesh, over the face's box.

    Returns:
        (h, w) float32 in 0..1.
    """
    x0, y0, x1, y1 = face.box_xyxy
    local = face.points_xyz[:, :2] - np.asarray([x0, y0], np.float32)
    size_hw = (y1 - y0, x1 - x0)
    outline = polygon(local[list(regions.FACE_OVAL)], size_hw)
    visible = inside * outline * (1 - _openings(local, size_hw, face.eye_distance))
    return visible if face.skin is None else visible * face.skin


def brow_hair(lab: np.ndarray, bare: np.ndarray, zone: np.ndarray) -> np.ndarray:
    """Hair of the brows, (h, w) in 0..1: what is darker than the `bare` L* inside their zone."""
    return smoothstep(4, 26, bare - lab[..., 0]) * zone


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


def change_on(makeup: Makeup, texture: FaceTexture) -> np.ndarray:
    """CIELAB to add to each texel of the wearer: the look's deviation in place of the wearer's."""
    size = makeup.size
    masks = canonical_regions(size)
    half = (size // 2, size // 2)
    own = blur(cv2.resize(texture.lab, half, interpolation=cv2.INTER_AREA), 0.012 * size / 2)
    own = cv2.resize(own, (size, size), interpolation=cv2.INTER_LINEAR)
    trusted = makeup.cover * smoothstep(0.2, 0.6, texture.seen)
    present = (own - texture.bare) * trusted[..., None]
    present[..., 0] *= (
        masks[regions.EYES] + masks[regions.CHEEKS]
    )  # elsewhere it is the face's shape
    change = _on_skin(makeup, texture.bare) - present
    rows, cols = (np.nonzero(makeup.opacity.max(axis))[0] for axis in (1, 0))
    if len(rows):
        box = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
        opaque, lips = makeup.opacity[box][..., None], masks[regions.LIPS][box][..., None]
        close = blur(texture.lab[box], 0.006 * size)  # lips keep less of their own colour
        base = own[box] + lips * (close - own[box])
        change[box] += opaque * (makeup.paint[box] - base - change[box])
    return change


def _on_skin(makeup: Makeup, bare: np.ndarray) -> np.ndarray:
    """The look's deviation on another skin: a difference, or for dark greys a filter.

    Adding the CIELAB difference seen on tanned skin turns black liner blue on pale skin, because
    black is far from tan in b*. Passing the new skin's light as a filter would (in linear sRGB)
    keeps it black, but makes colours fade on dark skin. So dark greys take their hue from the
    filter and everything else from the difference; lightness is a difference throughout.
    """
    if not np.isfinite(makeup.tone).all():
        return makeup.deviation
    tone = cv2.cvtColor(makeup.tone.reshape(1, 1, 3), cv2.COLOR_Lab2LRGB)
    coarse = cv2.resize(bare, (64, 64), interpolation=cv2.INTER_AREA)  # light is smooth
    ratio = cv2.cvtColor(coarse, cv2.COLOR_Lab2LRGB) / np.maximum(tone, 0.01)
    passed = cv2.cvtColor(makeup.tone + makeup.deviation, cv2.COLOR_Lab2LRGB)
    np.maximum(passed, 0.002, out=passed)
    passed *= cv2.resize(ratio, bare.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    filtered = cv2.cvtColor(np.minimum(passed, 1, out=passed), cv2.COLOR_LRGB2Lab)
    filtered -= bare
    dark = smoothstep(8, 36, -makeup.deviation[..., 0])
    grey = 1 - smoothstep(20, 45, chroma(makeup.tone + makeup.deviation))
    filtered -= makeup.deviation
    filtered[..., 0] = 0
    filtered[..., 1:] *= (0.1 + 0.9 * dark * grey)[..., None]
    filtered += makeup.deviation
    return filtered


@lru_cache(maxsize=4)
def _packed(size: int) -> np.ndarray:
    """Lips, eyes, cheeks and skin as one picture, so that one remap carries all."""
    masks = canonical_regions(size)
    order = (regions.LIPS, regions.EYES, regions.CHEEKS, regions.SKIN)
    return np.dstack([masks[region] for region in order])


def _openings(points_xy: np.ndarray, size_hw: tuple[int, int], eye_distance: float) -> np.ndarray:
    """The eyes and the inside of the mouth, where no makeup goes."""
    feather = 0.008 * eye_distance
    loops = (regions.EYE_LEFT, regions.EYE_RIGHT, regions.LIPS_INNER)
    return np.max([polygon(points_xy[list(loop)], size_hw, feather) for loop in loops], axis=0)


def _soft_floor(lab: np.ndarray) -> np.ndarray:
    """Let L* approach black softly instead of being cut off; works in place."""
    dark = lab[..., 0] < 2 * _DARKEST
    light = lab[..., 0][dark]
    lab[..., 0][dark] = 2 * _DARKEST * np.exp2(light / _DARKEST - 2)
    return lab
