"""Faces with what covers them, cut, lit and disguised anew for every step.

`FaceStore` is the cache `training/prepare/face_labels.py` writes, or a synthetic one; `FaceData`
draws from it. Validation keeps whole people (London) and whole runs of pictures (looks) apart,
because neighbouring pictures often show the same face; it also has hair, skin and things of its own
to make occluders from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from models import regions
from models.analysis.face_parsing import (
    CROP_SIZE,
    HAIR,
    OTHER,
    SKIN,
    network_input,
)
from models.errors import TrainingError
from training.data.faces import occluders
from training.data.faces.occluders import FaceScene, Materials

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
                (regions.IRIS_RIGHT, occluders.RIGHT_EYE, -1),
                (regions.IRIS_LEFT, occluders.LEFT_EYE, 1),
            ):
                points[face, iris] = middle + np.array([side * 18, -12])
                points[face, list(eye)] = occluders.trace_superellipse(points[face, iris], (8, 3))[
                    :16
                ]
            lips = [regions.UPPER_LIP, regions.LOWER_LIP]
            points[face, lips] = middle + np.array([[0, 26], [0, 28]])
            skin = occluders.fill_polygon(size, points[face, list(regions.FACE_OVAL)]) > 0.5
            hair = (
                occluders.fill_polygon(
                    size, occluders.trace_superellipse(middle - np.array([0, 22]), reach * 1.2)
                )
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


def make_numpy_generator(generator: torch.Generator) -> np.random.Generator:
    """Return a NumPy generator seeded by a draw of torch's."""
    return np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))


def _cut_squares(
    pixels: np.ndarray, masks: np.ndarray, indices: np.ndarray, sides: Sequence[int]
) -> np.ndarray:
    """The largest square fully inside each picture's mask, as (N, 32, 32, 3) uint8."""
    found = []
    for index in indices:
        mask = masks[index].astype(np.uint8)
        for side in sides:
            full = cv2.erode(mask, np.ones((side, side), np.uint8), borderValue=(0,))
            if full.any():
                y, x = np.argwhere(full)[int(full.sum()) // 2] - side // 2
                square = pixels[index, y : y + side, x : x + side]
                if square.shape[:2] == (side, side):
                    found.append(cv2.resize(square, (32, 32), interpolation=cv2.INTER_AREA))
                break
    return np.stack(found)


class FaceData:
    """Batches for the loop, and fixed pictures for evaluation.

    Args:
        store: the faces.
        part: which side of the split.
        size: side of the network's square.
        full_views: how often pictures that show the whole head (London) and those of strong
            makeup (looks) come in an epoch, for every one of the others.
    """

    def __init__(
        self,
        store: FaceStore,
        part: Part = "train",
        size: int = CROP_SIZE,
        full_views: tuple[int, int] = (12, 2),
    ) -> None:
        self.store, self.size = store, size
        self.indices = split_pictures(store.names)[part]
        if not len(self.indices):
            raise TrainingError(f"no picture of this store is for {part}", found=len(store.names))
        london, looks = full_views
        times = [
            london if name.startswith("london") else looks if name.startswith("looks") else 1
            for name in (store.names[index] for index in self.indices)
        ]
        self.order = np.repeat(self.indices, times)
        some = self.indices[:: max(1, len(self.indices) // 1200)]
        self.materials = Materials(
            hair=_cut_squares(store.pixels, store.labels == HAIR, some, (44, 32, 22)),
            skin=_cut_squares(store.pixels, store.labels == SKIN, some, (44, 32)),
            objects=np.asarray(store.objects[0 if part == "train" else 1 :: 2]),
        )
        self.donors = np.array([i for i in self.indices if (store.hair[i] > 127).mean() > 0.07])

    def __len__(self) -> int:
        """Number of samples in an epoch; some pictures count several times."""
        return len(self.order)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Disguised faces.

        Args:
            indices: (B,) int64, positions in the epoch.
            generator: draws every change.

        Returns:
            `crops` (B, 4, S, S) float32 in -1..1, what the network reads; `target` (B, 3, S, S)
            float32 over skin, hair, other; `weight` (B, S, S) float32 in 0..1, how sure it is.
        """
        rng = make_numpy_generator(generator)
        made = [self.disguise(int(self.order[int(index)]), rng) for index in indices]
        pixels, oval, target, weight = (np.stack(part) for part in zip(*made, strict=True))
        return {
            "crops": network_input(torch.from_numpy(pixels), torch.from_numpy(oval)),
            "target": torch.from_numpy(target).permute(0, 3, 1, 2).contiguous(),
            "weight": torch.from_numpy(weight),
        }

    def batch_unchanged(self, index: int) -> dict[str, Tensor]:
        """A batch of one picture of the store as it is; keys and shapes as `batch` has them."""
        scene = self.cut_scene(index)
        pixels = torch.from_numpy(scene.pixels.clip(0, 255).astype(np.uint8))[None]
        return {
            "crops": network_input(pixels, torch.from_numpy(self._draw_oval(scene.points))[None]),
            "target": torch.from_numpy(scene.target).permute(2, 0, 1)[None].contiguous(),
            "weight": torch.from_numpy(scene.weight)[None],
        }

    def cut_scene(self, index: int, matrix: np.ndarray | None = None) -> FaceScene:
        """One picture of the store in the network's square, as the parser would cut it.

        Args:
            index: which picture.
            matrix: (2, 3) store to square; the parser's own crop when not given.
        """
        size, store = self.size, self.store
        if matrix is None:
            matrix = self._place_square()

        def warped(image: np.ndarray, border: int) -> np.ndarray:
            return cv2.warpAffine(image, matrix, (size, size), borderValue=(border,) * 3)

        labels = np.asarray(store.labels[index])
        known = (labels[..., None] == np.arange(3, dtype=np.uint8)).astype(np.uint8) * 255
        target = warped(known, 0).astype(np.float32) / 255
        weight = np.minimum(target.sum(-1), 1)
        target[..., OTHER] += 1 - weight
        return FaceScene(
            pixels=warped(np.asarray(store.pixels[index]), 128).astype(np.float32),
            target=target,
            weight=weight,
            points=(store.points[index] @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32),
        )

    def _place_square(
        self, angle: float = 0.0, zoom: float = 1.0, shift: tuple[float, float] = (0, 0)
    ) -> np.ndarray:
        scale = zoom * self.size / NOMINAL
        centre = (STORE_SIZE - 1) / 2
        matrix = cv2.getRotationMatrix2D((centre, centre), angle, scale)
        matrix[:, 2] += (self.size - 1) / 2 - centre + np.array(shift) * self.size
        return matrix

    def disguise(
        self, index: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """One training sample: pixels, oval, target, weight; NumPy, channels last."""
        turn = rng.normal(0, 5) if rng.random() < 0.8 else rng.uniform(-25, 25)
        shift = tuple(rng.normal(0, 0.025, 2))
        matrix = self._place_square(turn, float(np.exp(rng.normal(0, 0.09))), shift)
        scene = self.cut_scene(index, matrix)
        if rng.random() < (0.6 if self.store.names[index].startswith("london") else 0.3):
            self._change_background(scene, rng)
        for draw, share in occluders.ON_SKIN.values():
            if rng.random() < share:
                draw(scene, self.materials, rng)
        if len(self.donors) and rng.random() < 0.22:
            self._swap_hair(scene, matrix, rng)
        if rng.random() < 0.8:
            for draw, share in occluders.OVER_SKIN.values():
                if rng.random() < share:
                    draw(scene, self.materials, rng)
        pixels = simulate_camera(relight(scene, rng), rng)
        oval = self._draw_oval(scene.points, rng)
        step = -1 if rng.random() < 0.5 else 1
        made = (pixels, oval, scene.target, scene.weight)
        pixels, oval, target, weight = (np.ascontiguousarray(part[:, ::step]) for part in made)
        return pixels, oval, target, weight

    def _draw_oval(self, points: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        outline = points[list(regions.FACE_OVAL)]
        if rng is not None:  # the mesh is never exactly right
            outline = outline + rng.normal(0, 0.01 * self.size, 2)
            middle = outline.mean(0)
            outline = middle + (outline - middle) * (1 + rng.normal(0, 0.025, 2))
        return np.round(occluders.fill_polygon(self.size, outline) * 255).astype(np.uint8)

    def _change_background(self, scene: FaceScene, rng: np.random.Generator) -> None:
        alpha = scene.target[..., OTHER] * scene.weight
        outside = occluders.soften(alpha, 0.7)
        kept = scene.weight.copy()
        scene.cover(occluders.draw_material(self.materials, self.size, rng), outside, None)
        scene.weight = kept

    def _swap_hair(self, scene: FaceScene, matrix: np.ndarray, rng: np.random.Generator) -> None:
        """Another person's hair, sometimes pulled down over forehead and eyes."""
        donor = int(self.donors[rng.integers(len(self.donors))])
        lower = rng.uniform(-0.03, 0.16) * self.size
        moved = matrix.copy()
        moved[:, :2] *= rng.uniform(0.88, 1.12)
        centre = np.array([STORE_SIZE / 2, STORE_SIZE / 2])
        moved[:, 2] += (matrix - moved)[:, :2] @ centre + (rng.normal(0, 0.03) * self.size, lower)
        square = (self.size, self.size)
        alpha = cv2.warpAffine(np.asarray(self.store.hair[donor]), moved, square) / np.float32(255)
        colors = cv2.warpAffine(np.asarray(self.store.pixels[donor]), moved, square)
        colors = colors.astype(np.float32)
        if rng.random() < 0.5:
            colors = occluders.recolor(colors, rng, 0.15)
        scene.darken(occluders.soften(np.roll(alpha, 3, axis=0), 2.5) * rng.uniform(0, 0.4))
        scene.cover(colors, alpha, HAIR)
        doubtful = (alpha > 0.05) & (alpha < 0.4)
        scene.weight *= 1 - 0.8 * doubtful


def relight(scene: FaceScene, rng: np.random.Generator) -> np.ndarray:
    """The scene by another light: from the side, coloured, dim. (S, S, 3) float32, 0..255."""
    pixels, size = scene.pixels, scene.size
    if rng.random() < 0.3:  # half dark
        turn = rng.uniform(0, 2 * np.pi)
        grid = (np.arange(size, dtype=np.float32) / size - 0.5)[None]
        along = np.cos(turn) * grid + np.sin(turn) * grid.T + rng.uniform(-0.15, 0.15)
        lit = 1 / (1 + np.exp(-along / rng.uniform(0.01, 0.2)))
        dark = rng.uniform(0.08, 0.65) * rng.uniform(0.8, 1.2, 3)
        pixels = pixels * (dark + (1 - dark) * lit[..., None]).astype(np.float32)
    if rng.random() < 0.4:
        pixels = pixels * rng.uniform(0.7, 1.25, 3).astype(np.float32)
    if rng.random() < 0.5:
        pixels = 255 * (pixels.clip(0, 255) / 255) ** float(np.exp(rng.normal(0, 0.35)))
    if rng.random() < 0.3:
        pixels = (pixels - 128) * rng.uniform(0.6, 1.4) + 128 + rng.uniform(-30, 30)
    if rng.random() < 0.06:
        pixels = np.repeat(pixels.mean(-1, keepdims=True), 3, axis=-1)
    return pixels.clip(0, 255).astype(np.float32)


def simulate_camera(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture after a cheap camera: small, blurred, noisy, JPEG. (S, S, 3) uint8."""
    size = pixels.shape[0]
    if rng.random() < 0.25:
        small = int(rng.uniform(0.25, 0.9) * size)
        few = cv2.resize(pixels, (small, small), interpolation=cv2.INTER_AREA)
        pixels = cv2.resize(few, (size, size), interpolation=cv2.INTER_LINEAR)
    elif rng.random() < 0.2:
        pixels = cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 1.6))
    if rng.random() < 0.35:
        grain = rng.standard_normal(pixels.shape, np.float32) * np.float32(rng.uniform(1, 14))
        pixels = pixels + grain
    taken = pixels.clip(0, 255).astype(np.uint8)
    if rng.random() < 0.35:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 92))]
        taken = cv2.imdecode(cv2.imencode(".jpg", taken, quality)[1], cv2.IMREAD_COLOR)
    return taken
