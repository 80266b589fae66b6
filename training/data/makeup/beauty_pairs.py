"""Bare and made-up faces of one look, as `mirra pairs` writes them, for the tiny beauty net."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor

from models.errors import TrainingError
from pipelines.images.decode import decode
from training.data.generators import make_numpy_generator
from training.data.tryon.parsing import to_unit


class BeautyPairs:
    """Squares around faces, turned, moved and lit a little differently each time.

    Args:
        bare: (N, R, R, 3) uint8, sRGB.
        made_up: the same faces in the look.
        side: of the samples, in pixels.
    """

    def __init__(self, bare: np.ndarray, made_up: np.ndarray, side: int) -> None:
        self.bare, self.made_up, self.side = bare, made_up, side

    @classmethod
    def read(cls, folder: Path, side: int) -> BeautyPairs:
        """Read all pairs of `mirra pairs FACES FOLDER --looks LOOK --weakest 1`.

        Raises:
            TrainingError: the folder holds none.
            ImageError: one of them is no picture.
        """
        names = sorted(path.name for path in (folder / "v00" / "ref").glob("*.png"))
        if not names:
            raise TrainingError(
                f"{folder} holds no pairs; make them with `mirra pairs`", found=str(folder)
            )
        bare, made_up = (
            np.stack([np.asarray(decode(folder / "v00" / part / name)) for name in names])
            for part in ("src", "ref")
        )
        return cls(bare, made_up, side)

    @classmethod
    def synthetic(cls, side: int, generator: torch.Generator, count: int = 4) -> BeautyPairs:
        """Smooth noise, and the same with its lower half redder: enough to see a recipe run."""
        rough = torch.rand((count, 3, 4, 4), generator=generator)
        smooth = torch.nn.functional.interpolate(rough, (side, side), mode="bilinear")
        bare = (smooth * 200).byte().permute(0, 2, 3, 1).numpy()
        made_up = bare.copy()
        made_up[:, side // 2 :, :, 0] += 50
        return cls(bare, made_up, side)

    def __len__(self) -> int:
        return len(self.bare)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return `bare` and `made_up`, (B, 3, S, S) float32 in [-1, 1]."""
        rng = make_numpy_generator(generator)
        pairs = [self._pair(int(index), rng) for index in indices]
        bare, made_up = (to_unit(np.stack(part)) for part in zip(*pairs, strict=True))
        return {"bare": bare, "made_up": made_up}

    def _pair(self, index: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        room = self.bare.shape[1]
        zoom = self.side / room * float(np.exp(rng.normal(0, 0.06)))
        middle = (room - 1) / 2
        matrix = cv2.getRotationMatrix2D((middle, middle), rng.normal(0, 8), zoom)
        matrix[:, 2] += (self.side - 1) / 2 - middle + rng.normal(0, 0.02, 2) * self.side
        light = rng.uniform(0.85, 1.1) * rng.uniform(0.95, 1.05, 3)
        step = -1 if rng.random() < 0.5 else 1

        def seen(image: np.ndarray) -> np.ndarray:
            size = (self.side, self.side)
            part = cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REPLICATE)
            return np.clip(part[:, ::step] * light + 0.5, 0, 255).astype(np.uint8)

        return seen(self.bare[index]), seen(self.made_up[index])
