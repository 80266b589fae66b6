"""Shades on a face: colour, finish and opacity of a product, under the face's own light."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from models import regions
from models.instant.coats import Coat, place_mask
from models.instant.face_light import FaceLight, estimate_light
from models.instant.face_texture import TEXTURE_SIZE, FaceTexture
from models.instant.finish import FINISHES, scattered, sheen
from models.instant.layer import MakeupLayer, brow_hair, paintable
from models.instant.pigment import layer_over
from models.ops.color import (
    delta_e,
    hex_to_lab,
    lab_to_rgb,
    linear_to_rgb,
    rgb_to_lab,
    rgb_to_linear,
)
from models.ops.landmarks import canonical_face
from models.ops.masks import blur, canonical_regions
from models.ops.warp import sample
from models.structures import Face

_LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # of linear sRGB
_HAZE = 65  # percentile of what a place mirrors that is haze: part of the product's known colour
_STEPS = 4  # of the closed loop; each leaves about a tenth of the error


@dataclass(frozen=True)
class Reached:
    """Colour asked and colour reached, both as medians over the middle of the place.

    Attributes:
        coat: what was asked for.
        expected_lab: (3,) CIELAB of the coat, as thin as it is, over this skin in this light.
        reached_lab: (3,) CIELAB found in the picture; NaN where the place is hidden.
    """

    coat: Coat
    expected_lab: np.ndarray
    reached_lab: np.ndarray

    @property
    def delta_e(self) -> float:
        """CIEDE2000 between the two."""
        return float(delta_e(self.expected_lab, self.reached_lab))

    @property
    def delta_e_product(self) -> float:
        """CIEDE2000 to the product's own colour, as if there were no skin below and no light."""
        return float(delta_e(hex_to_lab(self.coat.color), self.reached_lab))


def render_coats(
    coats: Sequence[Coat], face: Face, texture: FaceTexture
) -> tuple[MakeupLayer, list[Reached]]:
    """Put coats on a face, one over the other.

    Each pixel is taken apart into light and reflectance, the layer of pigment is laid over the
    reflectance (`models.instant.pigment`), and the light is put back with what the finish mirrors.
    The pigment is then corrected until the median of the place has the colour asked for.

    Args:
        coats: in the order they are put on.
        face: the wearer.
        texture: the wearer, unfolded.

    Returns:
        The layer at full strength, to be blended like any makeup, and the colours reached, in the
        order of `coats`.
    """
    site = _Site(face, texture)
    linear = site.own.copy()
    covered: dict[str, np.ndarray] = {}
    reached = []
    for number, coat in enumerate(coats):
        mask = site.mask(coat.place)
        box = _bounds(mask)
        if box is None or coat.hiding <= 0:
            unseen = np.full(3, np.nan)
            reached.append(Reached(coat, unseen, unseen))
            continue
        painted, found = _paint(coat, site, mask[box], linear[box], box, seed=number)
        linear[box] = painted
        reached.append(found)
        share = covered.setdefault(coat.region, np.zeros_like(mask))
        np.maximum(share, mask, out=share)
    change = (linear_to_rgb(linear) - linear_to_rgb(site.own)) * 255
    total = np.sum(list(covered.values()), axis=0) if covered else np.zeros(change.shape[:2])
    weights = {
        region: np.asarray(mask / np.maximum(total, 1e-6)) for region, mask in covered.items()
    }
    change[total == 0] = 0
    return MakeupLayer(face.box_xyxy, change, weights), reached


class _Site:
    """A face made ready to be painted: its pixels, normals and light, over its box."""

    def __init__(self, face: Face, texture: FaceTexture) -> None:
        x0, y0, x1, y1 = face.box_xyxy
        size = TEXTURE_SIZE
        mesh = canonical_face()
        uv, inside = mesh.texture_positions(face.points_xyz, face.box_xyxy)
        self.uv, self._texels = uv, uv * size - 0.5
        crop = face.image[y0:y1, x0:x1]
        self.own = rgb_to_linear(crop)
        self.light: FaceLight = estimate_light(face, texture)
        normals = blur(mesh.interpolate(mesh.normals(face.points_xyz), size), 0.006 * size)
        normals = sample(normals, self._texels) + np.array([0, 0, 1e-6], np.float32)
        self.normals = normals / np.linalg.norm(normals, axis=-1, keepdims=True)
        self.eye_distance = face.eye_distance
        zone = canonical_regions(size)[regions.BROWS]
        zone, bare = cv2.split(sample(np.dstack([zone, texture.bare[..., 0]]), self._texels))
        self._hair = brow_hair(rgb_to_lab(crop), bare, zone)
        self._visible = paintable(face, inside)

    def mask(self, place: str) -> np.ndarray:
        """Where a place lies in the box, (h, w) float32 in 0..1."""
        if place == regions.BROWS:
            return self._hair * self._visible
        flat = sample(place_mask(place), self._texels)
        return flat * self._visible * (1 - self._hair if place != regions.LIPS else 1)


def _paint(
    coat: Coat, site: _Site, mask: np.ndarray, own: np.ndarray, box: tuple[slice, slice], seed: int
) -> tuple[np.ndarray, Reached]:
    """One coat over what is there: the new linear pixels of the box, and the colour reached."""
    finish = FINISHES[coat.finish]
    # 1. The light on each pixel: level of the place, its shape, and its fine lines
    luminance = own @ _LUMINANCE
    core = mask > 0.85 * mask.max()
    if coat.region == regions.EYES:  # colour is judged beside the lashes, not on them
        core &= luminance >= np.median(luminance[core])
    level = _level(coat.region, site, luminance[core], site.normals[box][core])
    shape, fine = _relief(luminance, mask, core, 0.14 * site.eye_distance)
    light = level * shape * np.minimum(fine, 1) ** finish.texture
    skin = own / light[..., None]
    # 2. What the coat mirrors, and what becomes of the wearer's own highlights
    asked = rgb_to_linear(lab_to_rgb(hex_to_lab(coat.color)[None]))[0]
    normals = _lined(site.normals[box], fine, 0.02 * site.eye_distance)
    glints = scattered(finish, site.uv[box], 63 / site.eye_distance, seed)
    lit = sheen(asked, finish, normals, site.light, glints, core)
    own_shine = np.maximum(fine - 1.03, 0) * shape * float(np.median(luminance[core]))
    film = 1 - (1 - coat.hiding) ** 3  # a thin film shines almost like a thick one
    left = max(finish.own_shine - (1 - coat.hiding), 0)  # the rest shows through the layer
    mirrored = level * lit.added + (left * own_shine)[..., None]
    mirrored = film * np.maximum(mirrored - np.percentile(mirrored[core], _HAZE, axis=0), 0)
    # 3. The pigment over the skin, corrected until the place has the colour asked for
    plain = np.median(own[core], axis=0) / level
    through = float(np.median(mask[core]))  # soft places are thin even in the middle
    expected = _lab((plain + through * (layer_over(plain, asked, coat.hiding) - plain)) * level)
    pigment_lab, painted, found = hex_to_lab(coat.color), own, expected
    gain = 1 + coat.hiding * (lit.gain - 1)
    for _ in range(_STEPS):
        pigment = rgb_to_linear(lab_to_rgb(pigment_lab[None]))[0]
        scatter = layer_over(skin, pigment, coat.hiding)
        coated = scatter * (light * gain)[..., None] + mirrored
        painted = own + mask[..., None] * (coated - own)
        found = np.median(rgb_to_lab(linear_to_rgb(painted[core][None]))[0], axis=0)
        pigment_lab = pigment_lab + (expected - found) / max(coat.hiding * through, 0.2)
    return painted, Reached(coat, expected, found)


def _level(region: str, site: _Site, luminance: np.ndarray, normals: np.ndarray) -> float:
    """Light on a place against the face's average, from its own pixels, (n) and (n, 3).

    Skin tells its light by itself, folds and all; lips and brows are of another colour, so that
    theirs is taken from the light of the face.
    """
    if region in (regions.LIPS, regions.BROWS):
        return float(np.clip(np.median(site.light.at(normals)), 0.55, 1.4))
    return float(np.clip(np.median(luminance) / site.light.skin, 0.4, 1.4))


def _relief(
    luminance: np.ndarray, mask: np.ndarray, core: np.ndarray, sigma: float
) -> tuple[np.ndarray, np.ndarray]:
    """Take a place's luminance apart: broad shape and fine relief, both 1 in the median of `core`.

    Only pixels of the place count, so that skin beside the lips does not lighten their edge.
    """
    broad = blur(luminance * mask, sigma) / (blur(mask, sigma) + 1e-4)
    broad = np.maximum(broad, 0.2 * float(np.median(luminance[core])) + 1e-3)
    fine = luminance / broad
    shape, fine = broad / np.median(broad[core]), fine / np.median(fine[core])
    return np.clip(shape, 0.3, 2.2), np.clip(fine, 0.05, 3)


def _lined(normals: np.ndarray, fine: np.ndarray, depth: float) -> np.ndarray:
    """Normals leaned by fine relief, taking dark for low: (h, w, 3) unit normals.

    Args:
        normals: of the mesh.
        fine: (h, w) relief about 1.
        depth: height in pixels of a relief of 1.
    """
    height = depth * blur(np.clip(fine, 0.5, 1.5), 0.25 * depth)
    leaned = normals.copy()
    leaned[..., 0] -= cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    leaned[..., 1] -= cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    return leaned / np.linalg.norm(leaned, axis=-1, keepdims=True)


def _lab(linear: np.ndarray) -> np.ndarray:
    return rgb_to_lab(linear_to_rgb(linear)[None])[0]


def _bounds(mask: np.ndarray) -> tuple[slice, slice] | None:
    rows, cols = (np.nonzero(mask.max(axis))[0] for axis in (1, 0))
    if not len(rows):
        return None
    return slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1)
