"""Faces disguised anew for every step: cut, covered, lit and photographed.

Validation has hair, skin and things of its own to make occluders from.
"""

from __future__ import annotations

from collections.abc import Sequence

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
from training.data.faces.camera import relight, simulate_camera
from training.data.faces.drawing import (
    draw_material,
    fill_polygon,
    recolor,
    soften,
)
from training.data.faces.occluders import ON_SKIN, OVER_SKIN
from training.data.faces.scene import FaceScene, Materials
from training.data.faces.store import (
    NOMINAL,
    STORE_SIZE,
    FaceStore,
    Part,
    split_pictures,
)
from training.data.generators import make_numpy_generator


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
        for draw, share in ON_SKIN.values():
            if rng.random() < share:
                draw(scene, self.materials, rng)
        if len(self.donors) and rng.random() < 0.22:
            self._swap_hair(scene, matrix, rng)
        if rng.random() < 0.8:
            for draw, share in OVER_SKIN.values():
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
        return np.round(fill_polygon(self.size, outline) * 255).astype(np.uint8)

    def _change_background(self, scene: FaceScene, rng: np.random.Generator) -> None:
        alpha = scene.target[..., OTHER] * scene.weight
        outside = soften(alpha, 0.7)
        kept = scene.weight.copy()
        scene.cover(draw_material(self.materials, self.size, rng), outside, None)
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
            colors = recolor(colors, rng, 0.15)
        scene.darken(soften(np.roll(alpha, 3, axis=0), 2.5) * rng.uniform(0, 0.4))
        scene.cover(colors, alpha, HAIR)
        doubtful = (alpha > 0.05) & (alpha < 0.4)
        scene.weight *= 1 - 0.8 * doubtful
