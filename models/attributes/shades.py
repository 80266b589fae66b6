"""From maps to shades: separate regions, put them in reading order, merge what is the same."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.ops.color import delta_e

CORE_LIES_ABOVE = 0.46
MIRRORED_WITHIN = 6.0
"""Median CIEDE2000 between the pans of a row and those of its mirror image."""
PIECE_LIES_ABOVE = 0.35
FAINTEST = 0.1
"""Probability below which even the likeliest pixel shows no shade."""


@dataclass(frozen=True, eq=False)
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
    def solidity(self) -> float:
        """Share of its convex hull that it fills; 1 for a pan, less for a torn one."""
        points = cv2.findNonZero(self.mask.astype(np.uint8))
        hull = cv2.contourArea(cv2.convexHull(points))
        return min(1.0, self.area / max(hull, 1.0))

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


def separate_pans(shade: np.ndarray, core: np.ndarray, size_hw: tuple[int, int]) -> list[Region]:
    """Turn maps of a palette into its pans.

    Every island of `core` is a pan; each pixel of `shade` goes to the island nearest to it. Pans
    with hardly a gap between them cannot be told apart by `shade` alone, which is why the cores are
    learned. An island far smaller than the others is a glint or a letter, no pan.

    Args:
        shade: (h, w) float32, probability that a pixel shows a shade.
        core: (h, w) float32, probability that it lies deep inside of one.
        size_hw: pixels of the part of the picture that the maps cover.

    Returns:
        Pans in pixels of that part, in no order.
    """
    islands = (core > CORE_LIES_ABOVE).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(islands, connectivity=4)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count < 2:
        return []
    least = max(3.0, 0.2 * float(np.median(areas)))
    # Grow the islands over the shade, at the size of the picture.
    _, nearest = cv2.distanceTransformWithLabels(1 - islands, cv2.DIST_L2, 5)
    nearest = np.asarray(nearest, np.int64)
    owner = np.zeros(int(nearest.max()) + 1, np.float32)
    owner[nearest[islands > 0]] = labels[islands > 0]
    owned = cv2.resize(owner[nearest], size_hw[::-1], interpolation=cv2.INTER_NEAREST)
    wide = cv2.resize(shade, size_hw[::-1], interpolation=cv2.INTER_LINEAR)
    regions = []
    for number in np.flatnonzero(areas >= least) + 1:
        mask = _largest_part((owned == number) & (wide > 0.5))
        if mask is not None:
            regions.append(Region.of(mask, float(shade[labels == number].mean())))
    return regions


def separate_pieces(
    shade: np.ndarray, tone: np.ndarray, size_hw: tuple[int, int], *, wand: bool
) -> list[Region]:
    """Turn maps of a picture that shows one product into the pieces of it: a bullet, a smear.

    Args:
        shade: (h, w) float32, probability that a pixel shows a shade.
        tone: (h, w) float32, how far it shows the shade's own colour.
        size_hw: pixels of the picture.
        wand: the picture shows a bottle, whose wand may stand beside it.

    Returns:
        Pieces at least a sixth as large as the largest; with `wand` also the uppermost piece, if
        it is not a mere speck, and that one first: its tip is not seen through glass.
    """
    sure = cv2.resize(np.sqrt(shade * tone), size_hw[::-1], interpolation=cv2.INTER_LINEAR)
    if sure.max() < FAINTEST:
        return []
    islands = (sure > min(PIECE_LIES_ABOVE, 0.6 * float(sure.max()))).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(islands)
    areas = stats[1:, cv2.CC_STAT_AREA]
    kept = [int(n) for n in np.flatnonzero(areas >= max(6.0, areas.max() / 6)) + 1]
    if wand and kept:
        specks = areas < max(6.0, areas.max() / 60)
        tip = 1 + int(np.argmin(np.where(specks, size_hw[0], stats[1:, cv2.CC_STAT_TOP])))
        kept = [tip, *(n for n in kept if n != tip)]
    return [Region.of(labels == n, float(sure[labels == n].mean())) for n in kept]


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
    return [index for row in rows_of(boxes_xyxy) for index in row]


def rows_of(boxes_xyxy: np.ndarray) -> list[list[int]]:
    """Indices of boxes by row, see `reading_order`."""
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
    return [sorted(row, key=lambda i: across[i]) for row in rows]


def without_mirror(rows: list[list[int]], labs: np.ndarray) -> list[int]:
    """Leave out the rows that a mirror in the lid shows: the same colours as in a row further down.

    Args:
        rows: indices by row, from the top.
        labs: (N, 3) CIELAB.

    Returns:
        The other indices in reading order.
    """
    kept: list[int] = []
    for number, row in enumerate(rows):
        seen_again = any(_reflects(labs[row], labs[other]) for other in rows[number + 1 :])
        kept += [] if seen_again else row
    return kept


def _reflects(upper: np.ndarray, lower: np.ndarray) -> bool:
    """Whether one row's colours, (N, 3), are the other's; a mirror may cut some off at its ends."""
    count = min(len(upper), len(lower))
    if count < max(3, 0.6 * max(len(upper), len(lower))):
        return False
    for at in range(abs(len(upper) - len(lower)) + 1):
        one = upper[at:][:count] if len(upper) > count else upper
        two = lower[at:][:count] if len(lower) > count else lower
        darker = np.zeros((1, 3))  # a mirror takes some light from all pans alike
        darker[0, 0] = np.clip(np.median(two[:, 0] - one[:, 0]), 0, 20)
        if float(np.median(delta_e(one + darker, two))) < MIRRORED_WITHIN:
            return True
    return False


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
