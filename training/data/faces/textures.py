"""The cache of unfolded faces `mirra looks unfold` writes, and who is kept apart."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from models import regions
from models.beautybank.patches import MAP_SIZE
from models.errors import TrainingError
from models.instant.face_texture import FaceTexture, bare_skin
from models.ops.color import rgb_to_lab
from models.ops.masks import canonical_regions, face_fade
from training.data.faces.store import Part, split_pictures

Kind = Literal["bare", "makeup"]


@dataclass(frozen=True)
class FaceTextures:
    """Faces in the canonical map.

    Attributes:
        textures: (N, S, S, 4) uint8: sRGB, and how far a texel can be trusted.
        names: where each came from, "set/folder/picture".
    """

    textures: np.ndarray
    names: tuple[str, ...]

    @classmethod
    def load(cls, folder: Path) -> FaceTextures:
        """Open a cache without reading it.

        Raises:
            TrainingError: it is not there, or not whole.
        """
        try:
            textures = np.load(folder / "textures.npy", mmap_mode="r")
            names = tuple(json.loads((folder / "names.json").read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            raise TrainingError(
                f"{folder} holds no faces; make them with `mirra looks unfold`", found=str(folder)
            ) from error
        return cls(textures, names)

    @classmethod
    def synthetic(cls, generator: torch.Generator, count: int = 12) -> FaceTextures:
        """Plain skins of random tones, half of them with red lips: enough to run a recipe."""
        rng = np.random.default_rng(int(torch.randint(1 << 30, (), generator=generator)))
        tones = rng.uniform((80, 50, 35), (240, 200, 180), (count, 1, 1, 3))
        textures = np.full((count, MAP_SIZE, MAP_SIZE, 4), 255, np.uint8)
        textures[..., :3] = (tones + rng.normal(0, 4, (count, MAP_SIZE, MAP_SIZE, 3))).clip(0, 255)
        textures[..., 3] = (255 * face_fade(MAP_SIZE)).astype(np.uint8)
        lips = canonical_regions(MAP_SIZE)[regions.LIPS] > 0.5
        textures[count // 2 :, lips, :3] = (170, 30, 50)
        folders = ["mt/bare"] * (count // 2) + ["mt/makeup"] * (count - count // 2)
        return cls(textures, tuple(f"{place}/{k:04d}" for k, place in enumerate(folders)))

    def select(self, kind: Kind, part: Part) -> np.ndarray:
        """Numbers of the bare or made-up faces that train or are kept apart."""
        chosen = split_pictures(self.names)[part]
        return np.array([k for k in chosen if find_kind(self.names[k]) == kind], np.int64)

    def read_lab(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """One face: (S, S, 3) CIELAB and (S, S) seen, float32."""
        texture = np.asarray(self.textures[number])
        return rgb_to_lab(texture[..., :3]), np.asarray(texture[..., 3], np.float32) / 255

    def read_face(self, number: int) -> FaceTexture:
        """One face as `unfold` gives it."""
        return fit_bare_skin(*self.read_lab(number))


def find_kind(name: str) -> Kind:
    """Whether a picture of the cache shows a bare face."""
    return "bare" if name.startswith(("london/", "mt/bare/")) else "makeup"


def fit_bare_skin(lab: np.ndarray, seen: np.ndarray) -> FaceTexture:
    """A face's texture with its plain skin fitted."""
    bare, tone = bare_skin(lab, seen)
    return FaceTexture(lab, bare, seen, tone)
