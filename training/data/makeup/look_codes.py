"""Codes of photographed looks, which the sampler of looks learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.beautybank.drawing import read_bare, read_code
from models.beautybank.networks import BeautyBank
from training.data.faces.textures import FaceTextures, Kind


class LookCodes:
    """Codes as `MakeupCode.vector`, jittered as in the paper.

    Args:
        vectors: (N, D) float32.
    """

    def __init__(self, vectors: Tensor) -> None:
        self.vectors = vectors

    def __len__(self) -> int:
        return len(self.vectors)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Some codes; the jitter, N(0, 0.05) of each number's spread, makes near ones of few."""
        chosen = self.vectors[indices]
        noise = torch.randn(chosen.shape, generator=generator)
        return {"vectors": chosen + 0.05 * self.vectors.std(0) * noise}


def read_codes(networks: Path, cache: Path, most: int) -> tuple[Tensor, Tensor]:
    """Codes of at most so many made-up faces of a cache that train; bare codes of its bare ones."""
    network = BeautyBank.from_pretrained(networks, low_cpu_mem_usage=False).eval()
    faces = FaceTextures.load(cache)

    def some(kind: Kind) -> np.ndarray:
        numbers = faces.select(kind, "train")
        return numbers[:: max(1, -(-len(numbers) // most))]

    made_up = [read_code(network, faces.read_face(k)) for k in some("makeup")]
    bare = [read_bare(network, faces.read_face(k)) for k in some("bare")]
    return (
        torch.from_numpy(np.stack([code.vector for code in made_up])),
        torch.from_numpy(np.stack(bare)),
    )
