"""Steps that several pipelines share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from models.errors import CancelledError

if TYPE_CHECKING:
    from torch import Tensor


@contextmanager
def timed(into: dict[str, float], stage: str) -> Iterator[None]:
    """Note in `into` how many milliseconds a stage takes."""
    start = time.perf_counter()
    yield
    into[stage] = (time.perf_counter() - start) * 1000


@dataclass(frozen=True)
class Progress:
    """How far a generation is.

    Attributes:
        step: steps taken.
        steps: steps in all.
        seconds_left: an estimate from the steps so far.
        preview: decodes the present guess of the pictures, square crops; costs a decoding.
    """

    step: int
    steps: int
    seconds_left: float
    preview: Callable[[], list[Image.Image]]


OnStep = Callable[[Progress], bool | None]
"""Called after every step; returning False stops the generation."""


class ProgressReporter:
    """Turns a sampler's steps into `Progress`.

    Args:
        steps: steps in all.
        on_step: who wants to know, or None.
        decode: from the sampler's guess to pictures.
    """

    def __init__(
        self, steps: int, on_step: OnStep | None, decode: Callable[[Tensor], list[Image.Image]]
    ) -> None:
        self.steps, self.on_step, self.decode = steps, on_step, decode
        self.began = time.perf_counter()

    def __call__(self, step: int, guess: Tensor) -> None:
        """Tell about one step.

        Raises:
            CancelledError: `on_step` returned False.
        """
        if self.on_step is None:
            return
        left = (time.perf_counter() - self.began) / step * (self.steps - step)
        progress = Progress(step, self.steps, left, lambda: self.decode(guess))
        if self.on_step(progress) is False:
            raise CancelledError(f"stopped at step {step} of {self.steps}", found=step)


def to_tensor(pictures: Sequence[np.ndarray]) -> Tensor:
    """(H, W, 3) uint8 pictures of one size to (B, 3, H, W) float32 in [-1, 1]."""
    import torch

    stacked = torch.from_numpy(np.stack(pictures))
    return stacked.permute(0, 3, 1, 2).float() / 127.5 - 1


def to_float_pixels(tensor: Tensor) -> np.ndarray:
    """(B, 3, H, W) in [-1, 1] to (B, H, W, 3) float32 in 0..255, clipped but not rounded."""
    values = (tensor.float().clamp(-1, 1) + 1) * 127.5
    return values.permute(0, 2, 3, 1).cpu().numpy()


def to_images(tensor: Tensor) -> list[Image.Image]:
    """(B, 3, H, W) in [-1, 1] to RGB pictures."""
    return [Image.fromarray((pixels + 0.5).astype(np.uint8)) for pixels in to_float_pixels(tensor)]
