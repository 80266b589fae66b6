"""Colours and finishes of makeup and of what it is packed in, as shops go."""

from __future__ import annotations

import numpy as np

from models.ops.color import lab_to_rgb, rgb_to_lab
from training.data.products.canvas import Canvas
from training.data.products.material import Material, draw_material

PAN_FINISHES = ("matte", "satin", "shimmer", "metallic", "glitter", "duochrome", "cream")
DRY_FINISHES = ("matte", "satin", "shimmer", "metallic", "glitter", "duochrome")
WET_FINISHES = (  # what only wet products have comes twice as often
    "matte",
    "satin",
    "cream",
    "shimmer",
    "metallic",
    "glitter",
    "duochrome",
    "sheer",
    "gloss",
    "dewy",
    "sheer",
    "gloss",
    "dewy",
)


def draw_lab(rng: np.random.Generator, *, held_out: bool = False) -> np.ndarray:
    """Draw a makeup colour: mostly lips, cheeks and earths, sometimes anything."""
    which = rng.random()
    if which < 0.6:
        lightness, chroma, hue = rng.uniform(22, 85), rng.uniform(8, 58), rng.uniform(-25, 65)
    elif which < 0.8:
        lightness, chroma, hue = rng.uniform(8, 90), rng.uniform(0, 28), rng.uniform(-20, 95)
    else:
        lightness, chroma, hue = rng.uniform(25, 85), rng.uniform(20, 80), rng.uniform(0, 360)
    if held_out:  # colours between those seen in training
        hue = 20 * round(hue / 20) + rng.uniform(-3, 3)
    lab = np.array([lightness, chroma * np.cos(np.radians(hue)), chroma * np.sin(np.radians(hue))])
    return rgb_to_lab(lab_to_rgb(lab[None].astype(np.float32)))[0]


def draw_product(
    canvas: Canvas, finishes: tuple[str, ...], lab: np.ndarray | None = None
) -> Material:
    """Draw a product with one of some finishes, of a colour if one is given."""
    rng = canvas.rng
    lab = draw_lab(rng, held_out=canvas.held_out) if lab is None else lab
    return draw_material(str(rng.choice(finishes)), lab, rng)


def draw_packaging_lab(rng: np.random.Generator) -> np.ndarray:
    """Draw the colour of a case, cap or tray: black, white, gold, or anything."""
    which = rng.random()
    if which < 0.4:
        return np.array([rng.uniform(3, 18), 0, 0])
    if which < 0.6:
        return np.array([rng.uniform(85, 97), 0, rng.uniform(-2, 4)])
    if which < 0.75:
        return np.array([rng.uniform(60, 82), rng.uniform(0, 12), rng.uniform(8, 35)])  # gold
    return draw_lab(rng)
