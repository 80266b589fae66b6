"""Figures of colours and shares: medians, what is near enough, and how true a confidence is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from models.ops.color import chroma


def find_most_colorful(lab: np.ndarray) -> np.ndarray:
    """The baseline: median of the most colourful 30 % of the pixels with L* below 95."""
    seen = lab[lab[..., 0] < 95]
    strength = chroma(seen[None])[0]
    return np.median(seen[strength >= np.percentile(strength, 70)], axis=0)


def summarize_errors(values: np.ndarray) -> dict[str, float]:
    """Median of (N,) CIEDE2000, the share below 5, and how many there are."""
    return {
        "median": round(float(np.median(values)), 2),
        "under_5": round(float((values < 5).mean()), 3),
        "count": len(values),
    }


def measure_calibration(confidence: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    """Mean confidence beside the share that is right, in four bins of equal count.

    Returns:
        `bins`, and `error`, the mean distance of the two weighted by count.
    """
    order = np.argsort(confidence, kind="stable")
    bins = [
        {
            "confidence": round(float(confidence[part].mean()), 3),
            "right": round(float(right[part].mean()), 3),
        }
        for part in np.array_split(order, 4)
    ]
    error = float(np.mean([abs(b["confidence"] - b["right"]) for b in bins]))
    return {"bins": bins, "error": round(error, 3)}


def mean_share(values: Iterable[bool]) -> float:
    """Share of what is true, 0..1."""
    return round(float(np.mean(list(values))), 3)
