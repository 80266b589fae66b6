"""What colours an outfit has, from a photograph of a person or of the garment alone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from models.attributes.color_names import color_name
from models.errors import AnalysisError
from models.ops.color import delta_e, lab_to_hex, rgb_to_lab
from models.structures import Face

_SIDE = 256  # pixels of the longer side in which colours are counted
_BACKGROUND = 9.0  # CIEDE2000 to the picture's rim within which a pixel is background
_SKIN = 14.0  # CIEDE2000 to the face's skin within which a pixel below it is skin
_SAME = 9.0  # CIEDE2000 within which two colours of an outfit are one


@dataclass(frozen=True)
class OutfitColor:
    """One of the colours of an outfit.

    Attributes:
        lab: CIELAB, D65.
        hex: sRGB.
        name: in plain English.
        share: of the outfit's area, 0..1.
    """

    lab: tuple[float, float, float]
    hex: str
    name: str
    share: float


def read_outfit_colors(
    image: Image.Image,
    face: Face | None = None,
    tone: np.ndarray | None = None,
    *,
    at_least: float = 0.08,
) -> list[OutfitColor]:
    """The main colours of an outfit, the largest first.

    With a face, the outfit is what lies below it, but for skin and background; without one,
    whatever is not background. Background is what has the colour of the picture's rim and is joined
    to it.

    Args:
        image: RGB.
        face: who wears it, if anyone.
        tone: CIELAB of this face's skin.
        at_least: share of the area from which on a colour counts.

    Raises:
        AnalysisError: no outfit can be seen.
    """
    scale = _SIDE / max(image.size)
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    lab = rgb_to_lab(np.asarray(image.convert("RGB").resize(size, Image.Resampling.BOX)))
    outfit = ~_background(lab)
    if face is not None:
        outfit &= _below(face, scale, outfit)
        if tone is not None:
            outfit &= delta_e(lab, tone) > _SKIN
    pixels = lab[outfit]
    if len(pixels) < 0.01 * outfit.size:
        raise AnalysisError("no outfit found in the picture", found=int(outfit.sum()))
    return _main_colors(pixels, at_least)


def _background(lab: np.ndarray) -> np.ndarray:
    """Pixels of the rim's colour that are joined to the rim, (h, w) bool."""
    rim = np.concatenate([lab[0], lab[-1], lab[:, 0], lab[:, -1]])
    like_rim = delta_e(lab, np.median(rim, 0)) < _BACKGROUND
    _, labels = cv2.connectedComponents(like_rim.astype(np.uint8))
    joined = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    return like_rim & np.isin(labels, joined)


def _below(face: Face, scale: float, like: np.ndarray) -> np.ndarray:
    """Where a body is, (h, w) bool: below the chin, within some widths of the face."""
    x0, y0, x1, y1 = (value * scale for value in face.box_xyxy)
    width, rows, columns = x1 - x0, np.arange(like.shape[0]), np.arange(like.shape[1])
    beside = np.abs(columns - (x0 + x1) / 2) < 2.2 * width
    return (rows > y1 + 0.25 * (y1 - y0))[:, None] & beside


def _main_colors(pixels: np.ndarray, at_least: float) -> list[OutfitColor]:
    """k-means in CIELAB from spread-out starts; near clusters are joined."""
    order = np.argsort(pixels @ np.array([1, 0.7, 0.4]))
    starts = np.zeros(len(pixels), np.int32)
    starts[order] = np.arange(len(pixels)) * 6 // len(pixels)
    until = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 30, 0.2)
    _, labels, centers = cv2.kmeans(
        pixels, 6, starts[:, None], until, 1, cv2.KMEANS_USE_INITIAL_LABELS
    )
    counts = np.bincount(labels[:, 0], minlength=6)
    found: list[tuple[np.ndarray, float]] = []
    for number in np.argsort(-counts):
        center, share = np.asarray(centers[number]), float(counts[number] / len(pixels))
        for place, (other, area) in enumerate(found):
            if delta_e(center, other) < _SAME:
                found[place] = (other, area + share)
                break
        else:
            found.append((center, share))
    found.sort(key=lambda pair: -pair[1])
    return [
        OutfitColor(
            (float(lab[0]), float(lab[1]), float(lab[2])),
            lab_to_hex(lab),
            color_name(lab),
            round(share, 3),
        )
        for lab, share in found
        if share >= at_least or lab is found[0][0]
    ]
