"""Boxes that may reach beyond the picture: cut them out, put them back."""

from __future__ import annotations

import cv2
import numpy as np

Box = tuple[int, int, int, int]


def cut(image: np.ndarray, box_xyxy: Box) -> np.ndarray:
    """Cut a box out of an (H, W) or (H, W, C) picture, which is continued by its edge pixels.

    Args:
        image: the picture.
        box_xyxy: whole pixels, right and lower bound excluded; must touch the picture.
    """
    x0, y0, x1, y1 = box_xyxy
    left, top, right, bottom = inside(box_xyxy, image.shape)
    part = image[top:bottom, left:right]
    beyond = (top - y0, y1 - bottom, left - x0, x1 - right)
    if not any(beyond):
        return np.ascontiguousarray(part)
    return cv2.copyMakeBorder(part, *beyond, borderType=cv2.BORDER_REPLICATE)


def paste(image: np.ndarray, part: np.ndarray, box_xyxy: Box) -> np.ndarray:
    """Put what `cut` gave back where it came from: a new picture, equal outside the box."""
    x0, y0, _, _ = box_xyxy
    left, top, right, bottom = inside(box_xyxy, image.shape)
    result = image.copy()
    result[top:bottom, left:right] = part[top - y0 : bottom - y0, left - x0 : right - x0]
    return result


def inside(box_xyxy: Box, shape: tuple[int, ...]) -> Box:
    """The part of a box that lies within a picture of a shape (H, W, ...)."""
    x0, y0, x1, y1 = box_xyxy
    height, width = shape[:2]
    return max(0, x0), max(0, y0), min(width, x1), min(height, y1)
