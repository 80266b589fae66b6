"""Our words in the shops' vocabularies, each spelt as its owner spells it.

Google's product taxonomy is that of 2021-09-21; Shopify's the open Standard Product Taxonomy, with
the values of attribute 1614, cosmetic finish. A category without a leaf has none: a wrong leaf is
worse than none.
"""

from __future__ import annotations

from typing import NamedTuple

COSMETICS = "Health & Beauty > Personal Care > Cosmetics > "


class Leaf(NamedTuple):
    """A category: Google's number, its path below `COSMETICS`, and Shopify's id."""

    google_id: int
    google: str
    shopify: str


CATEGORY_LEAVES = {
    "lipstick": Leaf(3021, "Makeup > Lip Makeup > Lipstick", "hb-3-2-6-5-6"),
    "lip_gloss": Leaf(2858, "Makeup > Lip Makeup > Lip Gloss", "hb-3-2-6-5-2"),
    "lip_liner": Leaf(2589, "Makeup > Lip Makeup > Lip Liner", "hb-3-2-6-5-3"),
    "eyeshadow": Leaf(2904, "Makeup > Eye Makeup > Eye Shadow", "hb-3-2-6-3-2"),
    "eyeshadow_palette": Leaf(2904, "Makeup > Eye Makeup > Eye Shadow", "hb-3-2-6-3-2"),
    "eyeliner": Leaf(2807, "Makeup > Eye Makeup > Eyeliner", "hb-3-2-6-3-4"),
    "mascara": Leaf(2834, "Makeup > Eye Makeup > Mascara", "hb-3-2-6-3-8"),
    "brow": Leaf(2686, "Makeup > Eye Makeup > Eyebrow Enhancers", "hb-3-2-6-3-3"),
    "blush": Leaf(6305, "Makeup > Face Makeup > Blushes & Bronzers", "hb-3-2-6-4-1"),
    "bronzer": Leaf(6305, "Makeup > Face Makeup > Blushes & Bronzers", "hb-3-2-6-4-1"),
    "highlighter": Leaf(6304, "Makeup > Face Makeup > Highlighters & Luminizers", "hb-3-2-6-4-5"),
    "foundation": Leaf(2765, "Makeup > Face Makeup > Foundations & Concealers", "hb-3-2-6-4-4"),
    "concealer": Leaf(2765, "Makeup > Face Makeup > Foundations & Concealers", "hb-3-2-6-4-4"),
    "powder": Leaf(2980, "Makeup > Face Makeup > Face Powder", "hb-3-2-6-4-2"),
    "nail_polish": Leaf(2683, "Nail Care > Nail Polishes", "hb-3-2-7-11"),
}

SHOPIFY_FINISHES = {
    "matte": "cosmetic_finish__matte",
    "satin": "cosmetic_finish__satin",
    "cream": "cosmetic_finish__smooth",
    "sheer": "cosmetic_finish__sheer",
    "shimmer": "cosmetic_finish__shimmer",
    "metallic": "cosmetic_finish__metallic",
    "glitter": "cosmetic_finish__glitter",
    "gloss": "cosmetic_finish__glossy",
    "dewy": "cosmetic_finish__dewy",
    "duochrome": "cosmetic_finish__holographic",
}

# Hue angles (degrees in CIELAB) up to which a colour that is neither dark, pale nor grey is called
# one of Shopify's colours; from Shopify's attribute 1.
_HUES = (
    (15, "pink"),
    (45, "red"),
    (75, "orange"),
    (105, "yellow"),
    (195, "green"),
    (285, "blue"),
    (340, "purple"),
    (360, "pink"),
)


def find_basic_color(lch: tuple[float, float, float] | list[float]) -> str:
    """One of Shopify's basic colours for a shade's lightness, chroma and hue in degrees."""
    lightness, chroma, hue = lch
    if chroma < 8:
        return "black" if lightness < 20 else "white" if lightness > 92 else "gray"
    if lightness < 12:
        return "black"
    if 20 <= hue < 95 and chroma < 45:
        return "brown" if lightness < 62 else "beige"
    return next(name for limit, name in _HUES if hue % 360 < limit)
