"""Bare and made-up pictures of the same face, as FLUX-Makeup's dataset class reads them.

    ROOT/v00/src/<name>    bare          ROOT/v01/... the same faces in other looks
    ROOT/v00/ref/<name>    made up, same file name, same size, same geometry
    ROOT/v00/other/<name>  another's face in the same look, on black; may be missing
    ROOT/mask/<name>       classes of the made-up face (models.analysis.face_classes), a PNG

A sample teaches transfer from a single pair: the reference is the target's own face, cut out and
warped so strongly that only its colours are of use. Half of the time another's face takes its
place, if there is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from models.analysis.face_classes import FACE_CLASSES
from models.errors import TrainingError
from pipelines.images.decode import decode

REFERENCE_SIZE = 1024  # the pixel figures of the published augmentation belong to this size


@dataclass(frozen=True)
class WarpRange:
    """The published augmentation of a reference, at 1024 pixels.

    Attributes:
        turn: degrees either way, with probability 0.5; likewise for source and target together.
        elastic: probability of the elastic transform.
        alpha, sigma: strength and smoothness of its displacement, in pixels.
        corners: how far its three corners move, in pixels.
        scale: range of the final affine transform, which has probability 0.5.
        shift: of the same, as a share of the side.
    """

    turn: float = 20.0
    elastic: float = 0.9
    alpha: float = 180.0
    sigma: float = 12.0
    corners: float = 60.0
    scale: tuple[float, float] = (0.7, 1.2)
    shift: float = 0.1


MILD = WarpRange(turn=10.0, corners=20.0, scale=(0.9, 1.1), shift=0.03)
"""For the nano FLUX, whose tokens are an eighth of a face wide."""


class Upright(NamedTuple):
    """A pair before augmentation, (S, S, 3) uint8 each.

    Attributes:
        source: the bare face.
        target: the same, made up.
        reference: the target's face on black.
        other: another's face in the same look on black, or None.
        classes: (S, S) uint8, the face parser's.
    """

    source: np.ndarray
    target: np.ndarray
    reference: np.ndarray
    other: np.ndarray | None
    classes: np.ndarray


class MakeupPairs:
    """Pairs on disk, augmented as published (METHODS: src/makeup_dataset.py).

    Args:
        root: folder with versions and `mask`.
        size: side of the samples in pixels.
        warp: how references are warped.

    Raises:
        TrainingError: the folder holds no pairs.
    """

    def __init__(self, root: Path, size: int = 1024, warp: WarpRange | None = None) -> None:
        self.root, self.size, self.warp = root, size, warp or WarpRange()
        self.pairs = sorted(
            (path, path.parents[1] / "ref" / path.name)
            for path in root.glob("*/src/*")
            if (path.parents[1] / "ref" / path.name).exists()
            and (root / "mask" / path.name).exists()
        )
        if not self.pairs:
            raise TrainingError(f"{root} holds no pairs: it needs */src/, */ref/ and mask/")

    def __len__(self) -> int:
        return len(self.pairs)

    def sample(self, index: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Source, target and reference, (3, S, S) float32 in [-1, 1]."""
        source, target, reference, other, _ = self.read_pair(index)
        if other is not None and _draw_uniform(generator, 0, 1) < 0.5:
            reference = other
        turn = _draw_turn(self.size, self.warp.turn, generator)
        source, target = (_warp(picture, turn) for picture in (source, target))
        reference = warp_reference(reference, self.warp, generator)
        source, target, reference = (
            torch.from_numpy(picture).permute(2, 0, 1).float() / 127.5 - 1
            for picture in (source, target, reference)
        )
        return source, target, reference

    def read_pair(self, index: int) -> Upright:
        """A pair as it is."""
        source_path, target_path = self.pairs[index]
        source, target = (self._read(path) for path in (source_path, target_path))
        classes = self._read_classes(self.root / "mask" / target_path.name)
        reference = target * np.isin(classes, FACE_CLASSES)[..., None].astype(np.uint8)
        other_path = target_path.parents[1] / "other" / target_path.name
        other = self._read(other_path) if other_path.exists() else None
        return Upright(source, target, reference, other, classes)

    def _read(self, path: Path) -> np.ndarray:
        square = (self.size, self.size)
        return np.array(decode(path).resize(square, Image.Resampling.LANCZOS))

    def _read_classes(self, path: Path) -> np.ndarray:
        square = (self.size, self.size)
        with Image.open(path) as labels:  # values, not a photograph
            return np.array(labels.convert("L").resize(square, Image.Resampling.NEAREST))


def warp_reference(picture: np.ndarray, warp: WarpRange, generator: torch.Generator) -> np.ndarray:
    """Turn, pull and shift a reference, on black.

    Args:
        picture: (S, S, 3) uint8.
        warp: how far.
        generator: of the draws.
    """
    size = len(picture)
    picture = _warp(picture, _draw_turn(size, warp.turn, generator))
    if _draw_uniform(generator, 0, 1) < warp.elastic:
        picture = _warp_elastically(picture, warp, generator)
    if _draw_uniform(generator, 0, 1) < 0.5:
        scale = _draw_uniform(generator, *warp.scale)
        matrix = _turn_about_centre(size, _draw_uniform(generator, -warp.turn, warp.turn), scale)
        reach = warp.shift * size
        matrix[:, 2] += [
            _draw_uniform(generator, -reach, reach),
            _draw_uniform(generator, -reach, reach),
        ]
        picture = _warp(picture, matrix)
    return picture


def _warp_elastically(
    picture: np.ndarray, warp: WarpRange, generator: torch.Generator
) -> np.ndarray:
    """A random affine transform, then a smooth random displacement (Simard et al., 2003)."""
    size = len(picture)
    share = size / REFERENCE_SIZE
    centre, third = size / 2, size // 3
    corners = np.array([[1, 1], [1, -1], [-1, -1]], np.float32) * third + centre
    moved = corners + warp.corners * share * (2 * _draw_noise(generator, 3, 2) - 1)
    picture = _warp(picture, cv2.getAffineTransform(corners, moved.astype(np.float32)))
    sigma, alpha = warp.sigma * share, warp.alpha * share**2  # noise is the weaker the smoother
    dx, dy = (
        cv2.GaussianBlur(2 * _draw_noise(generator, size, size) - 1, (0, 0), sigma) * alpha
        for _ in range(2)
    )
    y, x = np.mgrid[:size, :size].astype(np.float32)
    return cv2.remap(picture, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def _draw_turn(size: int, most: float, generator: torch.Generator) -> np.ndarray:
    """A turn by up to `most` degrees half of the time; (2, 3)."""
    angle = _draw_uniform(generator, -most, most)
    return _turn_about_centre(size, angle if _draw_uniform(generator, 0, 1) < 0.5 else 0.0, 1.0)


def _turn_about_centre(size: int, angle: float, scale: float) -> np.ndarray:
    return cv2.getRotationMatrix2D(((size - 1) / 2, (size - 1) / 2), angle, scale)


def _warp(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(picture, matrix, picture.shape[1::-1], flags=cv2.INTER_LINEAR)


def _draw_uniform(generator: torch.Generator, low: float, high: float) -> float:
    return low + (high - low) * float(torch.rand((), generator=generator))


def _draw_noise(generator: torch.Generator, *shape: int) -> np.ndarray:
    return torch.rand(shape, generator=generator).numpy()


class SyntheticPairs:
    """Drawn faces in drawn lipstick and blush, for toys.

    Args:
        count: how many.
        size: side in pixels.
    """

    def __init__(self, count: int = 32, size: int = 32) -> None:
        self.count, self.size = count, size

    def __len__(self) -> int:
        return self.count

    def sample(self, index: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Source, target and reference, (3, S, S) float32 in [-1, 1]; the index is the look."""
        tones = ((236, 200, 178), (198, 150, 120), (140, 96, 72), (88, 58, 44))
        paints = ((200, 20, 50), (120, 30, 140), (240, 110, 40), (40, 60, 190))
        skin, paint = tones[index % 4], paints[index // 4 % 4]
        x, y = _draw_uniform(generator, 0.44, 0.56), _draw_uniform(generator, 0.44, 0.56)
        bare, made_up = (self._face(x, y, skin, color) for color in (skin, paint))
        x, y = _draw_uniform(generator, 0.4, 0.6), _draw_uniform(generator, 0.4, 0.6)
        reference = self._face(x, y, tones[(index // 16) % 4], paint, background=(0, 0, 0))
        source, target, reference = (
            torch.from_numpy(picture).permute(2, 0, 1).float() / 127.5 - 1
            for picture in (bare, made_up, reference)
        )
        return source, target, reference

    def _face(
        self,
        x: float,
        y: float,
        skin: tuple[int, ...],
        paint: tuple[int, ...],
        background: tuple[int, ...] = (190, 200, 210),
    ) -> np.ndarray:
        big = 8 * self.size  # drawn large and shrunk, so that edges are soft
        picture = np.full((big, big, 3), background, np.uint8)

        def dot(dx: float, dy: float, across: float, down: float, color: tuple[int, ...]) -> None:
            centre = (round((x + dx) * big), round((y + dy) * big))
            axes = (round(across * big), round(down * big))
            cv2.ellipse(picture, centre, axes, 0, 0, 360, color, -1)

        dot(0, 0, 0.28, 0.36, skin)
        for side in (-1, 1):
            dot(side * 0.11, -0.1, 0.07, 0.05, paint)
            dot(side * 0.11, -0.09, 0.03, 0.02, (30, 30, 30))
        dot(0, 0.18, 0.12, 0.06, paint)
        return cv2.resize(picture, (self.size, self.size), interpolation=cv2.INTER_AREA)
