"""Outlines and reliefs of makeup, as masks 0..1 and heights in pixels."""

from __future__ import annotations

import cv2
import numpy as np

from models.ops.masks import polygon
from training.data.products.material import draw_noise

PAN_SHAPES = ("round", "square", "rounded", "wide", "heart", "hexagon")


def draw_pan_outline(shape: str, size_hw: tuple[int, int]) -> np.ndarray:
    """Mask of a pan that fills a box: (h, w) float32."""
    height, width = size_hw
    turn = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    if shape == "round":
        corners = np.stack([np.cos(turn), np.sin(turn)], 1)
    elif shape == "heart":
        x = 16 * np.sin(turn) ** 3
        y = -(13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn))
        corners = np.stack([x / 16, (y - 2.5) / 14.5], 1)
    elif shape == "hexagon":
        six = np.arange(6) * np.pi / 3
        corners = np.stack([np.cos(six), np.sin(six) / 0.87], 1)
    else:
        power = 30.0 if shape in ("square", "wide") else 6.0
        corners = np.sign([np.cos(turn), np.sin(turn)]).T * (
            np.abs([np.cos(turn), np.sin(turn)]).T ** (2 / power)
        )
    center = np.array([(width - 1) / 2, (height - 1) / 2])
    return polygon(center + corners * (center + 0.4), size_hw)


def draw_pan_relief(mask: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A pressed pan: domed or dished, bevelled rim, sometimes a stamp or strokes of a brush."""
    size_hw = mask.shape[0], mask.shape[1]
    side = min(size_hw)
    depth = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
    height = 0.05 * side * np.minimum(depth / max(2.0, 0.06 * side), 1) ** 0.5
    height += 0.002 * side * draw_noise(size_hw, 3, rng)
    ys, xs = np.mgrid[-1 : 1 : size_hw[0] * 1j, -1 : 1 : size_hw[1] * 1j]
    height -= rng.uniform(-0.06, 0.06) * side * (xs**2 + ys**2)
    style = rng.random()
    if style < 0.35:
        height += 0.015 * side * _draw_stamp(size_hw, rng)
    elif style < 0.45:
        stripes = np.sin(np.arange(mask.shape[1]) * 2 * np.pi / max(3.0, side / rng.uniform(4, 12)))
        height += 0.006 * side * stripes[None]
    return height.astype(np.float32)


def _draw_stamp(size_hw: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """An embossed sign, blurred: letters, a star, rings or leaves; 0..1."""
    height, width = size_hw
    stamp = np.zeros(size_hw, np.float32)
    middle = (width // 2, height // 2)
    thick = max(1, min(size_hw) // 30)
    which = rng.integers(4)
    if which == 0:
        text = "".join(rng.choice(list("ABCDEGHKLMNORSTV"), rng.integers(1, 4)))
        scale = min(size_hw) / 45 / len(text)
        (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, scale, thick)
        corner = middle[0] - w // 2, middle[1] + h // 2
        cv2.putText(stamp, text, corner, cv2.FONT_HERSHEY_DUPLEX, scale, (1.0,), thick, cv2.LINE_AA)
    elif which == 1:
        turn = np.arange(10) * np.pi / 5 - np.pi / 2
        reach = np.where(np.arange(10) % 2, 0.4, 1)[:, None] * min(size_hw) * 0.33
        star = np.array(middle) + np.stack([np.cos(turn), np.sin(turn)], 1) * reach
        cv2.polylines(stamp, [star.round().astype(np.int32)], True, (1.0,), thick, cv2.LINE_AA)
    elif which == 2:
        for share in np.arange(0.12, 0.45, rng.uniform(0.08, 0.2)):
            cv2.circle(stamp, middle, max(1, int(share * min(size_hw))), (1.0,), thick, cv2.LINE_AA)
    else:
        for angle in rng.uniform(0, 180, rng.integers(2, 6)):
            axes = (int(0.4 * min(size_hw)), int(0.1 * min(size_hw)))
            cv2.ellipse(stamp, middle, axes, angle, 0, 360, (1.0,), thick, cv2.LINE_AA)
    return cv2.GaussianBlur(stamp, (0, 0), max(0.6, thick * 0.7)) * rng.choice([-1, 1])


def draw_smear(
    size: int, rng: np.random.Generator, *, dry: bool, flow: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """A smear across a square box, wet (streaks, thick edge, thinning out) or dry (crumbs, grain).

    Args:
        size: side of the box in pixels.
        rng: draws it.
        dry: of powder.
        flow: share of its streaks that has levelled.

    Returns:
        (size, size) mask 0..1 and height in pixels.
    """
    ys, xs = np.mgrid[:size, :size].astype(np.float32) / size - 0.5
    bend = rng.uniform(-0.6, 0.6)
    along, across = xs, ys - bend * (xs**2 - 0.08)
    half_long, half_wide = rng.uniform(0.3, 0.44), rng.uniform(0.1, 0.26)
    taper = half_wide * (1 - rng.uniform(0, 0.5) * np.clip(along / half_long, -1, 1))
    box = rng.uniform(2.2, 6.0)
    reach = (np.abs(along / half_long) ** box + np.abs(across / taper) ** box) ** (1 / box)
    rough = (0.22 if dry else 0.09) * draw_noise((size, size), rng.uniform(5, 12), rng)
    rough += (0.14 if dry else 0.015) * draw_noise((size, size), 40, rng)
    edge = 1 - reach + rough * np.clip(reach, 0.3, 1)
    mask = np.clip(edge * size / 4 + 0.5, 0, 1)
    lines = draw_noise((64, 4), 14, rng)[:, :1]
    row = np.clip((across / (2 * taper) + 0.5) * 63, 0, 63)
    streaks = cv2.remap(lines, np.zeros_like(row), row, cv2.INTER_CUBIC)
    if dry:
        height = 0.002 * size * draw_noise((size, size), 45, rng)
        height += 0.002 * size * streaks + 0.012 * size * draw_noise((size, size), 5, rng)
    else:
        height = (1 - flow) * rng.uniform(0.002, 0.008) * size * streaks
        height += 0.012 * size * draw_noise((size, size), rng.uniform(2, 5), rng)
    height += 0.05 * size * np.clip(edge * rng.uniform(2, 6), 0, 1) ** 0.6
    return mask.astype(np.float32), height.astype(np.float32)


def draw_column(
    size_hw: tuple[int, int], *, slant: float, tip: str
) -> tuple[np.ndarray, np.ndarray]:
    """An upright rod with a slanted, round, pointed or flat top: bullets, pencils, tubes.

    Args:
        size_hw: box.
        slant: height of a slanted top as a share of the width.
        tip: "slant", "round", "point" or "flat".
    """
    height, width = size_hw
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    side = (xs - (width - 1) / 2) / (width / 2)
    relief = width / 2 * np.sqrt(np.clip(1 - side**2, 0, 1))
    if tip == "slant":
        top = slant * width * (0.5 + 0.5 * side) + 0.25 * width * (1 - np.sqrt(1 - side**2 * 0.99))
        facet = top + slant * width * np.sqrt(np.clip(1 - side**2, 0, 1)) * 1.2
        relief = np.where(ys < facet, relief.max() * 0.6 + (ys - facet) * 0.25, relief)
    elif tip == "round":
        top = width / 2 * (1 - np.sqrt(np.clip(1 - side**2, 0, 1)))
    elif tip == "point":
        top = np.abs(side) * width * 2
    else:
        top = np.zeros_like(side)
    mask = np.clip(ys - top + 0.5, 0, 1) * np.clip((1 - np.abs(side)) * width / 2 + 0.5, 0, 1)
    return mask.astype(np.float32), cv2.GaussianBlur(relief, (0, 0), 0.8)
