"""The One Euro filter: steady when still, quick when moving."""

from __future__ import annotations

import numpy as np


class OneEuroFilter:
    """Smooths a signal that arrives sample by sample (Casiez, Roussel and Vogel, CHI 2012).

    A low pass whose cutoff rises with speed: f_c = min_cutoff + beta * |speed|.

    Args:
        min_cutoff: cutoff in hertz at rest; lower is steadier.
        beta: how much speed, in units of the signal per second, raises the cutoff.
        speed_cutoff: cutoff in hertz of the speed itself.
        forget: seconds without a sample after which it begins anew.
    """

    def __init__(
        self,
        min_cutoff: float = 1.5,
        beta: float = 0.05,
        speed_cutoff: float = 1.0,
        forget: float = 1.0,
    ) -> None:
        self.min_cutoff, self.beta = min_cutoff, beta
        self.speed_cutoff, self.forget = speed_cutoff, forget
        self._time = -np.inf
        self._value: np.ndarray | None = None
        self._speed: np.ndarray | None = None

    def __call__(self, value: np.ndarray, time: float) -> np.ndarray:
        """Filter one sample.

        Args:
            value: any shape, the same at every call.
            time: in seconds, rising.
        """
        value = np.asarray(value, np.float32)
        step = time - self._time
        if self._value is None or self._speed is None or not 0 < step < self.forget:
            self._time, self._value, self._speed = time, value, np.zeros_like(value)
            return value
        speed = (value - self._value) / step
        speed = self._speed + _alpha(step, self.speed_cutoff) * (speed - self._speed)
        cutoff = self.min_cutoff + self.beta * np.abs(speed)
        value = self._value + _alpha(step, cutoff) * (value - self._value)
        self._time, self._value, self._speed = time, value, speed
        return value


def _alpha(step: float, cutoff: np.ndarray | float) -> np.ndarray | float:
    """Weight of a new sample after `step` seconds."""
    return 1 / (1 + 1 / (2 * np.pi * cutoff * step))
