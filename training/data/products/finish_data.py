"""Single shades as training data: what is measured of each, as it is and as other shops show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from models.attributes.crops import crop_shade
from models.attributes.shades import Region
from models.attributes.surface_features import surface_features
from models.attributes.vocabulary import FINISHES
from training.data.products.camera import compress_jpeg
from training.data.products.scenes import Scene

AXIS_SCALES = np.array([1.0, 1.0, 0.1, 180.0, 1.0], np.float32)
"""What 1 means on each of `FinishClassifier`'s axes; sparkles are small."""
SHOPS = 4
"""How many pictures of each shade its features are kept of."""


@dataclass(frozen=True)
class FinishData:
    """Batches of single shades, each as two shops show it.

    Attributes:
        features: (N, SHOPS, K) float32, see `surface_features`; the first as it was rendered.
        finishes: (N,) int64 into `FINISHES`; -1 where nobody knows.
        axes: (N, 5) float32 in 0..1; NaN where nobody knows.
    """

    features: np.ndarray
    finishes: np.ndarray
    axes: np.ndarray

    @classmethod
    def from_scenes(cls, scenes: list[Scene], seed: int = 0, least: int = 24) -> FinishData:
        """Measure every shade at least `least` pixels high; bottles hide their finish."""
        crops, finishes, axes = [], [], []
        for scene in scenes:
            for number, material in enumerate(scene.materials, start=1):
                mask = scene.ids == number
                if scene.kind == "bottle" or mask.sum() < least**2 / 2:
                    continue
                region = Region.of(mask, 1.0)
                if region.mask.shape[0] >= least:
                    crops.append(crop_shade(scene.pixels, region.mask, region.bbox_xyxy))
                    finishes.append(FINISHES.index(material.finish))
                    axes.append(material.axes / AXIS_SCALES)
        axes = np.clip(axes, 0, 1).astype(np.float32)
        return cls(measure_in_shops(crops, seed), np.array(finishes), axes)

    @classmethod
    def load(cls, path: Path) -> FinishData:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(arrays["signs"], arrays["finishes"], arrays["axes"])

    def save(self, path: Path) -> None:
        """Write one npz file."""
        np.savez(path, signs=self.features, finishes=self.finishes, axes=self.axes)

    @classmethod
    def join(cls, parts: Sequence[FinishData]) -> FinishData:
        """One set after another."""
        return cls(
            **{
                name: np.concatenate([vars(part)[name] for part in parts])
                for name in vars(parts[0])
            }
        )

    def __len__(self) -> int:
        return len(self.features)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the fields of `ClassifyFinish`."""
        shops = torch.rand(len(indices), self.features.shape[1], generator=generator).argsort(1)
        features, rows = torch.from_numpy(self.features), indices.numpy()
        return {
            "features": features[indices, shops[:, 0]],
            "again": features[indices, shops[:, 1]],
            "finish": torch.from_numpy(self.finishes[rows]),
            "axes": torch.from_numpy(self.axes[rows]),
        }


def measure_in_shops(crops: list[np.ndarray], seed: int) -> np.ndarray:
    """Features of shades, (N, SHOPS, K), of each as it is and as other shops show it.

    Raises:
        ValueError: there is no shade.
    """
    rng = np.random.default_rng(seed)
    return np.stack(
        [
            [
                surface_features(crop if shop == 0 else show_elsewhere(crop, rng))
                for shop in range(SHOPS)
            ]
            for crop in crops
        ]
    )


def show_elsewhere(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A shade as another shop might show it: moved, scaled, tinted, compressed, cut out otherwise.

    Args:
        crop: (S, S, 4) uint8, RGB and mask.
        rng: draws the shop.
    """
    side = len(crop)
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    turn, zoom = rng.normal(0, 6), np.exp(rng.uniform(-0.2, 0.15))
    matrix = cv2.getRotationMatrix2D((side / 2, side / 2), turn, zoom)
    matrix[:, 2] += rng.uniform(-0.05, 0.05, 2) * side
    crop = cv2.warpAffine(
        np.ascontiguousarray(crop), matrix, (side, side), borderMode=cv2.BORDER_REPLICATE
    )
    rgb, mask = np.ascontiguousarray(crop[..., :3]), np.ascontiguousarray(crop[..., 3])
    tint = rng.uniform(0.88, 1.06) * (1 + rng.normal(0, 0.025, 3))
    curve = rng.uniform(0.9, 1.12)
    table = np.clip(255 * (np.arange(256)[:, None] / 255) ** curve * tint, 0, 255).round()
    rgb = cv2.LUT(rgb, table.astype(np.uint8)[:, None])
    if rng.random() < 0.6:  # a smaller picture of it
        small = max(24, round(side * rng.uniform(0.3, 1.0)))
        rgb = cv2.resize(rgb, (small, small), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.7:
        rgb = compress_jpeg(rgb, int(rng.integers(45, 96)))
    rgb = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_LINEAR)
    grown = int(rng.integers(-4, 4))
    brush = np.ones((2 * abs(grown) + 1,) * 2, np.uint8)
    mask = cv2.erode(mask, brush) if grown < 0 else cv2.dilate(mask, brush)
    return np.dstack([rgb, mask])
