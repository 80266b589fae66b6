"""Cut a face out for a generator, and carry back what the generator changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from models.analysis.face_classes import FACE_CLASSES, parse_map
from models.instant.layer import MakeupLayer, region_weights
from models.structures import Face

EXPAND = 0.3
"""How far the square reaches beyond the face's box on every side, as a share of its longer side."""


@dataclass(frozen=True)
class Square:
    """A square of the picture in whole pixels; it may reach over the picture's edge."""

    x0: int
    y0: int
    side: int

    @classmethod
    def around(cls, face: Face, expand: float = EXPAND) -> Square:
        """The square that shows a face with its surroundings; `expand` as `EXPAND`."""
        x0, y0, x1, y1 = face.box_xyxy
        side = round(max(x1 - x0, y1 - y0) * (1 + 2 * expand))
        return cls((x0 + x1 - side) // 2, (y0 + y1 - side) // 2, side)

    def cut(self, image: np.ndarray, size: int) -> np.ndarray:
        """Cut the square and bring it to `size` pixels; beyond the edge the edge is continued.

        Args:
            image: (H, W) or (H, W, 3), uint8 or float32.
            size: side wanted.
        """
        height, width = image.shape[:2]
        rows = np.clip(np.arange(self.y0, self.y0 + self.side), 0, height - 1)
        columns = np.clip(np.arange(self.x0, self.x0 + self.side), 0, width - 1)
        return resize_square(image[rows[:, None], columns], size)


def resize_square(image: np.ndarray, side: int) -> np.ndarray:
    """Bring a square to another side, averaged when it shrinks."""
    shrinks = side < len(image)
    method = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, (side, side), interpolation=method)


def cut_painted_parts(
    face: Face, strengths: Mapping[str, float], size: int, expand: float = EXPAND
) -> tuple[np.ndarray, np.ndarray]:
    """What a generator may see of a reference.

    Args:
        face: the reference's.
        strengths: region -> strength; regions at 0 are hidden.
        size: side of the crop.
        expand: how far it reaches beyond the face.

    Returns:
        (size, size, 3) uint8, the face on black without eyes and hair, as FLUX-Makeup was trained;
        and (size, size) float32 in 0..1, how much of each pixel belongs to a hidden region.
    """
    square = Square.around(face, expand)
    kept = np.isin(parse_map(face), FACE_CLASSES).astype(np.float32)
    hidden = np.zeros(face.size_hw, np.float32)
    weights = region_weights(face)
    wanted = [weight for region, weight in weights.items() if strengths.get(region, 1.0) > 0]
    if len(wanted) < len(weights):
        x0, y0, x1, y1 = face.box_xyxy
        hidden[y0:y1, x0:x1] = 1 - np.sum(wanted, axis=0)
    shown = (kept * (1 - hidden))[..., None] * face.image
    crop = np.clip(square.cut(shown, size), 0, 255)
    return crop.round().astype(np.uint8), np.clip(square.cut(hidden, size), 0, 1)


def make_layer(face: Face, square: Square, before: np.ndarray, after: np.ndarray) -> MakeupLayer:
    """What a generator changed on a face, as a layer over the picture at its own size.

    The difference is carried back, not the picture: detail finer than the crop stays the wearer's.

    Args:
        face: the wearer's.
        square: where the crop was cut.
        before: (S, S, 3) the crop, in 8-bit code values.
        after: (S, S, 3) what the generator made of it.
    """
    change = resize_square(np.subtract(after, before, dtype=np.float32), square.side)
    x0, y0, x1, y1 = face.box_xyxy
    part = change[y0 - square.y0 : y1 - square.y0, x0 - square.x0 : x1 - square.x0]
    return MakeupLayer(face.box_xyxy, np.ascontiguousarray(part), region_weights(face))
