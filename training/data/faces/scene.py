"""A picture of a face while things are laid over it, and what those are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models import regions


@dataclass
class FaceScene:
    """A square picture of a face while things are laid over it.

    Attributes:
        pixels: (S, S, 3) float32 RGB, 0..255.
        target: (S, S, 3) float32 over skin, hair, other; sums to 1.
        weight: (S, S) float32 in 0..1: how sure the target is.
        points: (478, 2) float32 mesh points in pixels.
    """

    pixels: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    points: np.ndarray

    @property
    def size(self) -> int:
        """Side of the square."""
        return self.pixels.shape[0]

    @property
    def eyes(self) -> tuple[np.ndarray, np.ndarray]:
        """Both iris centres, the picture's left one first."""
        return self.points[regions.IRIS_RIGHT], self.points[regions.IRIS_LEFT]

    @property
    def unit(self) -> float:
        """Eye distance in pixels; never less than a fifth of the face's height."""
        eyes = np.linalg.norm(self.points[regions.IRIS_RIGHT] - self.points[regions.IRIS_LEFT])
        height = np.linalg.norm(self.points[regions.FOREHEAD] - self.points[regions.CHIN])
        return float(max(eyes, height / 5))

    @property
    def across(self) -> np.ndarray:
        """Unit vector from the left eye in the picture to the right one."""
        step = self.points[regions.IRIS_LEFT] - self.points[regions.IRIS_RIGHT]
        return step / max(1e-3, float(np.linalg.norm(step)))

    def cover(self, colors: np.ndarray, alpha: np.ndarray, label: int | None) -> None:
        """Lay colours over the picture.

        Args:
            colors: (S, S, 3) or (3,), 0..255.
            alpha: (S, S) in 0..1.
            label: what it is, or None for paint, which leaves what is below it.
        """
        rows, columns = np.flatnonzero(alpha.any(1)), np.flatnonzero(alpha.any(0))
        if not len(rows):
            return
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        thin = alpha[part].astype(np.float32)
        colors = np.asarray(colors, np.float32)
        here = self.pixels[part]
        here += thin[..., None] * ((colors[part] if colors.ndim == 3 else colors) - here)
        if label is not None:
            self.target[part] *= 1 - thin[..., None]
            self.target[part][..., label] += thin
            self.weight[part] += thin * (1 - self.weight[part])

    def darken(self, alpha: np.ndarray) -> None:
        """Cast a shadow; what lies in it stays what it is."""
        self.pixels *= 1 - alpha[..., None].astype(np.float32)


@dataclass(frozen=True)
class Materials:
    """What occluders are made of.

    Attributes:
        hair: (N, h, h, 3) uint8 squares full of hair.
        skin: (N, h, h, 3) uint8 squares full of skin.
        objects: (M, w, w, 3) uint8 photographs of things.
    """

    hair: np.ndarray
    skin: np.ndarray
    objects: np.ndarray
