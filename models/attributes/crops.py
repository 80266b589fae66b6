"""What the networks are given: whole pictures in a square, and one shade at a time."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

SQUARE_SIDE = 160
"""Side of the square a shade is cut out to: its box spans four fifths, whatever its pixels were."""
VIEW_SIDE = 64
"""Side of what `FinishReader` reads of it: the whole square, made smaller, and windows of it."""
WINDOWS = 2


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


def views_of(square: np.ndarray) -> np.ndarray:
    """The whole square from afar, and from close by a window on each half of the shade.

    Args:
        square: (SQUARE_SIDE, SQUARE_SIDE, 4) uint8, see `crop_shade`.

    Returns:
        (1 + WINDOWS, VIEW_SIDE, VIEW_SIDE, 4) uint8.
    """
    ys, xs = np.nonzero(square[..., 3] > 127)
    if len(ys) == 0:
        ys = xs = np.array([SQUARE_SIDE // 2])
    along = ys if np.ptp(ys) > np.ptp(xs) else xs
    views = [cv2.resize(square, (VIEW_SIDE, VIEW_SIDE), interpolation=cv2.INTER_AREA)]
    for half in np.array_split(np.argsort(along, kind="stable"), WINDOWS):
        top, left = (
            int(np.clip(np.median(at[half]) - VIEW_SIDE / 2, 0, SQUARE_SIDE - VIEW_SIDE))
            if len(half)
            else 0
            for at in (ys, xs)
        )
        views.append(square[top : top + VIEW_SIDE, left : left + VIEW_SIDE])
    return np.stack(views)


def network_views(views: np.ndarray) -> Tensor:
    """Turn (B, V, S, S, 4) uint8 views into what `FinishReader` reads.

    Colour is told as the difference to the shade's mean in the first view, a quarter of white
    making 1: neither the light's colour nor the exposure of a picture says anything of a finish.

    Returns:
        (B, V, 4, S, S) float32, colour and mask.
    """
    planes = torch.from_numpy(np.ascontiguousarray(views)).movedim(-1, 2).float()
    color, mask = planes[:, :, :3], planes[:, :, 3:] / 255
    inside = mask[:, :1]
    mean = (color[:, :1] * inside).sum((3, 4), keepdim=True)
    mean = mean / inside.sum((3, 4), keepdim=True).clamp_min(1)
    return torch.cat([(color - mean) / 64, mask], 2)
