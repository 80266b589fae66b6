"""Looks drawn by code: a recipe of lipstick, shadow, liner and blush becomes `Makeup`.

Pigments that hide the skin (lipstick, liner, smoky shadow, glitter) are painted in absolute colour;
blush, contour and all that is called sheer shift the wearer's own skin or lips, so that they turn
chalky or ashy on nobody. Lengths are millimetres on a face with 63 mm between the irises.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from models import regions
from models.instant.drawn_shapes import (
    area,
    liner_mask,
    spot,
    star_outline,
    zone_mask,
)
from models.instant.face_texture import TEXTURE_SIZE
from models.instant.look_recipe import Freckles, Glitter, Lips, LookRecipe, Star
from models.instant.makeup import Makeup, nothing
from models.ops.color import hex_to_lab
from models.ops.masks import blur, both_sides, canonical_regions, smoothstep

_MM = 1 / 63
# Medians over ten bare London faces from very light to dark: sheer colours are seen against these.
_BARE_SKIN = np.array([56, 10, 14], np.float32)
_BARE_LIPS = np.array([45, 18, 7], np.float32)


def draw(recipe: LookRecipe, size: int = TEXTURE_SIZE) -> Makeup:
    """Draw a recipe as maps of the canonical face.

    Args:
        recipe: what to wear.
        size: side S of the maps in texels.
    """
    canvas = _Canvas(size)
    for wash in recipe.shadow:
        mask = wash.opacity * zone_mask(wash.zone, size)
        if wash.sheer:
            canvas.shift(hex_to_lab(wash.color) - _BARE_SKIN, mask)
        else:
            canvas.paint(hex_to_lab(wash.color), mask)
    for glitter in recipe.glitter:
        _sprinkle(canvas, glitter)
    if recipe.liner:
        line = recipe.liner
        mask = liner_mask(line.thickness * _MM, line.wing * _MM, line.lower, size)
        canvas.paint(hex_to_lab(line.color), 0.97 * mask)
    for tint in recipe.tints:
        canvas.shift(np.asarray(tint.shift, np.float32), tint.opacity * zone_mask(tint.place, size))
    if recipe.freckles:
        _freckle(canvas, recipe.freckles)
    for star in recipe.stars:
        _stick(canvas, star)
    if recipe.lips:
        _paint_lips(canvas, recipe.lips)
    plain = nothing(size)
    return replace(
        plain,
        deviation=canvas.deviation,
        paint=canvas.color,
        opacity=canvas.opacity,
        brows=plain.brows if recipe.brows is None else np.asarray(recipe.brows, np.float32),
    )


class _Canvas:
    """Paint laid over paint, and under it what shifts the wearer's own skin."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.color = np.zeros((size, size, 3), np.float32)
        self.opacity = np.zeros((size, size), np.float32)
        self.deviation = np.zeros((size, size, 3), np.float32)

    def paint(self, lab: np.ndarray, mask: np.ndarray) -> None:
        """Lay a colour, (3,) or (S, S, 3), over what is there, by `mask` in 0..1."""
        mask = np.clip(np.asarray(mask, np.float32), 0, 1)
        total = mask + self.opacity * (1 - mask)
        share = (mask / np.maximum(total, 1e-6))[..., None]
        self.color += share * (np.asarray(lab, np.float32) - self.color)
        self.opacity = total

    def shift(self, lab: np.ndarray, mask: np.ndarray) -> None:
        """Move the wearer's own colour by a CIELAB difference, (3,) or (S, S, 3), times `mask`."""
        self.deviation += np.asarray(mask, np.float32)[..., None] * lab


def _sprinkle(canvas: _Canvas, glitter: Glitter) -> None:
    """Specks of one or two texels, denser where the zone is stronger; a few catch the light."""
    zone = zone_mask(glitter.zone, canvas.size)
    generator = np.random.default_rng(glitter.seed)
    centres = _scattered(zone, glitter.count, generator)
    color = generator.integers(len(glitter.colors), size=len(centres))
    bright = generator.beta(1.2, 1.6, len(centres))
    for index, name in enumerate(glitter.colors):
        own = color == index
        radii = (0.55 + 0.65 * bright[own]) * canvas.size / TEXTURE_SIZE
        specks = _dots(centres[own], radii, 0.45 + 0.55 * bright[own], canvas.size)
        canvas.paint(hex_to_lab(name), specks)


def _freckle(canvas: _Canvas, freckles: Freckles) -> None:
    generator = np.random.default_rng(freckles.seed)
    zone = zone_mask("freckles", canvas.size)
    centres = _scattered(zone, freckles.count, generator)
    depth = generator.uniform(0.35, 1, len(centres))
    radii = generator.uniform(0.9, 1.9, len(centres)) * canvas.size / TEXTURE_SIZE
    mask = blur(_dots(centres, radii, depth, canvas.size), 0.0016 * canvas.size)
    canvas.shift(np.asarray(freckles.shift, np.float32), mask)


def _scattered(zone: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Random places as likely as `zone` is strong: (count, 2) x and y in texels."""
    chance = (zone / zone.sum()).ravel()
    rows, cols = np.divmod(generator.choice(zone.size, count, replace=False, p=chance), len(zone))
    return np.stack([cols, rows], 1) + generator.uniform(-0.5, 0.5, (count, 2))


def _dots(
    centres_xy: np.ndarray, radii: np.ndarray, strengths: np.ndarray, size: int
) -> np.ndarray:
    fine = np.zeros((size * 4, size * 4), np.uint8)
    for centre, radius, strength in zip(centres_xy, radii, strengths, strict=True):
        x, y = np.round(((centre + 0.5) * 4 - 0.5) * 16).astype(int)
        cv2.circle(fine, (x, y), max(8, round(radius * 64)), (round(255 * strength),), -1, 8, 4)
    return cv2.resize(fine, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32) / 255


def _stick(canvas: _Canvas, star: Star) -> None:
    """Foil folded from tip to middle: of its ten facets every other one lies in the light."""
    outline = star_outline(star.centre_xy, star.radius * _MM)
    lab = hex_to_lab(star.color)
    whole = area(outline, 0.002, canvas.size)
    facets = [[outline[k], outline[k - 1], star.centre_xy] for k in range(0, 10, 2)]
    shaded = np.sum([area(facet, 0.003, canvas.size) for facet in facets], axis=0)
    if star.mirrored:
        whole, shaded = both_sides(whole), both_sides(shaded)
    lit = lab + np.array([12, -1, -6], np.float32)
    dark = lab - np.array([9, -2, 0], np.float32)
    canvas.paint(lit + np.clip(shaded, 0, 1)[..., None] * (dark - lit), 0.95 * whole)


def _paint_lips(canvas: _Canvas, lips: Lips) -> None:
    size = canvas.size
    mask = canonical_regions(size)[regions.LIPS]
    color = np.broadcast_to(hex_to_lab(lips.color), (size, size, 3)).copy()
    inwards = blur(mask, 0.016 * size)
    if lips.edge:
        core = smoothstep(0.40, 0.98, inwards)
        color += (1 - core)[..., None] * (hex_to_lab(lips.edge) - color)
    if lips.liner:
        line = smoothstep(0.75, 0.50, blur(mask, 0.008 * size))
        color += 0.75 * line[..., None] * (hex_to_lab(lips.liner) - color)
    hidden = lips.opacity * (1 - lips.sheer) * mask
    canvas.shift(color - _BARE_LIPS, lips.opacity * lips.sheer * mask)
    if lips.gloss:
        light = lips.gloss * _gloss(size)
        color[..., 0] += 24 * light
        color[..., 1:] *= (1 - 0.3 * light)[..., None]
        canvas.shift(np.array([18, -2, -1], np.float32), light * mask)
    canvas.paint(color, hidden)


def _gloss(size: int) -> np.ndarray:
    """Lights on moist lips: two on the pout of the lower, one on each peak of the upper."""
    return both_sides(
        np.max(
            [
                spot([-0.075, 1.118], (0.050, 0.0085), -0.10, size),
                0.55 * spot([-0.185, 1.105], (0.040, 0.007), -0.35, size),
                0.50 * spot([-0.085, 0.962], (0.035, 0.006), -0.12, size),
            ],
            axis=0,
        )
    )
