"""Sampling pictures at other places."""

from __future__ import annotations

import cv2
import numpy as np


def sample(image: np.ndarray, positions_xy: np.ndarray, *, extend: bool = False) -> np.ndarray:
    """Read `image` at positions, bilinearly.

    Args:
        image: (H, W) or (H, W, C) uint8 or float32.
        positions_xy: (h, w, 2) float32, x and y in pixels, pixel centres at whole numbers.
        extend: continue the picture's edge outside of it, instead of 0.

    Returns:
        (h, w) or (h, w, C) of the image's type.
    """
    border = cv2.BORDER_REPLICATE if extend else cv2.BORDER_CONSTANT
    return cv2.remap(image, positions_xy, None, cv2.INTER_LINEAR, borderMode=border)  # pyright: ignore[reportCallIssue, reportArgumentType]
