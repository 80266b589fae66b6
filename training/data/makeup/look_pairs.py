"""Bare and made-up faces of several looks for E2GAN; and the few of them a new look needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from scipy.cluster.vq import kmeans2, vq
from torch import Tensor

from models.errors import TrainingError
from models.ops.color import rgb_to_lab
from training.data.makeup.beauty_pairs import BeautyPairs

THUMBNAIL = 8
"""Side, in pixels, of the thumbnails faces are told apart by."""


class LookPairs:
    """Samples of `BeautyPairs`, each with the number of its look.

    Args:
        looks: the pairs of each look, all of one size.
    """

    def __init__(self, looks: Sequence[BeautyPairs]) -> None:
        self.look = torch.cat([torch.full((len(x),), i) for i, x in enumerate(looks)])
        bare, made_up = (
            np.concatenate([getattr(x, n) for x in looks]) for n in ("bare", "made_up")
        )
        self.pairs = BeautyPairs(bare, made_up, looks[0].side)

    @classmethod
    def read(cls, folder: Path, looks: Sequence[str], side: int) -> LookPairs:
        """Read FOLDER/LOOK of every look, each made by `mirra pairs FACES FOLDER/LOOK`."""
        return cls([BeautyPairs.read(folder / look, side) for look in looks])

    @classmethod
    def synthetic(cls, looks: int, side: int, generator: torch.Generator) -> LookPairs:
        """Synthetic data, every other look with its colours turned round."""
        pairs = [BeautyPairs.synthetic(side, generator) for _ in range(looks)]
        for turned in pairs[1::2]:
            turned.made_up = np.ascontiguousarray(turned.made_up[..., ::-1])
        return cls(pairs)

    def __len__(self) -> int:
        return len(self.look)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return `bare` and `made_up`, (B, 3, S, S) in [-1, 1], and `look`, (B,) int64."""
        return self.pairs.batch(indices, generator) | {"look": self.look[indices]}

    def keep_representatives(self, count: int, seed: int = 0) -> LookPairs:
        """The `count` most different pairs of a single look; see `representatives`."""
        chosen = choose_representatives(self.pairs.made_up, count, seed)
        bare, made_up = self.pairs.bare[chosen], self.pairs.made_up[chosen]
        return LookPairs([BeautyPairs(bare, made_up, self.pairs.side)])


def choose_representatives(pictures: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """E2GAN's data reduction: cluster the pictures, keep the one nearest to each centre.

    The paper clusters CLIP's features. Here a picture is its colours in CIELAB at 8 x 8 pixels,
    which tell tones of skin and ways the light falls; faces are aligned already.

    Args:
        pictures: (N, R, R, 3) uint8.
        count: how many to keep.
        seed: of the first centres.

    Returns:
        (count,) different indices in rising order.

    Raises:
        TrainingError: there are fewer different pictures than that.
    """
    small = [cv2.resize(x, (THUMBNAIL,) * 2, interpolation=cv2.INTER_AREA) for x in pictures]
    features = rgb_to_lab(np.concatenate(small)).reshape(len(small), -1).astype(np.float64)
    different = len(np.unique(features, axis=0))
    if different < count:
        raise TrainingError(
            f"{count} pictures are to be kept of {different} different ones",
            found=different,
            needed=count,
        )
    centres, _ = kmeans2(features, count, minit="++", missing="raise", rng=seed)
    cluster, distance = vq(features, centres)
    nearest = {int(c): int(i) for i in np.argsort(-distance) for c in [cluster[i]]}
    return np.array(sorted(nearest.values()))
