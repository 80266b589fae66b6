"""Faces with what covers them, as `training/prepare/face_labels.py` caches them.

Validation keeps whole people (London) and whole runs of pictures (looks) apart, because
neighbouring pictures often show the same face.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from models import regions
from models.analysis.face_parsing import (
    HAIR,
    OTHER,
    SKIN,
)
from models.errors import TrainingError
from training.data.faces.drawing import (
    fill_polygon,
    trace_superellipse,
)
from training.data.faces.face_paint import LEFT_EYE, RIGHT_EYE
from training.data.generators import make_numpy_generator

Part = Literal["train", "validation"]
STORE_SIZE = 224
NOMINAL = 160
"""The parser's own crop, if it were cut at this scale, is the middle square of this side."""
UNKNOWN = 255
"""Label of a pixel of which nothing is known."""


@dataclass(frozen=True)
class FaceStore:
    """Aligned faces in squares of `STORE_SIZE` pixels; see `training/prepare/face_labels.py`.

    Attributes:
        pixels: (N, S, S, 3) uint8 RGB.
        labels: (N, S, S) uint8: 0 skin, 1 hair, 2 other, 255 unknown.
        hair: (N, S, S) uint8: how much hair, 0..255.
        points: (N, 478, 2) float32: mesh points in pixels of the square.
        objects: (M, w, w, 3) uint8: photographs of things.
        names: where each picture came from, relative to the data.
    """

    pixels: np.ndarray
    labels: np.ndarray
    hair: np.ndarray
    points: np.ndarray
    objects: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def load(cls, folder: Path) -> FaceStore:
        """Open a cache without reading it.

        Raises:
            TrainingError: it is not there, or not whole.
        """
        try:
            arrays = {
                key: np.load(folder / f"{key}.npy", mmap_mode="r")
                for key in ("pixels", "labels", "hair", "points", "objects")
            }
            names = tuple(json.loads((folder / "names.json").read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise TrainingError(
                f"{folder} holds no faces; make them with `python -m training.prepare.face_labels`",
                found=str(folder),
            ) from error
        return cls(**arrays, names=names)

    @classmethod
    def synthetic(cls, generator: torch.Generator, count: int = 12) -> FaceStore:
        """Drawn ovals with hair: enough to see that a recipe runs."""
        rng = make_numpy_generator(generator)
        size = STORE_SIZE
        points = np.zeros((count, 478, 2), np.float32)
        pixels = np.zeros((count, size, size, 3), np.uint8)
        labels = np.full((count, size, size), OTHER, np.uint8)
        for face in range(count):
            middle = size / 2 + rng.normal(0, 3, 2)
            reach = np.array([42.0, 55.0])
            points[face] = middle + rng.uniform(-0.6, 0.6, (478, 2)) * reach
            turn = np.linspace(0, 2 * np.pi, 36, endpoint=False) - np.pi / 2
            outline = np.stack([np.cos(turn), np.sin(turn)], axis=1)
            points[face, list(regions.FACE_OVAL)] = middle + outline * reach
            for iris, eye, side in (
                (regions.IRIS_RIGHT, RIGHT_EYE, -1),
                (regions.IRIS_LEFT, LEFT_EYE, 1),
            ):
                points[face, iris] = middle + np.array([side * 18, -12])
                points[face, list(eye)] = trace_superellipse(points[face, iris], (8, 3))[:16]
            lips = [regions.UPPER_LIP, regions.LOWER_LIP]
            points[face, lips] = middle + np.array([[0, 26], [0, 28]])
            skin = fill_polygon(size, points[face, list(regions.FACE_OVAL)]) > 0.5
            hair = (
                fill_polygon(size, trace_superellipse(middle - np.array([0, 22]), reach * 1.2))
                > 0.5
            )
            labels[face][hair] = HAIR
            labels[face][skin] = SKIN
            colors = rng.uniform(30, 230, (3, 3))
            pixels[face] = (colors[labels[face]] + rng.normal(0, 8, (size, size, 3))).clip(0, 255)
        return cls(
            pixels=pixels,
            labels=labels,
            hair=np.where(labels == HAIR, 255, 0).astype(np.uint8),
            points=points,
            objects=rng.integers(0, 255, (8, 64, 64, 3), np.uint8),
            names=tuple(f"made-up/{number:04d}.jpg" for number in range(count)),
        )


def split_pictures(names: Sequence[str]) -> dict[Part, np.ndarray]:
    """Which pictures train and which are kept apart; the same for the same names.

    London: every fourth person. Looks: of every six blocks of twenty neighbours one, and the four
    pictures on either side of it belong to nobody. All others: one in ten, by a hash of the name.
    """
    parts: dict[Part, list[int]] = {"train": [], "validation": []}
    people = sorted({Path(name).name[:3] for name in names if name.startswith("london")})
    kept_people = set(people[3::4])
    for index, name in enumerate(names):
        path = Path(name)
        if name.startswith("london"):
            kept, near = path.name[:3] in kept_people, False
        elif name.startswith("looks") and path.stem.isdigit():
            number = int(path.stem)
            kept = (number // 20) % 6 == 5
            near = any(((number + step) // 20) % 6 == 5 for step in (-4, 4))
        else:
            kept, near = hashlib.sha256(name.encode()).digest()[0] % 10 == 0, False
        if kept or not near:
            parts["validation" if kept else "train"].append(index)
    return {part: np.array(indices, np.int64) for part, indices in parts.items()}
