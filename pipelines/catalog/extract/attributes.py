"""What a product picture tells: its kind, its category, and every shade with colour and finish."""

from __future__ import annotations

from dataclasses import dataclass

from models.attributes.vocabulary import CATEGORIES, FINISHES, KINDS

__all__ = ["CATEGORIES", "FINISHES", "KINDS", "Attributes", "Shade"]


@dataclass(frozen=True)
class Shade:
    """One shade of a product.

    Attributes:
        index: its place in reading order, from 0.
        hex: sRGB, such as "#b01030".
        lab: CIELAB under D65, 2 degrees: L in 0..100, a, b.
        name: plain English colour name, such as "deep rose".
        spread: median absolute CIEDE2000 of the shade's pixels to `lab`.
        finish: one of `FINISHES`.
        gloss: 0 (no highlight) to 1 (mirror).
        sparkle_density: share of the area that sparkles, 0..1.
        sparkle_size: diameter of a sparkle as a share of the shade's height, 0..1.
        hue_shift: degrees between the hue of the body and of its highlights, 0..180.
        opacity: 0 (clear) to 1 (covers fully).
        bbox_xyxy: whole pixels of the picture as it was given, x1 and y1 exclusive.
        confidence: 0..1, that colour and place are right.
    """

    index: int
    hex: str
    lab: tuple[float, float, float]
    name: str
    spread: float
    finish: str
    gloss: float
    sparkle_density: float
    sparkle_size: float
    hue_shift: float
    opacity: float
    bbox_xyxy: tuple[int, int, int, int]
    confidence: float


@dataclass(frozen=True)
class Attributes:
    """What was read from one product picture.

    Attributes:
        kind: one of `KINDS`.
        category: one of `CATEGORIES`.
        shades: in reading order; empty when no shade can be seen.
        best: index of the shade that is the product's when the picture shows one product.
        size_wh: width and height of the picture in pixels.
    """

    kind: str
    category: str
    shades: tuple[Shade, ...]
    best: int
    size_wh: tuple[int, int]
