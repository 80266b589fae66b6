"""What is analysed: whole pictures in a square, and one shade at a time."""

from __future__ import annotations

import cv2
import numpy as np

SQUARE_SIDE = 128
"""Side of the square a shade is cut out to: its box spans four fifths, whatever its pixels were."""


def letterbox(pixels: np.ndarray, side: int) -> tuple[np.ndarray, float]:
    """Scale (H, W, 3) uint8 into the upper left of a square whose rest repeats the border.

    Returns:
        (side, side, 3) uint8, and the scale from the picture's pixels to the square's.
    """
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    size_wh = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(pixels, size_wh, interpolation=method)
    down, right = side - size_wh[1], side - size_wh[0]
    return cv2.copyMakeBorder(small, 0, down, 0, right, cv2.BORDER_REPLICATE), scale


def crop_shade(
    pixels: np.ndarray, mask: np.ndarray, bbox_xyxy: tuple[int, int, int, int]
) -> np.ndarray:
    """Cut one shade out, at a scale that depends on the shade alone.

    Args:
        pixels: (H, W, 3) uint8 RGB, the whole picture.
        mask: (h, w) bool inside the box.
        bbox_xyxy: the shade's box.

    Returns:
        (SQUARE_SIDE, SQUARE_SIDE, 4) uint8, RGB and mask 0 or 255; the box in the middle of a
        square with an eighth of margin, neutral grey beyond the picture.
    """
    x0, y0, x1, y1 = bbox_xyxy
    side = round(max(x1 - x0, y1 - y0) * 1.25)
    left, top = (x0 + x1 - side) // 2, (y0 + y1 - side) // 2
    square = np.full((side, side, 4), (128, 128, 128, 0), np.uint8)
    xa, ya = max(left, 0), max(top, 0)
    xb, yb = min(left + side, pixels.shape[1]), min(top + side, pixels.shape[0])
    square[ya - top : yb - top, xa - left : xb - left, :3] = pixels[ya:yb, xa:xb]
    square[y0 - top : y1 - top, x0 - left : x1 - left, 3] = mask * np.uint8(255)
    method = cv2.INTER_AREA if side > SQUARE_SIDE else cv2.INTER_LINEAR
    return cv2.resize(square, (SQUARE_SIDE, SQUARE_SIDE), interpolation=method)
