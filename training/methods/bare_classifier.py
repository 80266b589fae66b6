"""Learn to tell a bare face from a made-up one."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models import seeding
from models.beautybank.bare_classifier import BareClassifier
from models.beautybank.patches import REGIONS
from training.loop import Method


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
