"""Rendered shop pictures with exact truth: which pixels are which shade, of what colour and finish.

scene = render_scene("palette", 256, np.random.default_rng(7))
scene.pixels, scene.ids, scene.materials
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from models.ops.color import lab_to_rgb, rgb_to_lab
from training.data import product_shapes as shapes
from training.data.product_camera import photograph
from training.data.product_canvas import Canvas
from training.data.product_material import (
    Material,
    draw_material,
    draw_rig,
    noise,
)
from training.data.product_material import to_linear as linear

PAN_FINISHES = ("matte", "satin", "shimmer", "metallic", "glitter", "duochrome", "cream")
DRY_FINISHES = ("matte", "satin", "shimmer", "metallic", "glitter", "duochrome")
WET_FINISHES = (  # what only wet products have comes twice as often
    "matte", "satin", "cream", "shimmer", "metallic", "glitter", "duochrome",
    "sheer", "gloss", "dewy", "sheer", "gloss", "dewy",
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """A rendered picture.

    Attributes:
        kind: one of the catalogue's kinds.
        pixels: (S, S, 3) uint8 sRGB.
        ids: (S, S) int16; k + 1 where shade k is seen, 0 elsewhere. Shades are in reading order.
        materials: of each shade.
    """

    kind: str
    pixels: np.ndarray
    ids: np.ndarray
    materials: tuple[Material, ...]


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


def render_scene(
    kind: str, size: int, rng: np.random.Generator, *, held_out: bool = False
) -> Scene:
    """Render one picture of a kind.

    Args:
        kind: a key of `SCENES`.
        size: side in pixels.
        rng: every draw comes from it.
        held_out: use lights, pan shapes and backgrounds that training never sees.
    """
    rig = draw_rig(rng, held_out=held_out)
    canvas = Canvas(_background(size, rng, held_out), rig, rng, held_out)
    SCENES[kind](canvas)
    pixels, ids = photograph(canvas.light, canvas.ids, rng, tilt=_TILT.get(kind, 0.05))
    return Scene(kind, pixels, ids, tuple(canvas.materials))


_TILT = {"palette": 0.16, "pan": 0.08}


def _background(size: int, rng: np.random.Generator, held_out: bool) -> np.ndarray:
    """White most often, else black, grey, pastel or strong; plain, graded, or a texture."""
    which = rng.random()
    if which < 0.5:
        rgb = np.full(3, rng.uniform(0.93, 1.0))
    elif which < 0.6:
        rgb = np.full(3, rng.uniform(0.0, 0.06))
    elif which < 0.75:
        rgb = rng.uniform(0.8, 0.97, 3)
    else:
        rgb = rng.uniform(0.05, 0.95, 3)
    picture = np.broadcast_to(linear(rgb), (size, size, 3)).astype(np.float32).copy()
    if which > 0.9:
        cells = rng.uniform(3, 9) if held_out else rng.uniform(10, 60)
        texture = noise((size, size), cells, rng)[..., None]
        picture *= np.exp(rng.uniform(0.05, 0.4) * texture)
    if rng.random() < 0.4:
        ys, xs = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
        angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.2)
        picture *= 1 - strength * (1 + xs * np.cos(angle) + ys * np.sin(angle))[..., None] / 2
    return picture.clip(0, 1)


def _material(canvas: Canvas, finishes: tuple[str, ...], lab: np.ndarray | None = None) -> Material:
    rng = canvas.rng
    lab = draw_lab(rng, held_out=canvas.held_out) if lab is None else lab
    return draw_material(str(rng.choice(finishes)), lab, rng)


def _packaging_lab(rng: np.random.Generator) -> np.ndarray:
    which = rng.random()
    if which < 0.4:
        return np.array([rng.uniform(3, 18), 0, 0])
    if which < 0.6:
        return np.array([rng.uniform(85, 97), 0, rng.uniform(-2, 4)])
    if which < 0.75:
        return np.array([rng.uniform(60, 82), rng.uniform(0, 12), rng.uniform(8, 35)])  # gold
    return draw_lab(rng)


def _palette(canvas: Canvas) -> None:
    rng, size = canvas.rng, canvas.size
    rows, columns = int(rng.integers(1, 6)), int(rng.integers(2, 8))
    shape = str(rng.choice(("heart", "hexagon") if canvas.held_out and rng.random() < 0.5
                           else shapes.PAN_SHAPES[:4]))  # fmt: skip
    cell = int(min(0.86 * size / columns, 0.8 * size / rows, 0.34 * size))
    gap = rng.choice([rng.uniform(0.05, 0.12), rng.uniform(0.12, 0.35)])
    pan_h = max(6, int(cell * (1 - gap)))
    pan_w = pan_h if shape != "wide" else max(6, int(pan_h * rng.uniform(0.6, 1.0)))
    step_x, step_y = pan_w + max(2, int(cell * gap)), cell
    width, height = columns * step_x, rows * step_y
    left, top = (size - width) // 2, int(rng.uniform(0.4, 0.95) * (size - height))
    rim = int(rng.uniform(0.02, 0.06) * size)
    tray = _packaging_lab(rng)
    lid_h = min(top - 2 * rim, height + rim) if rng.random() < 0.6 else 0
    if lid_h > 8:
        box = np.ones((lid_h, width + 2 * rim), np.float32)
        canvas.prop(box, np.zeros_like(box), _packaging_lab(rng), (left - rim, top - rim - lid_h),
                    finish=str(rng.choice(["matte", "gloss"])))  # fmt: skip
    box = np.ones((height + 2 * rim, width + 2 * rim), np.float32)
    canvas.drop_shadow(box, (left - rim, top - rim))
    canvas.prop(box, np.zeros_like(box), tray, (left - rim, top - rim), finish="matte")
    one_family = draw_lab(rng) if rng.random() < 0.4 else None
    for row in range(rows):
        for column in range(columns):
            lab = None if one_family is None else one_family + rng.normal(0, 9, 3)
            mask = shapes.pan_outline(shape, (pan_h, pan_w))
            at = left + column * step_x + (step_x - pan_w) // 2, top + row * step_y
            canvas.shade(
                mask, shapes.pan_relief(mask, rng), _material(canvas, PAN_FINISHES, lab), at
            )
    if lid_h > 8 and rng.random() < 0.6:  # a mirror shows the first rows upside down
        x0, x1 = max(0, left), min(size, left + width)
        seen = canvas.light[top : top + lid_h - rim, x0:x1][::-1] * rng.uniform(0.5, 0.85)
        canvas.lay(np.ones(seen.shape[:2], np.float32), seen, (x0, top - rim - len(seen)), 0)
    if rng.random() < 0.5:
        canvas.write(int(rng.integers(1, 3)), (left, 8, left + width, max(9, top - rim)))


def _pan(canvas: Canvas) -> None:
    rng, size = canvas.rng, canvas.size
    side = int(rng.uniform(0.3, 0.8) * size)
    names = (
        ("heart", "hexagon") if canvas.held_out and rng.random() < 0.5 else shapes.PAN_SHAPES[:4]
    )
    shape = str(rng.choice(names))
    width = side if shape != "wide" else int(side * rng.uniform(1.0, 1.4))
    left, top = (size - width) // 2, int(rng.uniform(0.4, 1.0) * (size - side - 6))
    rim = int(rng.uniform(0.02, 0.14) * side)
    case = _packaging_lab(rng)
    if rng.random() < 0.8:
        outline = shapes.pan_outline(shape, (side + 2 * rim, width + 2 * rim))
        relief = shapes.pan_relief(outline, rng)
        if rng.random() < 0.5:  # an open lid above
            canvas.prop(outline, relief, case, (left - rim, top - rim - int(0.75 * side)))
        canvas.drop_shadow(outline, (left - rim, top - rim))
        canvas.prop(outline, relief, case, (left - rim, top - rim))
    mask = shapes.pan_outline(shape, (side, width))
    tone = None
    if rng.random() < 0.15:  # marbled
        swirl = np.sin(4 * noise((side, width), 4, rng))
        tone = np.exp(0.18 * swirl - 0.18 * np.mean(swirl))
    canvas.shade(mask, shapes.pan_relief(mask, rng), _material(canvas, PAN_FINISHES), (left, top),
                 tone=tone)  # fmt: skip
    if rng.random() < 0.3:
        canvas.write(1, (left, top, left + width, top + side))


def _smear(canvas: Canvas) -> None:
    rng, size = canvas.rng, canvas.size
    if rng.random() < 0.15:  # on an arm
        skin = np.array([rng.uniform(25, 78), rng.uniform(8, 18), rng.uniform(12, 26)])
        arm = np.ones((size, size), np.float32)
        relief = 6 * noise((size, size), 2, rng)
        canvas.prop(arm, relief, skin, (0, 0), finish="satin")
    dry = rng.random() < 0.4
    material = _material(canvas, DRY_FINISHES if dry else WET_FINISHES)
    side = int(size * rng.uniform(0.45, 1.05))
    mask, height = shapes.smear(side, rng, dry=dry)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(0, 360), 1.0)
    mask, height = (cv2.warpAffine(x, turn, (side, side)) for x in (mask, height))
    at = int((size - side) * rng.uniform(0.3, 0.7)), int((size - side) * rng.uniform(0.3, 0.7))
    if rng.random() < 0.4:
        canvas.drop_shadow(mask, at, 0.2)
    canvas.shade(mask, height, material, at)
    if rng.random() < 0.2:
        canvas.write(1, (0, int(0.85 * size), size, size))


def _stand(canvas: Canvas, height: int, width: int, at: tuple[int, int], lab: np.ndarray) -> None:
    mask, relief = shapes.column((max(4, height), max(4, width)), slant=0, tip="flat")
    canvas.prop(mask, relief, lab, at, finish=str(canvas.rng.choice(["gloss", "satin", "cream"])))


def _bullet(canvas: Canvas) -> None:
    rng, size = canvas.rng, canvas.size
    width = int(size * rng.uniform(0.1, 0.3))
    x, top = int(rng.uniform(0.25, 0.6) * size), int(rng.uniform(0.03, 0.2) * size)
    length = int(width * rng.uniform(0.7, 1.7))
    tip = str(rng.choice(["slant", "slant", "round", "point"]))
    mask, relief = shapes.column((length, width), slant=float(rng.uniform(0.3, 0.9)), tip=tip)
    finishes = tuple(finish for finish in WET_FINISHES if finish not in ("glitter", "duochrome"))
    canvas.shade(mask, relief, _material(canvas, finishes), (x, top))
    wide = int(width * rng.uniform(1.05, 1.3))
    ring = int(width * rng.uniform(0.2, 0.9))
    left = x - (wide - width) // 2
    _stand(canvas, ring, wide, (left, top + length), _packaging_lab(rng))
    base = int(wide * rng.uniform(1.0, 1.2))
    _stand(canvas, int(size * rng.uniform(0.2, 0.7)), base,
           (x - (base - width) // 2, top + length + ring), _packaging_lab(rng))  # fmt: skip
    if rng.random() < 0.5:  # the cap beside it
        side = -1 if x > size / 2 else 1
        cap = _packaging_lab(rng)
        _stand(canvas, int(size * rng.uniform(0.3, 0.7)), base,
               (x + side * int(base * 1.4), top + int(size * 0.25)), cap)  # fmt: skip


def _bottle(canvas: Canvas) -> None:
    rng, size = canvas.rng, canvas.size
    width = int(size * rng.uniform(0.1, 0.3))
    height = int(size * rng.uniform(0.3, 0.6))
    x, top = int(rng.uniform(0.1, 0.55) * size), int(rng.uniform(0.25, 0.4) * size)
    cap = _packaging_lab(rng)
    material = _material(canvas, ("gloss", "dewy", "cream", "shimmer"))
    mask, relief = shapes.column((height, width), slant=0, tip=str(rng.choice(["flat", "round"])))
    wall = max(1, int(width * rng.uniform(0.02, 0.1)))
    glass, bulge = shapes.column((height + 2 * wall, width + 2 * wall), slant=0, tip="flat")
    canvas.prop(glass, bulge, np.array([88.0, 0, 0]), (x - wall, top - wall))
    canvas.shade(mask, relief, material, (x, top))
    canvas.write(int(rng.integers(1, 3)), (x, top, x + width, top + height))
    if rng.random() < 0.5:
        _stand(canvas, int(size * rng.uniform(0.2, 0.4)), width, (x, top - int(size * 0.3)), cap)
        return
    wand = max(3, width // 6)
    wand_x = x + width + int(width * rng.uniform(0.4, 1.0)) + width // 2
    _stand(canvas, int(size * 0.45), wand, (wand_x, int(size * 0.15)), np.array([90.0, 0, 0]))
    tip, tip_relief = shapes.column((max(6, int(size * 0.12)), max(4, int(wand * 1.8))),
                                    slant=0.5, tip="round")  # fmt: skip
    canvas.shade(tip, tip_relief, material, (wand_x - wand // 3, int(size * 0.06)), number=1)
    _stand(canvas, int(size * 0.35), width, (wand_x - width // 2, int(size * 0.55)), cap)


def _pencil(canvas: Canvas) -> None:
    rng, size = canvas.rng, canvas.size
    width = max(4, int(size * rng.uniform(0.03, 0.1)))
    x, top = int(rng.uniform(0.2, 0.8) * size), int(rng.uniform(0.03, 0.15) * size)
    material = _material(canvas, ("matte", "satin", "cream"))
    length = int(width * rng.uniform(1.0, 2.2))
    mask, relief = shapes.column((length, width), slant=0, tip=str(rng.choice(["point", "round"])))
    canvas.shade(mask, relief, material, (x, top))
    matched = material.lab if rng.random() < 0.4 else _packaging_lab(rng)
    if matched is not material.lab:
        _stand(canvas, length, width, (x, top + length), np.array([70.0, 8, 22]))
    _stand(canvas, size, width, (x, top + 2 * length), np.asarray(matched))
    if rng.random() < 0.4:
        stroke, height = shapes.smear(int(size * 0.5), rng, dry=True)
        canvas.shade(stroke, height, material, (int(size * (0.5 if x < size / 2 else 0.02)),
                                                int(size * 0.3)), number=1)  # fmt: skip


def _packaging(canvas: Canvas) -> None:
    rng, size = canvas.rng, canvas.size
    for _ in range(int(rng.integers(1, 4))):
        height, width = (int(size * rng.uniform(0.15, 0.8)) for _ in range(2))
        at = int(rng.uniform(0, size - width)), int(rng.uniform(0, size - height))
        which = rng.random()
        if which < 0.5:
            mask = shapes.pan_outline(str(rng.choice(["square", "rounded"])), (height, width))
            relief = np.zeros_like(mask)
        else:
            mask, relief = shapes.column((height, width), slant=0, tip="flat")
        canvas.drop_shadow(mask, at)
        canvas.prop(
            mask, relief, _packaging_lab(rng), at, finish=str(rng.choice(["matte", "gloss"]))
        )
    canvas.write(int(rng.integers(1, 6)), (0, 10, size, size))


SCENES: dict[str, Callable[[Canvas], None]] = {
    "palette": _palette,
    "pan": _pan,
    "bullet": _bullet,
    "smear": _smear,
    "bottle": _bottle,
    "pencil": _pencil,
    "packaging": _packaging,
}
