"""Learn what covers a face, from labels that know where they are not sure."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models import seeding
from models.analysis.face_parsing import FaceParser
from training.loop import Method


class FaceParsing(Method):
    """Cross-entropy against soft targets, and a soft overlap that small occluders weigh in.

    Args:
        parser: the network; its weights are drawn anew.
        seed: of the first weights.
        overlap: weight of the overlap term.
    """

    def __init__(self, parser: FaceParser, seed: int = 0, overlap: float = 0.5) -> None:
        seeding.initialise(parser, seeding.generator_for(seed, "parser"))
        self.networks = {"parser": parser}
        self.phases = {"parser": ("parser",)}
        self.overlap = overlap

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return `cross_entropy` and `overlap`, scalars, for a batch of `FaceData`."""
        logits = self.networks["parser"](batch["crops"])
        target, weight = batch["target"], batch["weight"]
        log_p = F.log_softmax(logits, dim=1)
        wrong = -(target * log_p).sum(1)
        cross_entropy = (weight * wrong).sum() / weight.sum().clamp_min(1.0)
        return {
            "cross_entropy": cross_entropy,
            "overlap": self.overlap * soft_overlap(log_p.exp(), target, weight),
        }


def soft_overlap(probabilities: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """One minus the Dice coefficient, a mean over pictures and the classes they show.

    Args:
        probabilities: (B, C, H, W), sums to 1 over C.
        target: (B, C, H, W), likewise.
        weight: (B, H, W) in 0..1.

    Returns:
        A scalar in 0..1.
    """
    weight = weight[:, None]
    both = (weight * probabilities * target).sum((2, 3))
    either = (weight * (probabilities + target)).sum((2, 3))
    shown = ((weight * target).sum((2, 3)) > 1.0).float()
    dice = 1 - (2 * both + 1.0) / (either + 1.0)
    return (shown * dice).sum() / shown.sum().clamp_min(1.0)
