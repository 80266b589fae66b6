"""Shades drawn on their picture: outline, number, and a swatch of the colour that was read."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from PIL import Image

from pipelines.catalog.extract.attributes import Attributes


def draw_shades(
    image: Image.Image, attributes: Attributes, masks: Sequence[np.ndarray] | None = None
) -> Image.Image:
    """Draw what was read over a copy of the picture.

    Args:
        image: the picture the attributes were read from, mode "RGB".
        attributes: its shades.
        masks: one (h, w) bool mask inside each shade's box, as `AttributeExtractor.read` gives;
            boxes are drawn without them.

    Returns:
        A picture of the same size.
    """
    picture = np.array(image)
    thick = max(1, round(max(picture.shape[:2]) / 400))
    for number, shade in enumerate(attributes.shades):
        x0, y0, x1, y1 = shade.bbox_xyxy
        mask = np.ones((y1 - y0, x1 - x0), np.uint8)
        if masks is not None:
            mask = masks[number].astype(np.uint8)
        outline, _ = cv2.findContours(
            mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE, offset=(x0, y0)
        )
        cv2.drawContours(picture, outline, -1, (255, 255, 255), thick + 2, cv2.LINE_AA)
        cv2.drawContours(picture, outline, -1, (20, 20, 20), thick, cv2.LINE_AA)
        _swatch(picture, shade.bbox_xyxy, shade.hex, str(number + 1), thick)
    return Image.fromarray(picture)


def _swatch(
    picture: np.ndarray, box: tuple[int, int, int, int], code: str, text: str, thick: int
) -> None:
    """A disc of the shade's colour with its number, in the middle of its box."""
    x0, y0, x1, y1 = box
    radius = max(4, min(round(0.22 * min(x1 - x0, y1 - y0)), picture.shape[1] // 25))
    middle = (x0 + x1) // 2, (y0 + y1) // 2
    color = tuple(int(code[i : i + 2], 16) for i in (1, 3, 5))
    cv2.circle(picture, middle, radius + thick, (255, 255, 255), -1, cv2.LINE_AA)
    cv2.circle(picture, middle, radius, color, -1, cv2.LINE_AA)
    scale = radius / 22
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    ink = (0, 0, 0) if sum(color) > 380 else (255, 255, 255)
    corner = middle[0] - width // 2, middle[1] + height // 2
    cv2.putText(picture, text, corner, cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thick, cv2.LINE_AA)
