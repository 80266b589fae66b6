"""Figures from many values: medians, percentiles, and gaps between groups."""

from __future__ import annotations

from typing import Any

import numpy as np


def summarize(values: list[float]) -> dict[str, float]:
    """Median, percentiles 10 and 90, and how many values are known."""
    known = np.array(values)[np.isfinite(values)]
    if not len(known):
        return {"count": 0}
    low, median, high = np.percentile(known, [10, 50, 90])
    return {
        "median": round(float(median), 4),
        "p10": round(float(low), 4),
        "p90": round(float(high), 4),
        "count": len(known),
    }


def group_by_label(pairs: dict[str, list[float]], labels: list[str]) -> dict[str, Any]:
    """Medians by label and, for each measure, the gap between best and worst."""
    groups = sorted(set(labels))
    table = {
        group: {
            key: summarize([v for v, label in zip(values, labels, strict=True) if label == group])
            for key, values in pairs.items()
        }
        for group in groups
    }
    gaps = {}
    for key in pairs:
        medians = [table[group][key].get("median", np.nan) for group in groups]
        gaps[key] = round(float(np.nanmax(medians) - np.nanmin(medians)), 4)
    return {"groups": table, "gap": gaps}
