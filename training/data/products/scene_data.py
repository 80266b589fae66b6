"""Rendered products and photographs of products as training data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from models.attributes.vocabulary import KINDS
from models.ops.color import lab_to_rgb, rgb_to_lab
from training.data.generators import make_numpy_generator
from training.data.products.scenes import Scene, render_scene

SHARES = {
    "palette": 0.28,
    "pan": 0.17,
    "smear": 0.2,
    "bullet": 0.13,
    "bottle": 0.11,
    "pencil": 0.06,
    "packaging": 0.05,
}
CLOSE_UPS = ("pan", "smear", "bullet")
"""Kinds of scenes that show one shade large enough to read its finish."""
CORE = 0.45
"""How deep a shade's core lies, as a share of its greatest depth."""
COLORED, KIND_ONLY, BARE = 1, 2, 3
"""What is known of a photograph: its colour; its kind; that it shows no shade."""


@dataclass(frozen=True)
class SceneStore:
    """Pictures with truth; arrays share their first axis.

    Attributes:
        pixels: (N, S, S, 3) uint8.
        ids: (N, S, S) uint8, k + 1 where shade k is seen; 0 elsewhere and in photographs.
        colors: (N, M, 3) float32 CIELAB of the shades, NaN where there is none.
        kinds: (N,) int64 into `KINDS`.
        sources: (N,) uint8, 0 rendered, else one of `COLORED`, `KIND_ONLY`, `BARE`.
    """

    pixels: np.ndarray
    ids: np.ndarray
    colors: np.ndarray
    kinds: np.ndarray
    sources: np.ndarray

    def save(self, path: Path) -> None:
        """Write one npz file."""
        np.savez(path, **vars(self))

    @classmethod
    def load(cls, path: Path) -> SceneStore:
        """Read what `save` wrote."""
        with np.load(path) as arrays:
            return cls(**arrays)

    @classmethod
    def join(cls, *stores: SceneStore) -> SceneStore:
        """One store after another."""
        most = max(store.colors.shape[1] for store in stores)
        colors = [
            np.pad(
                s.colors, ((0, 0), (0, most - s.colors.shape[1]), (0, 0)), constant_values=np.nan
            )
            for s in stores
        ]
        fields = ("pixels", "ids", "kinds", "sources")
        joined = {name: np.concatenate([getattr(s, name) for s in stores]) for name in fields}
        return cls(colors=np.concatenate(colors), **joined)

    def select_kind(self, kind: str) -> SceneStore:
        """The pictures of one kind."""
        chosen = self.kinds == KINDS.index(kind)
        return SceneStore(**{name: array[chosen] for name, array in vars(self).items()})

    @classmethod
    def from_scenes(cls, scenes: list[Scene]) -> SceneStore:
        """Keep rendered scenes."""
        most = max(1, *(len(scene.materials) for scene in scenes))
        colors = np.full((len(scenes), most, 3), np.nan, np.float32)
        for row, scene in zip(colors, scenes, strict=True):
            for number, material in enumerate(scene.materials):
                row[number] = material.lab
        return cls(
            np.stack([scene.pixels for scene in scenes]),
            np.stack([scene.ids for scene in scenes]).astype(np.uint8),
            colors,
            np.array([KINDS.index(scene.kind) for scene in scenes]),
            np.zeros(len(scenes), np.uint8),
        )


def render_scenes(
    count: int, size: int, seed: int, *, held_out: bool = False, kinds: tuple[str, ...] = ()
) -> list[Scene]:
    """Render scenes of `kinds` in the shares of `SHARES`; each from the seed and its number."""
    names = list(kinds or SHARES)
    shares = np.array([SHARES[name] for name in names])
    scenes = []
    for index in tqdm(range(count), desc="rendering", disable=count < 50):
        rng = np.random.default_rng((seed, index, int(held_out)))
        kind = str(rng.choice(names, p=shares / shares.sum()))
        scenes.append(render_scene(kind, size, rng, held_out=held_out))
    return scenes


def find_cores(ids: np.ndarray) -> np.ndarray:
    """The inner part of every shade, (H, W) float32 0 or 1; cores of two shades never touch."""
    edge = np.zeros(ids.shape, bool)
    edge[1:] |= ids[1:] != ids[:-1]
    edge[:, 1:] |= ids[:, 1:] != ids[:, :-1]
    depth = cv2.distanceTransform(((ids > 0) & ~edge).astype(np.uint8), cv2.DIST_L2, 3)
    deepest = np.zeros(int(ids.max()) + 1, np.float32)
    np.maximum.at(deepest, ids.ravel(), depth.ravel())
    return ((ids > 0) & (depth > CORE * deepest[ids])).astype(np.float32)


class SceneData:
    """Batches of whole pictures, moved, mirrored and recoloured at every visit.

    Args:
        store: the pictures.
        size: side of a batch's pictures, a multiple of 32.
    """

    def __init__(self, store: SceneStore, size: int) -> None:
        self.store, self.size = store, size

    def __len__(self) -> int:
        return len(self.store.kinds)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the fields of `FindShades`; maps at half the pictures' size."""
        rng = make_numpy_generator(generator)
        rows = [self._sample(int(index), rng) for index in indices]
        return {
            name: torch.from_numpy(np.stack([np.asarray(row[name]) for row in rows]))
            for name in rows[0]
        }

    def _sample(self, index: int, rng: np.random.Generator) -> dict[str, np.ndarray | np.generic]:
        store, size, half = self.store, self.size, self.size // 2
        source = int(store.sources[index])
        pixels, ids, whole = _move(store.pixels[index], store.ids[index], size, rng)
        shades = np.unique(ids)
        shades = shades[shades > 0]
        pick = int(rng.choice(shades)) if len(shades) and source == 0 else 1
        color = store.colors[index, pick - 1]
        has_color = np.isfinite(color[0]) and (source == COLORED or (ids == pick).sum() >= 64)
        color = np.nan_to_num(color)
        strong = source == COLORED or KINDS[store.kinds[index]] == "palette"
        pixels, color = _recolor(pixels, color, rng, strong=strong)
        lab = rgb_to_lab(cv2.resize(pixels, (half, half), interpolation=cv2.INTER_AREA))

        def halved(mask: np.ndarray) -> np.ndarray:
            return cv2.resize(mask.astype(np.float32), (half, half), interpolation=cv2.INTER_AREA)

        shade, known = halved(ids > 0), np.ones((half, half), np.float32)
        if source == COLORED:
            apart = np.linalg.norm((lab - color) * (0.7, 1, 1), axis=-1)
            shade, known = (
                (apart < 10) * np.float32(1),
                np.float32(0.5) * ((apart < 7) | (apart > 25)),
            )
        elif source == KIND_ONLY:
            known *= 0
        image = np.ascontiguousarray(pixels.transpose(2, 0, 1), np.float32) / 127.5 - 1
        return {
            "image": image,
            "lab": np.ascontiguousarray(lab.transpose(2, 0, 1)),
            "shade": shade.astype(np.float32),
            "core": halved(find_cores(ids)),
            "known": known.astype(np.float32),
            "chosen": halved(ids == pick),
            "color": color,
            "has_color": np.float32(has_color),
            "rendered": np.float32(source == 0),
            "kind": np.int64(store.kinds[index] if whole else -1),
        }


def _move(
    pixels: np.ndarray, ids: np.ndarray, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, bool]:
    """Zoom, shift and mirror; beyond the border it is repeated, and no shade.

    Returns:
        Pixels, ids, and whether about the whole picture is in view.
    """
    whole = rng.random() < 0.65
    scale = size / len(pixels) * np.exp(rng.uniform(-0.2, 0.15)) if whole else rng.uniform(0.7, 1.4)
    flip = rng.choice([-1, 1])
    reach = (0.05 if whole else 0.2) * len(pixels)
    middle = (len(pixels) - 1) / 2 + rng.uniform(-reach, reach, 2)
    matrix = np.array([[flip * scale, 0, 0], [0, scale, 0]])
    matrix[:, 2] = (size - 1) / 2 - matrix[:, :2] @ middle
    shrunk = pixels
    if scale < 0.75:  # bilinear sampling alone would alias
        shrunk = cv2.GaussianBlur(pixels, (0, 0), 0.45 / scale)
    moved = cv2.warpAffine(shrunk, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE)
    return moved, cv2.warpAffine(ids, matrix, (size, size), flags=cv2.INTER_NEAREST), whole


def _recolor(
    pixels: np.ndarray, color: np.ndarray, rng: np.random.Generator, *, strong: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Turn hue, chroma and lightness of a picture and of the colour that is its truth."""
    angle = np.radians(rng.normal(0, 40 if strong else 10))
    factor = rng.uniform(0.7, 1.25)
    matrix = np.diag([rng.uniform(0.85, 1.0), 1, 1]).astype(np.float32)
    matrix[1:, 1:] = factor * np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    turned = lab_to_rgb(rgb_to_lab(pixels) @ matrix.T)
    truth = rgb_to_lab(lab_to_rgb(color[None].astype(np.float32) @ matrix.T))[0]
    return np.round(turned * 255).astype(np.uint8), truth
