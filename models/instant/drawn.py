"""Looks drawn by code: a recipe of lipstick, shadow, liner and blush becomes `Makeup`.

Everything is drawn on the person's right side of the canonical face and mirrored. Pigments that
hide the skin (lipstick, liner, smoky shadow, glitter) are painted in absolute colour; blush and
contour shift the wearer's own skin, so that they turn ashy on nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from models import regions
from models.instant.face_texture import TEXTURE_SIZE
from models.instant.makeup import Makeup, nothing
from models.ops.color import rgb_to_lab
from models.ops.landmarks import canonical_face
from models.ops.masks import blur, both_sides, canonical_regions, polygon, smoothstep

UPPER_LASHES = (33, 246, 161, 160, 159, 158, 157, 173, 133)
LOWER_LASHES = (33, 7, 163, 144, 145, 153, 154, 155, 133)
CREASE = (226, 247, 30, 29, 27, 28, 56, 190, 243)
SOCKET = (113, 225, 224, 223, 222, 221, 189)

Zone = Literal["lid", "crease", "outer", "inner", "lower", "browbone"]
Place = Literal["apples", "cheekbones", "sunkissed", "contour", "highlight"]


@dataclass(frozen=True)
class Lips:
    """Lip colour.

    Attributes:
        color: sRGB hex.
        opacity: 0..1; a stain is about 0.5, a lipstick 0.9.
        gloss: 0..1, a soft light along the lower lip and the bow.
        edge: sRGB hex the colour turns to towards the outline, or None.
    """

    color: str
    opacity: float = 0.9
    gloss: float = 0.0
    edge: str | None = None


@dataclass(frozen=True)
class Shadow:
    """A wash of eyeshadow: colour (sRGB hex), zone and opacity 0..1."""

    color: str
    zone: Zone
    opacity: float = 0.5


@dataclass(frozen=True)
class Liner:
    """Eyeliner along the upper lashes.

    Attributes:
        color: sRGB hex.
        thickness: in hundredths of the map; 1 is thin, 2.5 dramatic.
        wing: length of the wing in hundredths of the map; 0 ends at the corner.
        lower: 0..1, how much of a line there is below the eye.
    """

    color: str = "#0d0b0c"
    thickness: float = 1.2
    wing: float = 3.0
    lower: float = 0.0


@dataclass(frozen=True)
class Tint:
    """A shift of the wearer's own skin: CIELAB difference at full strength, where, how much."""

    shift: tuple[float, float, float]
    place: Place
    opacity: float = 1.0


@dataclass(frozen=True)
class Glitter:
    """Specks of light: colours (sRGB hex), zone, how many, seed of their places."""

    colors: tuple[str, ...]
    zone: Zone | Place
    count: int = 160
    seed: int = 7


@dataclass(frozen=True)
class Star:
    """A five-pointed star centred on a mesh point, radius in hundredths of the map."""

    color: str
    point: int
    radius: float = 2.0
    mirrored: bool = True


@dataclass(frozen=True)
class Recipe:
    """All that makes a drawn look; parts left out are not worn."""

    lips: Lips | None = None
    shadow: Sequence[Shadow] = ()
    liner: Liner | None = None
    tints: Sequence[Tint] = ()
    glitter: Sequence[Glitter] = ()
    stars: Sequence[Star] = ()
    brows: tuple[float, float, float] | None = None


def draw(recipe: Recipe, size: int = TEXTURE_SIZE) -> Makeup:
    """Draw a recipe as maps of the canonical face.

    Args:
        recipe: what to wear.
        size: side S of the maps in texels.
    """
    canvas = _Canvas(size)
    for wash in recipe.shadow:
        canvas.paint(lab_of(wash.color), wash.opacity * zone_mask(wash.zone, size))
    if recipe.liner:
        canvas.paint(lab_of(recipe.liner.color), _liner_mask(recipe.liner, size))
    for glitter in recipe.glitter:
        _sprinkle(canvas, glitter)
    for star in recipe.stars:
        canvas.paint(lab_of(star.color), 0.92 * _star_mask(star, size))
    if recipe.lips:
        _paint_lips(canvas, recipe.lips)
    deviation = np.zeros((size, size, 3), np.float32)
    for tint in recipe.tints:
        mask = tint.opacity * zone_mask(tint.place, size)
        deviation += mask[..., None] * np.asarray(tint.shift, np.float32)
    plain = nothing(size)
    brows = plain.brows if recipe.brows is None else np.asarray(recipe.brows, np.float32)
    return replace(
        plain, deviation=deviation, paint=canvas.color, opacity=canvas.opacity, brows=brows
    )


def lab_of(color: str) -> np.ndarray:
    """CIELAB of an sRGB hex colour such as "#b01030", (3,) float32.

    Raises:
        ValueError: it is not "#" and six hexadecimal digits.
    """
    if len(color) != 7 or color[0] != "#":
        raise ValueError(f"{color!r} is not a colour like '#b01030'")
    code = np.frombuffer(bytes.fromhex(color[1:]), np.uint8).reshape(1, 1, 3)
    return rgb_to_lab(code)[0, 0]


class _Canvas:
    """Paint laid over paint: colour and opacity of the whole."""

    def __init__(self, size: int) -> None:
        self.color = np.zeros((size, size, 3), np.float32)
        self.opacity = np.zeros((size, size), np.float32)

    def paint(self, lab: np.ndarray, mask: np.ndarray) -> None:
        """Lay a colour, (3,) or (S, S, 3), over what is there, by `mask` in 0..1."""
        mask = np.clip(np.asarray(mask, np.float32), 0, 1)
        total = mask + self.opacity * (1 - mask)
        share = (mask / np.maximum(total, 1e-6))[..., None]
        self.color += share * (np.asarray(lab, np.float32) - self.color)
        self.opacity = total


def zone_mask(zone: Zone | Place, size: int) -> np.ndarray:
    """Where a wash or tint lies: (S, S) float32 in 0..1, soft, the same on both sides."""
    uv = canonical_face().points_uv
    lashes = list(UPPER_LASHES)
    if zone == "lid":
        mask = _area([*uv[lashes], *uv[list(CREASE)][::-1]], size, 0.007)
    elif zone == "crease":
        halfway = 0.35 * uv[list(SOCKET)] + 0.65 * uv[[247, 30, 29, 27, 28, 56, 190]]
        outer = uv[226] + [-0.028, -0.030]
        mask = _area([*uv[lashes], *halfway[::-1], outer, uv[226]], size, 0.016)
    elif zone == "outer":
        mask = _spot(0.6 * uv[226] + 0.4 * uv[247] + [-0.004, -0.012], (0.034, 0.024), -0.5, size)
    elif zone == "inner":
        mask = _spot(uv[133] + [0.006, -0.004], (0.016, 0.014), 0, size)
    elif zone == "lower":
        mask = _line(uv[list(LOWER_LASHES)] + [0, 0.007], 0.014, size, 0.006)
    elif zone == "browbone":
        mask = _spot(0.55 * uv[224] + 0.45 * uv[53], (0.040, 0.010), -0.15, size)
    elif zone == "apples":
        mask = _spot(uv[50] + [0.018, 0.008], (0.062, 0.052), -0.3, size)
    elif zone == "cheekbones":
        mask = _spot(0.5 * uv[117] + 0.5 * uv[123] + [0.012, 0.012], (0.095, 0.036), -0.5, size)
    elif zone == "sunkissed":
        mask = np.maximum(
            _spot(uv[50] + [0.02, -0.01], (0.07, 0.04), -0.15, size),
            0.8 * _spot(uv[5], (0.05, 0.025), 0, size),
        )
    elif zone == "contour":
        mask = _spot(0.5 * uv[187] + 0.5 * uv[137], (0.10, 0.030), -0.55, size)
    else:
        mask = np.maximum(
            _spot(uv[117] + [-0.005, -0.004], (0.055, 0.015), -0.45, size),
            0.7 * _spot(uv[5] + [0, -0.03], (0.008, 0.05), 0, size),
        )
    return both_sides(mask)


def _area(outline: Sequence[np.ndarray], size: int, softness: float) -> np.ndarray:
    return polygon(np.stack(outline) * size - 0.5, (size, size), softness * size)


def _spot(
    centre_uv: np.ndarray, spread_uv: tuple[float, float], turn: float, size: int
) -> np.ndarray:
    """A Gaussian, its spread along and across a direction turned by `turn` radians."""
    v, u = (np.mgrid[:size, :size].astype(np.float32) + 0.5) / size
    du, dv = u - centre_uv[0], v - centre_uv[1]
    along = du * np.cos(turn) + dv * np.sin(turn)
    across = dv * np.cos(turn) - du * np.sin(turn)
    return np.exp(-0.5 * ((along / spread_uv[0]) ** 2 + (across / spread_uv[1]) ** 2))


def _line(points_uv: np.ndarray, width: float, size: int, softness: float) -> np.ndarray:
    mask = np.zeros((size * 2, size * 2), np.uint8)
    fixed = np.round((points_uv * size * 2 - 0.5) * 16).astype(np.int32)
    cv2.polylines(mask, [fixed], False, (255,), max(1, round(width * size * 2)), cv2.LINE_AA, 4)
    small = cv2.resize(mask, (size, size), interpolation=cv2.INTER_AREA)
    return blur(small.astype(np.float32) / 255, softness * size)


def _liner_mask(liner: Liner, size: int) -> np.ndarray:
    """The line grows from the inner corner to the outer and runs on into the wing."""
    lashes = canonical_face().points_uv[list(UPPER_LASHES)].astype(np.float64)
    steps = np.linspace(0, len(lashes) - 1, 60)
    line = np.stack([np.interp(steps, np.arange(len(lashes)), lashes[:, k]) for k in (0, 1)], 1)
    # From the outer corner (first) inwards the line thins out.
    thickness = 0.01 * liner.thickness * (0.25 + 0.75 * (1 - steps / steps[-1]) ** 0.8)
    top = line - np.stack([np.zeros(60), thickness], 1)
    direction = np.array([-1.0, -0.62]) / np.hypot(1, 0.62)
    tip = line[0] + 0.01 * liner.wing * direction
    under = line[0] + [0.002, 0.003]
    shoulder = top[4]
    outline = [under, tip, shoulder, *top[4:], *line[::-1]]
    mask = _area(outline, size, 0.0016)
    if liner.lower:
        below = canonical_face().points_uv[list(LOWER_LASHES[:6])] + [0, 0.003]
        mask = np.maximum(mask, liner.lower * _line(below, 0.008, size, 0.003))
    return both_sides(0.97 * mask)


def _sprinkle(canvas: _Canvas, glitter: Glitter) -> None:
    """Specks of one or two texels, denser where the zone is stronger."""
    size = len(canvas.opacity)
    zone = zone_mask(glitter.zone, size)
    generator = np.random.default_rng(glitter.seed)
    chance = (zone / zone.sum()).ravel()
    places = generator.choice(zone.size, glitter.count, replace=False, p=chance)
    for color in glitter.colors:
        specks = np.zeros((size * 2, size * 2), np.uint8)
        for place in places[generator.random(len(places)) < 1.2 / len(glitter.colors)]:
            v, u = divmod(int(place), size)
            centre = (round((u + generator.random()) * 32), round((v + generator.random()) * 32))
            radius = round(generator.uniform(0.6, 1.7) * 16 * size / TEXTURE_SIZE * 1.2)
            bright = int(generator.integers(140, 256))
            cv2.circle(specks, centre, max(8, radius), (bright,), -1, cv2.LINE_AA, 4)
        small = cv2.resize(specks, (size, size), interpolation=cv2.INTER_AREA)
        canvas.paint(lab_of(color), small.astype(np.float32) / 255)


def _star_mask(star: Star, size: int) -> np.ndarray:
    turn = np.arange(10) * np.pi / 5 - np.pi / 2
    reach = np.where(np.arange(10) % 2 == 0, 1, 0.45) * star.radius / 100
    centre = canonical_face().points_uv[star.point]
    outline = centre + np.stack([np.cos(turn), np.sin(turn)], 1) * reach[:, None]
    mask = polygon(outline * size - 0.5, (size, size), 0.001 * size)
    return both_sides(mask) if star.mirrored else mask


def _paint_lips(canvas: _Canvas, lips: Lips) -> None:
    size = len(canvas.opacity)
    mask = canonical_regions(size)[regions.LIPS]
    color = np.broadcast_to(lab_of(lips.color), (size, size, 3)).copy()
    uv = canonical_face().points_uv
    if lips.edge:
        core = smoothstep(0.35, 0.95, blur(mask, 0.016 * size))
        color += (1 - core)[..., None] * (lab_of(lips.edge) - color)
    if lips.gloss:
        light = _spot(0.5 * (uv[14] + uv[17]) + [0, -0.004], (0.05, 0.0075), 0, size)
        bow = both_sides(_spot(0.5 * (uv[37] + uv[82]), (0.014, 0.0045), 0.2, size))
        color[..., 0] += lips.gloss * (26 * light + 12 * bow)
        color[..., 1:] *= (1 - 0.35 * lips.gloss * np.maximum(light, 0.6 * bow))[..., None]
    canvas.paint(color, lips.opacity * mask)
