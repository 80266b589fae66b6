"""Products that stand upright: bullets, bottles with their wands, pencils."""

from __future__ import annotations

import numpy as np

from training.data.products import shapes
from training.data.products.canvas import Canvas
from training.data.products.colors import WET_FINISHES, draw_packaging_lab, draw_product

CLEAR = np.array([90.0, 0, 0])
"""Glass and the stems of wands."""
WOOD = np.array([70.0, 8, 22])


def draw_bullet(canvas: Canvas) -> None:
    """A lipstick, balm or stick turned out of its tube, its cap perhaps beside it."""
    rng, size = canvas.rng, canvas.size
    width = int(size * rng.uniform(0.12, 0.36))
    x, top = int(rng.uniform(0.15, 0.6) * size), int(rng.uniform(0.03, 0.2) * size)
    length = int(width * rng.uniform(0.4, 1.7))
    tip = str(rng.choice(["slant", "slant", "round", "point", "flat"]))
    mask, relief = shapes.draw_column((length, width), slant=float(rng.uniform(0.3, 0.9)), tip=tip)
    finishes = tuple(finish for finish in WET_FINISHES if finish not in ("glitter", "duochrome"))
    material = draw_product(canvas, finishes)
    canvas.lay_shade(mask, relief, material, (x, top))
    matched = material.lab if rng.random() < 0.25 else draw_packaging_lab(rng)
    wide = int(width * rng.uniform(1.05, 1.3))
    ring = int(width * rng.uniform(0.2, 0.9))
    middle = x + width // 2
    _draw_tube(canvas, ring, wide, (middle - wide // 2, top + length), draw_packaging_lab(rng))
    base = int(wide * rng.uniform(1.0, 1.2))
    below, tall = top + length + ring, int(size * rng.uniform(0.2, 0.7))
    _draw_tube(canvas, tall, base, (middle - base // 2, below), matched, words=rng.random() < 0.5)
    if rng.random() < 0.6:  # the cap beside it
        side = -1 if x > size / 2 or rng.random() < 0.3 else 1
        at = middle - base // 2 + side * int(base * rng.uniform(1.05, 1.5))
        cap = matched if rng.random() < 0.5 else draw_packaging_lab(rng)
        high = int(size * rng.uniform(0.3, 0.7))
        floor = min(size, below + tall)
        _draw_tube(canvas, high, base, (at, floor - high), cap, words=rng.random() < 0.3)


def draw_bottle(canvas: Canvas) -> None:
    """A gloss or liquid lipstick in clear walls: closed, or its wand beside it, tip up or down."""
    rng, size = canvas.rng, canvas.size
    width = int(size * rng.uniform(0.1, 0.3))
    height = int(size * rng.uniform(0.3, 0.6))
    x, top = int(rng.uniform(0.08, 0.55) * size), int(rng.uniform(0.25, 0.4) * size)
    cap, middle = draw_packaging_lab(rng), x + width // 2
    material = draw_product(canvas, ("gloss", "dewy", "cream", "shimmer"))
    mask, relief = shapes.draw_column(
        (height, width), slant=0, tip=str(rng.choice(["flat", "round"]))
    )
    wall = max(1, int(width * rng.uniform(0.02, 0.12)))
    foot = int(width * rng.uniform(0.0, 0.4))
    glass = height + wall + foot, width + 2 * wall
    _draw_tube(canvas, *glass, (x - wall, top - wall), CLEAR)
    canvas.lay_shade(mask, relief * rng.uniform(0.3, 1.0), material, (x, top))
    if rng.random() < 0.8:
        _write_label(canvas, (x, top + height // 8, width, height))
    if rng.random() < 0.35:
        high = int(size * rng.uniform(0.2, 0.4))
        _draw_tube(canvas, high, width, (x, top - high), cap)
        return
    neck, mouth = int(width * rng.uniform(0.5, 0.9)), int(width * rng.uniform(0.2, 0.6))
    _draw_tube(canvas, mouth, neck, (middle - neck // 2, top - wall - mouth), CLEAR)
    stem = max(3, int(width * rng.uniform(0.08, 0.25)))
    at = middle + int(width * rng.uniform(1.1, 1.9)) + stem
    long, high = int(size * rng.uniform(0.2, 0.4)), int(size * rng.uniform(0.25, 0.4))
    applicator = int(size * rng.uniform(0.06, 0.14)), max(4, int(stem * rng.uniform(1.2, 2.2)))
    tip, tip_relief = shapes.draw_column(applicator, slant=0.5, tip="round")
    from_top = int(size * rng.uniform(0.03, 0.15))
    upward = rng.random() < 0.8
    parts = (applicator[0], long, high) if upward else (high, long, applicator[0])
    edges = from_top + np.cumsum((0, *parts))
    _draw_tube(canvas, long, stem, (at - stem // 2, int(edges[1])), CLEAR)
    _draw_tube(canvas, high, width, (at - width // 2, int(edges[2] if upward else edges[0])), cap)
    if not upward:
        tip, tip_relief = tip[::-1], tip_relief[::-1]
    place = at - applicator[1] // 2, int(edges[0] if upward else edges[2])
    canvas.lay_shade(tip, tip_relief, material, place, number=1)


def draw_pencil(canvas: Canvas) -> None:
    """A liner with its tip up, its barrel perhaps of its colour, perhaps with a stroke of it."""
    rng, size = canvas.rng, canvas.size
    width = max(4, int(size * rng.uniform(0.03, 0.1)))
    x, top = int(rng.uniform(0.2, 0.8) * size), int(rng.uniform(0.03, 0.15) * size)
    material = draw_product(canvas, ("matte", "satin", "cream"))
    length = int(width * rng.uniform(1.0, 2.2))
    mask, relief = shapes.draw_column(
        (length, width), slant=0, tip=str(rng.choice(["point", "round"]))
    )
    canvas.lay_shade(mask, relief, material, (x, top))
    matched = material.lab if rng.random() < 0.4 else draw_packaging_lab(rng)
    barrel = top + length
    if matched is not material.lab:
        _draw_tube(canvas, length, width, (x, barrel), WOOD)
        barrel += length
    _draw_tube(canvas, size, width, (x, barrel), np.asarray(matched))
    if rng.random() < 0.4:
        stroke, height = shapes.draw_smear(int(size * 0.5), rng, dry=True)
        canvas.lay_shade(
            stroke,
            height,
            material,
            (int(size * (0.5 if x < size / 2 else 0.02)), int(size * 0.3)),
            number=1,
        )


def _draw_tube(
    canvas: Canvas,
    height: int,
    width: int,
    at: tuple[int, int],
    lab: np.ndarray,
    *,
    words: bool = False,
) -> None:
    """Lay an upright tube that is no shade."""
    mask, relief = shapes.draw_column((max(4, height), max(4, width)), slant=0, tip="flat")
    canvas.lay_prop(
        mask, relief, lab, at, finish=str(canvas.rng.choice(["gloss", "satin", "cream"]))
    )
    if words:
        _write_label(canvas, (*at, width, height))


def _write_label(canvas: Canvas, box_xywh: tuple[int, int, int, int]) -> None:
    x, y, width, height = box_xywh
    canvas.write(int(canvas.rng.integers(1, 3)), (x, y, x + width, y + max(2, height)))
