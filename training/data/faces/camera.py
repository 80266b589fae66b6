"""Another light on a face, and a cheap camera before it."""

from __future__ import annotations

import cv2
import numpy as np

from training.data.faces.scene import FaceScene


def relight(scene: FaceScene, rng: np.random.Generator) -> np.ndarray:
    """The scene by another light: from the side, coloured, dim. (S, S, 3) float32, 0..255."""
    pixels, size = scene.pixels, scene.size
    if rng.random() < 0.3:  # half dark
        turn = rng.uniform(0, 2 * np.pi)
        grid = (np.arange(size, dtype=np.float32) / size - 0.5)[None]
        along = np.cos(turn) * grid + np.sin(turn) * grid.T + rng.uniform(-0.15, 0.15)
        lit = 1 / (1 + np.exp(-along / rng.uniform(0.01, 0.2)))
        dark = rng.uniform(0.08, 0.65) * rng.uniform(0.8, 1.2, 3)
        pixels = pixels * (dark + (1 - dark) * lit[..., None]).astype(np.float32)
    if rng.random() < 0.4:
        pixels = pixels * rng.uniform(0.7, 1.25, 3).astype(np.float32)
    if rng.random() < 0.5:
        pixels = 255 * (pixels.clip(0, 255) / 255) ** float(np.exp(rng.normal(0, 0.35)))
    if rng.random() < 0.3:
        pixels = (pixels - 128) * rng.uniform(0.6, 1.4) + 128 + rng.uniform(-30, 30)
    if rng.random() < 0.06:
        pixels = np.repeat(pixels.mean(-1, keepdims=True), 3, axis=-1)
    return pixels.clip(0, 255).astype(np.float32)


def simulate_camera(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture after a cheap camera: small, blurred, noisy, JPEG. (S, S, 3) uint8."""
    size = pixels.shape[0]
    if rng.random() < 0.25:
        small = int(rng.uniform(0.25, 0.9) * size)
        few = cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA)
        pixels = cv2.resize(few, (size, size), interpolation=cv2.INTER_LINEAR)
    elif rng.random() < 0.2:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.35:
        grain = rng.standard_normal(pixels.shape, np.float32) * np.float32(rng.uniform(1, 14))
        pixels = pixels + grain
    taken = pixels.clip(0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 92))]
        taken = cv2.imdecode(cv2.imencode(".jpg", taken, quality)[1], cv2.IMREAD_COLOR)
    return taken
