"""Camera and server of a shop: perspective, blur, noise, white balance and JPEG."""

from __future__ import annotations

import cv2
import numpy as np

from training.data.products.material import to_srgb


def photograph(
    light: np.ndarray, ids: np.ndarray, rng: np.random.Generator, *, tilt: float
) -> tuple[np.ndarray, np.ndarray]:
    """Take a picture of a scene.

    Args:
        light: (S, S, 3) linear.
        ids: (S, S) int16 shade numbers; they are seen from the same place.
        rng: draws the camera.
        tilt: how far corners move at most, as a share of the side.

    Returns:
        (S, S, 3) uint8 sRGB, and (S, S) int16.
    """
    size = light.shape[0]
    light, ids = _tilt(light, ids, rng, tilt)
    light = cv2.GaussianBlur(light, (0, 0), rng.uniform(0.3, 0.9) * size / 256)
    light = light * (1 + rng.normal(0, 0.012, 3))  # white balance and exposure
    rgb = to_srgb(light) + rng.normal(0, rng.uniform(0, 0.012), light.shape)
    pixels = np.round(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
    return compress_jpeg(pixels, int(rng.integers(60, 98))), ids


def compress_jpeg(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Write and read (H, W, 3) uint8 RGB as JPEG."""
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


def _tilt(
    light: np.ndarray, ids: np.ndarray, rng: np.random.Generator, tilt: float
) -> tuple[np.ndarray, np.ndarray]:
    size = light.shape[0]
    corners = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)
    moved = corners + rng.uniform(-0.5, 0.5, (4, 2)) * tilt * size * (rng.random() < 0.6)
    turn = rng.normal(0, 12 * tilt / 0.16) * (rng.random() < 0.4)
    rotation = cv2.getRotationMatrix2D((size / 2, size / 2), turn, rng.uniform(0.85, 1.0))
    moved = moved @ rotation[:, :2].T + rotation[:, 2]
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    light = cv2.warpPerspective(
        light, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    ids = cv2.warpPerspective(ids, matrix, (size, size), flags=cv2.INTER_NEAREST)
    return light, ids
