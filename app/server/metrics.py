"""Counts and timings for Prometheus, served at `/metrics`; no label says who anybody is."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """What one server counts."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.requests = Counter(
            "mirra_requests", "Answers by status.", ["status"], registry=self._registry
        )
        self.refused = Counter(
            "mirra_refused",
            "Refusals of the request filter.",
            ["reason"],
            registry=self._registry,
        )
        self.work = Histogram(
            "mirra_work_seconds",
            "Time at work, without waiting in the queue.",
            ["endpoint", "outcome"],
            buckets=_SECONDS,
            registry=self._registry,
        )

    def add_gauge(self, name: str, about: str, value: Callable[[], float]) -> None:
        """Show a number as it is whenever somebody asks."""
        Gauge(f"mirra_{name}", about, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """Everything in Prometheus's text format."""
        return generate_latest(self._registry)
