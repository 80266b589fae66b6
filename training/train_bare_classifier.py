"""Train the judge of removed makeup: is a face bare or made up?

    python -m training.train_bare_classifier tiny              # seconds, made-up faces
    python -m training.train_bare_classifier small --cache CACHE

Sets differ in more than makeup: the made-up half of MT is studio photographs, London is sharper.
So half of the made-up faces are bare faces that wear a look of `BareMakeup`, and each face gets
another light, tone, blur and noise at every step, lest the judge look at those.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models import seeding
from models.beautybank.bare_classifier import BareClassifier
from models.beautybank.patches import REGIONS
from models.beautybank.reading import patches_of
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.faces.face_textures import FaceTextures, fitted
from training.data.makeup.bare_makeup import BareMakeup, light_field, numpy_of, photographed, wear
from training.loop import Method, Trainer


@dataclass(frozen=True)
class ClassifierConfig(RunConfig):
    """A run of the judge; without `cache` the faces are made up."""

    cache: Path | None = None
    base: int = 16
    width: int = 32


PRESETS = {
    "small": (
        "the judge of our evaluation",
        ClassifierConfig(
            name="bare-classifier",
            optim=OptimConfig(lr=1e-3, weight_decay=1e-2, warmup=20),
            loop=LoopConfig(steps=400, batch=16, ema=0.98, save_every=50, threads=1),
        ),
    ),
    "tiny": (
        "three steps on made-up faces",
        ClassifierConfig(
            name="tiny-bare-classifier",
            base=8,
            width=8,
            loop=LoopConfig(steps=3, batch=4, save_every=3, log_every=1, threads=1),
        ),
    ),
}


class JudgedFaces:
    """As many bare faces as made-up ones, in another light each time.

    Args:
        faces: the cache; only its training part is used.
    """

    def __init__(self, faces: FaceTextures) -> None:
        self.pairs = BareMakeup(faces)

    def __len__(self) -> int:
        return len(self.pairs.bare) + len(self.pairs.made_up)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Patches as `reading.patches_of` gives them, and `bare` (B,) 0 or 1."""
        rng = numpy_of(generator)
        rows: dict[str, list[np.ndarray]] = {region: [] for region in REGIONS}
        bare = np.arange(len(indices)) % 2
        for number, wanted in enumerate(bare):
            lab, seen = self._face(bool(wanted), number % 4 == 0, rng)
            if rng.random() < 0.5:
                lab, seen = lab[:, ::-1].copy(), seen[:, ::-1].copy()
            lab = photographed(lab + 1.5 * light_field(rng), rng)
            lab[..., 0] = (lab[..., 0] - 50) * rng.uniform(0.75, 1.25) + 50
            lab[..., 1:] *= rng.uniform(0.75, 1.25)
            for region, patch in patches_of(fitted(lab, seen)).items():
                rows[region].append(patch)
        batch = {region: torch.from_numpy(np.stack(patches)) for region, patches in rows.items()}
        return batch | {"bare": torch.from_numpy(bare).float()}

    def _face(
        self, bare: bool, made_up: bool, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """A bare face, a made-up photograph, or a bare face that wears a look: CIELAB and seen."""
        if bare:
            return self.pairs.face(rng)
        if made_up:
            lab, seen = self.pairs.face(rng)
            return wear(self.pairs.look(rng).makeup, lab, seen, rng).made_up.lab, seen
        return self.pairs.faces.lab(int(rng.choice(self.pairs.made_up)))


class BareOrMadeUp(Method):
    """Binary cross-entropy."""

    def __init__(self, network: BareClassifier, seed: int = 0) -> None:
        seeding.initialise(network, seeding.generator_for(seed, "classifier"))
        self.networks = {"classifier": network}
        self.phases = {"classifier": ("classifier",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return `cross_entropy`, and `accuracy` for the log."""
        logits = self.networks["classifier"]({region: batch[region] for region in REGIONS})
        right = ((logits > 0) == (batch["bare"] > 0.5)).float().mean()
        cross_entropy = F.binary_cross_entropy_with_logits(logits, batch["bare"])
        return {"cross_entropy": cross_entropy, "accuracy": right.detach()}


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and train."""
    cv2.setNumThreads(1)
    config = from_command_line(PRESETS, "Train the judge of removed makeup.", arguments)
    if config.cache is None:
        faces = FaceTextures.made_up(seeding.generator_for(config.loop.seed, "faces"))
    else:
        faces = FaceTextures.load(config.cache)
    network = BareClassifier(config.base, config.width)
    Trainer(config, BareOrMadeUp(network, config.loop.seed), JudgedFaces(faces)).run()


if __name__ == "__main__":
    main()
