"""A garment's silhouette: what it tells, and how it is brought to the geometry of training."""

from __future__ import annotations

import cv2
import numpy as np

ASPECT = 0.75
# VITON's flat tops fill this share of their 3:4 picture's width or height (medians over the set).
FILLED = 0.94
# Silhouettes smaller than this share of the picture are no garment.
SMALLEST = 0.015


def looks_like_trousers(mask: np.ndarray) -> bool:
    """Whether a silhouette, (H, W) bool, parts into two legs and nothing between them.

    Tops end in a body, or in two sleeves with a body between. Tested in the lowest third: the
    middle tenth is empty, either side is not, and above it all hangs together.
    """
    rows, columns = np.nonzero(mask)
    if not len(rows):
        return False
    part = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = part.shape
    legs = part[int(0.62 * height) : int(0.95 * height)]
    hips = part[int(0.08 * height) : int(0.25 * height)]
    if min(legs.shape) < 6 or not hips.size or height < 0.9 * width:
        return False
    gap = int(0.45 * width), max(int(0.55 * width), int(0.45 * width) + 1)
    middle = legs[:, gap[0] : gap[1]].mean()
    left, right = legs[:, : gap[0]].mean(), legs[:, gap[1] :].mean()
    return bool(middle < 0.15 and min(left, right) > 0.35 and hips[:, gap[0] : gap[1]].mean() > 0.9)


def is_a_pair(mask: np.ndarray) -> bool:
    """Whether a silhouette, (H, W) bool, is two things of like size: shoes, socks, gloves."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    areas = np.sort(stats[1:, cv2.CC_STAT_AREA])[::-1]
    return count > 2 and areas[1] > 0.5 * areas[0] and areas[:2].sum() > 0.8 * areas.sum()


def to_training_geometry(
    image: np.ndarray, mask: np.ndarray, most: int = 1024
) -> tuple[np.ndarray, np.ndarray]:
    """Centre a garment in a 3:4 picture as VITON's flat tops are.

    Args:
        image: (H, W, 3) uint8, sRGB.
        mask: (H, W) float32 in 0..1, not empty.
        most: the largest height of the result; smaller garments are not enlarged.

    Returns:
        The garment, (h, w, 3) uint8, its colours continued beyond its outline so that sampling at
        the edge brings in no background; and its mask, (h, w) float32.
    """
    rows, columns = np.nonzero(mask > 0.5)
    x0, x1, y0, y1 = columns.min(), columns.max() + 1, rows.min(), rows.max() + 1
    height = max(float(y1 - y0), (x1 - x0) / ASPECT) / FILLED
    scale = min(1.0, most / height)
    tall = max(32, round(height * scale))
    wide = round(tall * ASPECT)
    scale = tall / height
    centre = np.array([(x0 + x1 - 1) / 2, (y0 + y1 - 1) / 2])
    moved = np.array([(wide - 1) / 2, (tall - 1) / 2]) - scale * centre
    matrix = np.array([[scale, 0, moved[0]], [0, scale, moved[1]]])
    if scale < 0.75:  # average first, or fine stripes turn into others
        image = cv2.blur(image, (max(1, round(0.7 / scale)),) * 2)
    garment = cv2.warpAffine(
        image, matrix, (wide, tall), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    there = cv2.warpAffine(mask, matrix, (wide, tall), flags=cv2.INTER_LINEAR)
    return extend_colors(garment, there > 0.9), there


def extend_colors(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Give every pixel outside an (H, W) bool mask the colour of the nearest one inside."""
    if not inside.any() or inside.all():
        return image
    _, nearest = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colors = np.zeros((int(nearest.max()) + 1, image.shape[2]), image.dtype)
    colors[nearest[inside]] = image[inside]
    return colors[nearest]
