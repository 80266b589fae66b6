"""Rendered shop pictures with exact truth: which pixels are which shade, of what colour and finish.

scene = render_scene("palette", 256, np.random.default_rng(7))
scene.pixels, scene.ids, scene.materials
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from training.data.products import shapes, upright_products
from training.data.products.camera import photograph
from training.data.products.canvas import Canvas
from training.data.products.colors import (
    DRY_FINISHES,
    PAN_FINISHES,
    WET_FINISHES,
    draw_lab,
    draw_packaging_lab,
    draw_product,
)
from training.data.products.light import draw_rig
from training.data.products.material import Material, draw_noise
from training.data.products.material import to_linear as linear


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
    rig = draw_rig(rng, held_out=held_out, standing=kind in STANDING)
    canvas = Canvas(_draw_background(size, rng, held_out), rig, rng, held_out)
    SCENES[kind](canvas)
    pixels, ids = photograph(canvas.light, canvas.ids, rng, tilt=_TILT.get(kind, 0.05))
    return Scene(kind, pixels, ids, tuple(canvas.materials))


STANDING = ("bullet", "bottle", "pencil")
_TILT = {"palette": 0.16, "pan": 0.08}


def _draw_background(size: int, rng: np.random.Generator, held_out: bool) -> np.ndarray:
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
        texture = draw_noise((size, size), cells, rng)[..., None]
        picture *= np.exp(rng.uniform(0.05, 0.4) * texture)
    if rng.random() < 0.4:
        ys, xs = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
        angle, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.2)
        picture *= 1 - strength * (1 + xs * np.cos(angle) + ys * np.sin(angle))[..., None] / 2
    return picture.clip(0, 1)


def _draw_palette(canvas: Canvas) -> None:
    rng, size = canvas.rng, canvas.size
    rows, columns = int(rng.integers(1, 6)), int(rng.integers(2, 8))
    shape = str(
        rng.choice(
            ("heart", "hexagon")
            if canvas.held_out and rng.random() < 0.5
            else shapes.PAN_SHAPES[:4]
        )
    )
    cell = int(min(0.86 * size / columns, 0.8 * size / rows, 0.34 * size))
    gap = rng.choice([rng.uniform(0.05, 0.12), rng.uniform(0.12, 0.35)])
    pan_h = max(6, int(cell * (1 - gap)))
    pan_w = pan_h if shape != "wide" else max(6, int(pan_h * rng.uniform(0.6, 1.0)))
    step_x, step_y = pan_w + max(2, int(cell * gap)), cell
    width, height = columns * step_x, rows * step_y
    left, top = (size - width) // 2, int(rng.uniform(0.4, 0.95) * (size - height))
    rim = int(rng.uniform(0.02, 0.06) * size)
    tray = draw_packaging_lab(rng)
    lid_h = min(top - 2 * rim, height + rim) if rng.random() < 0.6 else 0
    if lid_h > 8:
        box = np.ones((lid_h, width + 2 * rim), np.float32)
        canvas.lay_prop(
            box,
            np.zeros_like(box),
            draw_packaging_lab(rng),
            (left - rim, top - rim - lid_h),
            finish=str(rng.choice(["matte", "gloss"])),
        )
    box = np.ones((height + 2 * rim, width + 2 * rim), np.float32)
    canvas.drop_shadow(box, (left - rim, top - rim))
    canvas.lay_prop(box, np.zeros_like(box), tray, (left - rim, top - rim), finish="matte")
    one_family = draw_lab(rng) if rng.random() < 0.4 else None
    for row in range(rows):
        for column in range(columns):
            lab = None if one_family is None else one_family + rng.normal(0, 9, 3)
            mask = shapes.draw_pan_outline(shape, (pan_h, pan_w))
            at = left + column * step_x + (step_x - pan_w) // 2, top + row * step_y
            canvas.lay_shade(
                mask, shapes.draw_pan_relief(mask, rng), draw_product(canvas, PAN_FINISHES, lab), at
            )
    if lid_h > 8 and rng.random() < 0.6:  # a mirror shows the first rows upside down
        x0, x1 = max(0, left), min(size, left + width)
        seen = canvas.light[top : top + lid_h - rim, x0:x1][::-1] * rng.uniform(0.5, 0.85)
        canvas.lay(np.ones(seen.shape[:2], np.float32), seen, (x0, top - rim - len(seen)), 0)
    if rng.random() < 0.5:
        canvas.write(int(rng.integers(1, 3)), (left, 8, left + width, max(9, top - rim)))


def _draw_pan(canvas: Canvas) -> None:
    rng, size = canvas.rng, canvas.size
    side = int(rng.uniform(0.3, 0.8) * size)
    names = (
        ("heart", "hexagon") if canvas.held_out and rng.random() < 0.5 else shapes.PAN_SHAPES[:4]
    )
    shape = str(rng.choice(names))
    width = side if shape != "wide" else int(side * rng.uniform(1.0, 1.4))
    left, top = (size - width) // 2, int(rng.uniform(0.4, 1.0) * (size - side - 6))
    rim = int(rng.uniform(0.02, 0.14) * side)
    case = draw_packaging_lab(rng)
    if rng.random() < 0.8:
        outline = shapes.draw_pan_outline(shape, (side + 2 * rim, width + 2 * rim))
        relief = shapes.draw_pan_relief(outline, rng)
        if rng.random() < 0.5:  # an open lid above
            canvas.lay_prop(outline, relief, case, (left - rim, top - rim - int(0.75 * side)))
        canvas.drop_shadow(outline, (left - rim, top - rim))
        canvas.lay_prop(outline, relief, case, (left - rim, top - rim))
    mask = shapes.draw_pan_outline(shape, (side, width))
    tone = None
    if rng.random() < 0.15:  # marbled
        swirl = np.sin(4 * draw_noise((side, width), 4, rng))
        tone = np.exp(0.18 * swirl - 0.18 * np.mean(swirl))
    material = draw_product(canvas, PAN_FINISHES)
    canvas.lay_shade(mask, shapes.draw_pan_relief(mask, rng), material, (left, top), tone=tone)
    if rng.random() < 0.3:
        canvas.write(1, (left, top, left + width, top + side))


def _draw_smear(canvas: Canvas) -> None:
    rng, size = canvas.rng, canvas.size
    if rng.random() < 0.15:  # on an arm
        skin = np.array([rng.uniform(25, 78), rng.uniform(8, 18), rng.uniform(12, 26)])
        arm = np.ones((size, size), np.float32)
        relief = 6 * draw_noise((size, size), 2, rng)
        canvas.lay_prop(arm, relief, skin, (0, 0), finish="satin")
    dry = rng.random() < 0.4
    material = draw_product(canvas, DRY_FINISHES if dry else WET_FINISHES)
    side = int(size * rng.uniform(0.45, 1.05))
    mask, height = shapes.draw_smear(side, rng, dry=dry, flow=material.flow)
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), rng.uniform(0, 360), 1.0)
    mask, height = (cv2.warpAffine(x, turn, (side, side)) for x in (mask, height))
    at = int((size - side) * rng.uniform(0.3, 0.7)), int((size - side) * rng.uniform(0.3, 0.7))
    if rng.random() < 0.4:
        canvas.drop_shadow(mask, at, 0.2)
    canvas.lay_shade(mask, height, material, at)
    if rng.random() < 0.2:
        canvas.write(1, (0, int(0.85 * size), size, size))


def _draw_packaging(canvas: Canvas) -> None:
    rng, size = canvas.rng, canvas.size
    for _ in range(int(rng.integers(1, 4))):
        height, width = (int(size * rng.uniform(0.15, 0.8)) for _ in range(2))
        at = int(rng.uniform(0, size - width)), int(rng.uniform(0, size - height))
        which = rng.random()
        if which < 0.5:
            mask = shapes.draw_pan_outline(str(rng.choice(["square", "rounded"])), (height, width))
            relief = np.zeros_like(mask)
        else:
            mask, relief = shapes.draw_column((height, width), slant=0, tip="flat")
        canvas.drop_shadow(mask, at)
        canvas.lay_prop(
            mask, relief, draw_packaging_lab(rng), at, finish=str(rng.choice(["matte", "gloss"]))
        )
    canvas.write(int(rng.integers(1, 6)), (0, 10, size, size))


SCENES: dict[str, Callable[[Canvas], None]] = {
    "palette": _draw_palette,
    "pan": _draw_pan,
    "bullet": upright_products.draw_bullet,
    "smear": _draw_smear,
    "bottle": upright_products.draw_bottle,
    "pencil": upright_products.draw_pencil,
    "packaging": _draw_packaging,
}
