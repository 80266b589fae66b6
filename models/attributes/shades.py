"""From maps to shades: separate regions, put them in reading order, merge what is the same."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.ops.color import delta_e


@dataclass(frozen=True)
class Region:
    """Where one shade lies.

    Attributes:
        bbox_xyxy: whole pixels of the picture, x1 and y1 exclusive.
        mask: (y1 - y0, x1 - x0) bool inside the box.
        score: 0..1, how sure the segmenter is that this is a shade.
    """

    bbox_xyxy: tuple[int, int, int, int]
    mask: np.ndarray
    score: float

    @property
    def area(self) -> int:
        """Pixels of the shade."""
        return int(self.mask.sum())

    @property
    def center_xy(self) -> tuple[float, float]:
        """Middle of the box."""
        x0, y0, x1, y1 = self.bbox_xyxy
        return (x0 + x1) / 2, (y0 + y1) / 2

    @classmethod
    def of(cls, mask: np.ndarray, score: float) -> Region:
        """Cut a (H, W) bool mask of the whole picture, not empty, to its box."""
        ys, xs = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        x0, y0, x1, y1 = int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1
        return cls((x0, y0, x1, y1), mask[y0:y1, x0:x1].copy(), score)


def separate(
    shade: np.ndarray, core: np.ndarray, size_hw: tuple[int, int], *, several: bool
) -> list[Region]:
    """Turn maps of a part of a picture into shades.

    Every island of `core` is a shade; each pixel of `shade` goes to the island nearest to it. A
    pixel that is nearer to another shade's core than a gap is wide cannot be told apart by `shade`
    alone, which is why the cores are learned.

    Args:
        shade: (h, w) float32, probability that a pixel shows a shade.
        core: (h, w) float32, probability that it lies deep inside of one.
        size_hw: pixels of the part of the picture that the maps cover.
        several: the picture shows pans of one palette; an island far smaller than the others is
            then a glint or a letter, no pan.

    Returns:
        Shades in pixels of that part, in no order.
    """
    islands = (core > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(islands, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count < 2:
        return []
    usual = float(np.median(areas)) if several else float(areas.max())
    least = max(4.0, (0.2 if several else 0.08) * usual)
    # Grow the islands over the shade, at the size of the picture.
    _, nearest = cv2.distanceTransformWithLabels(1 - islands, cv2.DIST_L2, 5)
    owner = np.zeros(int(nearest.max()) + 1, np.float32)
    owner[np.asarray(nearest)[islands > 0]] = labels[islands > 0]
    owned = cv2.resize(owner[np.asarray(nearest)], size_hw[::-1], interpolation=cv2.INTER_NEAREST)
    wide = cv2.resize(shade, size_hw[::-1], interpolation=cv2.INTER_LINEAR)
    regions = []
    for number in np.flatnonzero(areas >= least) + 1:
        mask = _largest_part((owned == number) & (wide > 0.5))
        if mask is not None:
            regions.append(Region.of(mask, float(shade[labels == number].mean())))
    return regions


def _largest_part(mask: np.ndarray) -> np.ndarray | None:
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return None
    return labels == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def reading_order(boxes_xyxy: np.ndarray) -> list[int]:
    """Order of boxes as one reads: rows from the top, each from the left.

    A box belongs to the row above when its middle lies higher than that row's lower half; rows may
    lean by what a hand-held camera tilts.

    Args:
        boxes_xyxy: (N, 4).

    Returns:
        Indices of the boxes in order.
    """
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    if len(boxes) == 0:
        return []
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    height = float(np.median(boxes[:, 3] - boxes[:, 1]))
    lean = _lean(centers, height)
    across = centers[:, 0] * np.cos(lean) + centers[:, 1] * np.sin(lean)
    down = centers[:, 1] * np.cos(lean) - centers[:, 0] * np.sin(lean)
    rows: list[list[int]] = []
    for index in np.argsort(down, kind="stable"):
        row = rows[-1] if rows else []
        if row and down[index] - np.mean(down[row]) < 0.5 * height:
            row.append(int(index))
        else:
            rows.append([int(index)])
    return [index for row in rows for index in sorted(row, key=lambda i: across[i])]


def _lean(centers: np.ndarray, height: float) -> float:
    """Angle of the rows: the one, up to 30 degrees, in which the centres fall into fewest lines."""
    if len(centers) < 4:
        return 0.0
    angles = np.radians(np.arange(-30, 31))
    down = centers[:, 1:] * np.cos(angles) - centers[:, :1] * np.sin(angles)
    steps = np.diff(np.sort(down, axis=0), axis=0)
    within = np.where(steps < 0.5 * height, steps, 0).sum(0) / height
    rows = 1 + (steps >= 0.5 * height).sum(0)
    cost = rows + within + 0.02 * np.abs(np.degrees(angles))
    return float(angles[int(np.argmin(cost))])


def merge_duplicates(labs: np.ndarray, areas: np.ndarray, nearer: float = 2.0) -> list[list[int]]:
    """Group shades that no eye would tell apart, the largest of each group first.

    Args:
        labs: (N, 3) CIELAB.
        areas: (N,) pixels; decides who leads a group.
        nearer: CIEDE2000 below which two shades are one.

    Returns:
        Groups of indices; each index once, groups ordered by their leader's area.
    """
    groups: list[list[int]] = []
    for index in np.argsort(-np.asarray(areas), kind="stable"):
        for group in groups:
            if delta_e(labs[index], labs[group[0]]) < nearer:
                group.append(int(index))
                break
        else:
            groups.append([int(index)])
    return groups
