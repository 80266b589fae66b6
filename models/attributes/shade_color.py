"""One true colour from the pixels of a shade, whatever light, relief and glitter did to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np

from models.attributes.shades import Region
from models.attributes.vocabulary import KINDS
from models.ops.color import delta_e


@dataclass(frozen=True)
class ShadeColor:
    """The colour of a shade.

    Attributes:
        lab: (3,) float64 CIELAB, D65.
        spread: median CIEDE2000 of the pixels to `lab`.
        doubt: CIEDE2000 between the mode and the weighted mean; large where the pixels disagree.
    """

    lab: np.ndarray
    spread: float
    doubt: float


def shade_color(lab: np.ndarray, weights: np.ndarray) -> ShadeColor:
    """The weighted mode of a shade's pixels, found by mean shift from their median.

    Highlights and shadows are tails of the pixels' distribution: the mean follows them, the median
    half follows, the mode stays.

    Args:
        lab: (N, 3) CIELAB of pixels that are surely the shade; N >= 1.
        weights: (N,) >= 0, how surely each shows the shade's own colour; not all 0.

    Returns:
        The colour and how far the pixels scatter about it.
    """
    lab = np.asarray(lab, np.float64)
    weights = np.asarray(weights, np.float64)
    if len(lab) > 4000:  # enough for a median; every so many pixels, in picture order
        step = -(-len(lab) // 4000)
        lab, weights = lab[::step], weights[::step]
    center = np.array([_weighted_median(lab[:, i], weights) for i in range(3)])
    reach = max(4.0, 1.5 * _weighted_median(np.linalg.norm(lab - center, axis=1), weights))
    for _ in range(8):
        near = weights * np.exp(-0.5 * ((lab - center) ** 2).sum(1) / reach**2)
        if near.sum() <= 0:
            break
        center = near @ lab / near.sum()
    mean = weights @ lab / weights.sum()
    return ShadeColor(
        center, _weighted_median(delta_e(lab, center[None]), weights), float(delta_e(center, mean))
    )


def color_of(region: Region, lab: np.ndarray, tone: np.ndarray) -> ShadeColor:
    """Colour of a region without its outermost pixels, which are half background.

    Args:
        region: where the shade lies.
        lab: (H, W, 3) CIELAB of the picture.
        tone: (H, W) in 0..1, how far a pixel shows its shade's own colour.
    """
    x0, y0, x1, y1 = region.bbox_xyxy
    padded = np.pad(region.mask.astype(np.uint8), 1)
    inner = cv2.erode(padded, np.ones((3, 3), np.uint8))[1:-1, 1:-1] > 0
    mask = inner if inner.sum() >= 16 else region.mask
    return shade_color(lab[y0:y1, x0:x1][mask], tone[y0:y1, x0:x1][mask] + 1e-3)


def confidence(
    calibration: Mapping[str, float], region: Region, color: ShadeColor, kinds: np.ndarray
) -> float:
    """Chance that the colour is within CIEDE2000 5 of what a person would measure.

    A logistic regression on `evidence`, fitted to photographs whose colour was measured by hand.

    Args:
        calibration: weight of each kind of evidence, and "bias".
        region: where the shade lies.
        color: what was read there.
        kinds: (K,) probabilities over kinds of picture.
    """
    found = evidence(region, color, kinds)
    score = calibration["bias"] + sum(calibration[name] * value for name, value in found.items())
    return float(1 / (1 + np.exp(-score)))


def evidence(region: Region, color: ShadeColor, kinds: np.ndarray) -> dict[str, float]:
    """What speaks for and against a colour, each about 0..3."""
    return {
        "score": region.score,
        "spread": min(color.spread / 5, 3.0),
        "doubt": min(color.doubt / 3, 3.0),
        "size": float(np.log10(max(region.area, 10))) / 2,
        "sure_of_kind": float(kinds.max()),
        "smear_or_pan": float(sum(kinds[KINDS.index(kind)] for kind in ("smear", "pan"))),
    }


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    order = np.argsort(values, kind="stable")
    rising = np.cumsum(weights[order])
    return float(values[order[np.searchsorted(rising, rising[-1] / 2)]])
