"""Human parsing: cross-entropy, and overlap for the parts that cover few pixels."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from models.analysis.human_parsing import IGNORE, HumanParser
from training.loop import Method


class ParsingMethod(Method):
    """Trains a `HumanParser` on `image` and `parts`."""

    def __init__(self, parser: HumanParser) -> None:
        self.parser = parser
        self.networks = {"parser": parser}
        self.phases = {"parser": ("parser",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return cross-entropy and 1 - soft IoU, averaged over the parts that occur."""
        image = batch["image"].contiguous(memory_format=torch.channels_last)
        logits = self.parser(image)
        parts = batch["parts"]
        known = parts != IGNORE
        entropy = F.cross_entropy(logits, parts, ignore_index=IGNORE)
        share = logits.softmax(1) * known[:, None]
        truth = F.one_hot(parts.where(known, torch.zeros_like(parts)), logits.shape[1])
        truth = truth.permute(0, 3, 1, 2) * known[:, None]
        both = (share * truth).sum((0, 2, 3))
        either = (share + truth - share * truth).sum((0, 2, 3))
        there = truth.sum((0, 2, 3)) > 0
        overlap = 1 - (both / either.clamp_min(1))[there].mean()
        return {"entropy": entropy, "overlap": 0.5 * overlap}
