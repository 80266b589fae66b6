"""Masks of outlines and lines, noise, and pieces of material, to draw on faces with."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from training.data.faces.scene import Materials


def fill_polygon(size: int, outline: np.ndarray, blur: float = 0.0) -> np.ndarray:
    """Mask of a polygon: (S, S) float32 in 0..1 of an (N, 2) outline in pixels."""
    mask = np.zeros((size, size), np.uint8)
    fixed = np.round(np.clip(outline, -500, 1000) * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], (255,), cv2.LINE_AA, 4)
    return soften(mask.astype(np.float32) / 255, blur)


def draw_line(size: int, path: np.ndarray, width: float, closed: bool = False) -> np.ndarray:
    """Mask of a line of any width, thinner than a pixel too: (S, S) float32 in 0..1."""
    mask = np.zeros((size, size), np.uint8)
    fixed = np.round(np.clip(path, -500, 1000) * 16).astype(np.int32)
    cv2.polylines(mask, [fixed], closed, (255,), max(1, round(width)), cv2.LINE_AA, 4)
    return mask.astype(np.float32) * (min(1.0, width) / 255)


def soften(mask: np.ndarray, blur: float) -> np.ndarray:
    """Blur a mask by `blur` pixels; below 0.3 nothing happens."""
    return cv2.GaussianBlur(mask, (0, 0), blur) if blur > 0.3 else mask


def trace_superellipse(
    centre: np.ndarray, radii: Sequence[float] | np.ndarray, power: float = 2.0, angle: float = 0.0
) -> np.ndarray:
    """Outline of a superellipse: power 2 is an ellipse, 4 a rounded box. (40, 2) in pixels."""
    turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    x = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** (2 / power) * radii[0]
    y = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** (2 / power) * radii[1]
    cos, sin = np.cos(angle), np.sin(angle)
    return centre + np.stack([x * cos - y * sin, x * sin + y * cos], axis=1)


def draw_noise(size: int, grain: int, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise, (S, S) float32 in 0..1, with bumps of about `grain` pixels."""
    few = max(2, size // grain + 1)
    return cv2.resize(
        rng.random((few, few), np.float32), (size, size), interpolation=cv2.INTER_CUBIC
    ).clip(0, 1)


def spread_patch(
    patches: np.ndarray, size: int, rng: np.random.Generator, zoom: float = 1.0
) -> np.ndarray:
    """One square of material mirrored over the whole picture, turned at random.

    Returns:
        (S, S, 3) float32, 0..255.
    """
    patch = patches[rng.integers(len(patches))]
    angle = rng.uniform(-0.6, 0.6)
    cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
    shift = rng.uniform(0, size, 2)
    matrix = np.array([[cos, -sin, shift[0]], [sin, cos, shift[1]]])
    return cv2.warpAffine(
        patch, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    ).astype(np.float32)


def recolor(colors: np.ndarray, rng: np.random.Generator, vivid: float = 0.15) -> np.ndarray:
    """Another brightness, contrast and tint; a share `vivid` gets a strong colour."""
    mean = colors.mean((0, 1))
    tint = rng.uniform(0.75, 1.25, 3)
    if rng.random() < vivid:
        tint = rng.uniform(0.2, 1.8, 3)
    wanted = mean * rng.uniform(0.4, 1.6) * tint + rng.uniform(-20, 20)
    return ((colors - mean) * rng.uniform(0.5, 1.5) + wanted).clip(0, 255)


def draw_material(things: Materials, size: int, rng: np.random.Generator) -> np.ndarray:
    """What an object may be made of: a photograph, one colour, or noise. (S, S, 3) float32."""
    kind = rng.random()
    if kind < 0.45:
        return recolor(spread_patch(things.objects, size, rng, rng.uniform(0.5, 2.0)), rng, 0.3)
    base = rng.uniform(0, 255, 3) if rng.random() < 0.5 else np.full(3, rng.uniform(0, 255))
    flat = np.broadcast_to(base, (size, size, 3)).astype(np.float32)
    if kind < 0.65:
        return flat.copy()
    shade = (draw_noise(size, int(rng.integers(3, 60)), rng) - 0.5) * rng.uniform(10, 90)
    return (flat + shade[..., None]).clip(0, 255)
