"""Pans stand in rows and columns: from most of a palette's pans to all of them.

A white pan on a white tray, or one a brand's name is printed over, may be missed by the network.
Its neighbours say where it must be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.attributes.shades import Region

FEWEST = 5
"""Pans needed before they are trusted to show their grid."""
SOLID = 0.8
"""Share of its convex hull that a pan found whole fills."""
FAINTEST_PAN = 0.25
"""Mean probability of a shade below which a free place of the grid stays free."""


@dataclass(frozen=True)
class PanGrid:
    """An affine grid of pans.

    Attributes:
        origin_xy: centre of pan (0, 0).
        steps_xy: (2, 2), from a pan to its right and to its lower neighbour.
        places: (N, 2) int, column and row of each region; (-1, -1) added where it fits none.
        fits: (N,) bool.
    """

    origin_xy: np.ndarray
    steps_xy: np.ndarray
    places: np.ndarray
    fits: np.ndarray

    def center(self, column: int, row: int) -> np.ndarray:
        """Where the pan of a place has its middle."""
        return self.origin_xy + column * self.steps_xy[0] + row * self.steps_xy[1]


def fit_pan_grid(centers: np.ndarray) -> PanGrid | None:
    """The grid most of the centres stand on, or None when there is none.

    Args:
        centers: (N, 2) x, y.
    """
    if len(centers) < FEWEST:
        return None
    apart = centers[None] - centers[:, None]  # (from, to, xy)
    distance = np.linalg.norm(apart, axis=-1) + 1e9 * np.eye(len(centers))
    usual = float(np.median(distance.min(1)))
    near = apart[(distance < 1.9 * usual)]
    right = near[(near[:, 0] > 0) & (np.abs(near[:, 1]) < 0.6 * near[:, 0])]
    down = near[(near[:, 1] > 0) & (np.abs(near[:, 0]) < 0.6 * near[:, 1])]
    if len(right) < 2 or len(down) < 2:
        return None
    steps = np.array([_shortest(right), _shortest(down)])
    if abs(np.linalg.det(steps)) < 0.2 * usual**2:
        return None
    best: PanGrid | None = None
    for anchor in range(len(centers)):
        grid = _anchored(centers, anchor, steps)
        if best is None or grid.fits.sum() > best.fits.sum():
            best = grid
    assert best is not None
    if best.fits.sum() < max(FEWEST, 0.6 * len(centers)):
        return None
    return best


def _shortest(vectors: np.ndarray) -> np.ndarray:
    """Median of the vectors about as long as the shortest common one."""
    length = np.linalg.norm(vectors, axis=1)
    return np.median(vectors[length < 1.35 * np.percentile(length, 20)], axis=0)


def _anchored(centers: np.ndarray, anchor: int, steps: np.ndarray) -> PanGrid:
    """Grow the grid from one centre, refining its steps as more centres fit."""
    origin, places = centers[anchor], np.zeros((len(centers), 2), int)
    fits = np.zeros(len(centers), bool)
    for reach in (1.5, 3.0, 6.0, 100.0):
        exact = (centers - origin) @ np.linalg.inv(steps)
        places = np.round(exact).astype(int)
        off = np.abs(exact - places).max(1)
        fits = (off < 0.25) & (np.abs(exact).max(1) < reach)
        if fits.sum() >= 4 and np.linalg.matrix_rank(places[fits] - places[fits].mean(0)) == 2:
            design = np.column_stack([np.ones(fits.sum()), places[fits]])
            solved = np.linalg.lstsq(design, centers[fits], rcond=None)[0]
            origin, steps = solved[0], solved[1:]
    return PanGrid(origin, steps, places, fits)


def complete(regions: list[Region], shade: np.ndarray, size_hw: tuple[int, int]) -> list[Region]:
    """Drop what stands off the palette's grid, and fill its free places.

    Args:
        regions: pans as the network found them.
        shade: (h, w) float32, probability of a shade over the same part of the picture.
        size_hw: pixels of that part.

    Returns:
        Pans; the given ones when they show no grid.
    """
    usual_area = float(np.median([region.area for region in regions] or [0]))
    whole = [r for r in regions if r.solidity > SOLID and 0.4 < r.area / usual_area < 2.5]
    grid = fit_pan_grid(np.array([region.center_xy for region in whole]).reshape(-1, 2))
    if grid is None:
        return regions
    kept = [region for region, fits in zip(whole, grid.fits, strict=True) if fits]
    taken = {tuple(place) for place in grid.places[grid.fits]}
    usual = sorted(kept, key=lambda region: region.area)[len(kept) // 2]
    low = grid.places[grid.fits].min(0)
    high = grid.places[grid.fits].max(0)
    free = [
        (column, row)
        for row in range(low[1], high[1] + 1)
        for column in range(low[0], high[0] + 1)
        if (column, row) not in taken
    ]
    if len(free) > len(kept):
        return regions
    stamps = [_stamped(usual, grid.center(*place), shade, size_hw) for place in free]
    return kept + [pan for pan in stamps if pan is not None]


def _stamped(
    usual: Region, center: np.ndarray, shade: np.ndarray, size_hw: tuple[int, int]
) -> Region | None:
    """A pan shaped like the usual one at another place, if anything speaks for it."""
    height, width = usual.mask.shape
    x0, y0 = (round(float(v)) for v in center - np.array([width, height]) / 2)
    if x0 < 0 or y0 < 0 or x0 + width > size_hw[1] or y0 + height > size_hw[0]:
        return None
    scale_y, scale_x = shade.shape[0] / size_hw[0], shade.shape[1] / size_hw[1]
    rows = slice(int((y0 + height / 4) * scale_y), int((y0 + 3 * height / 4) * scale_y) + 1)
    columns = slice(int((x0 + width / 4) * scale_x), int((x0 + 3 * width / 4) * scale_x) + 1)
    score = float(shade[rows, columns].mean())
    if score < FAINTEST_PAN:
        return None
    return Region((x0, y0, x0 + width, y0 + height), usual.mask, score)
