"""How long something takes: median and quartiles, in milliseconds."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any


def spread(milliseconds: Sequence[float]) -> dict[str, Any]:
    """Median and quartiles of measured times."""
    low, middle, high = statistics.quantiles(milliseconds, n=4)
    return {"median_ms": round(middle, 1), "quartiles_ms": [round(low, 1), round(high, 1)]}


def timed(*works: Callable[[], Any], repeats: int, warm_up: int = 1) -> list[dict[str, Any]]:
    """The spread of each, taken in turn, so that both sides of a ratio see the same machine."""
    times: list[list[float]] = [[] for _ in works]
    for turn in range(repeats + warm_up):
        for work, taken in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            if turn >= warm_up:
                taken.append((time.perf_counter() - start) * 1000)
    return [spread(taken) for taken in times]


def machine(threads: int, load_before: float) -> dict[str, Any]:
    """What was measured on; the load is the one before the measurement."""
    import torch

    return {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": threads,
        "load_before": round(load_before, 1),
        "torch": torch.__version__,
    }
