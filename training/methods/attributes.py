"""Learn where shades are and what colour is theirs; learn how a shade is finished."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from models import seeding
from models.attributes.networks import FinishClassifier, ShadeFinder
from training.loop import Method


class FindShades(Method):
    """Maps against rendered truth, kinds, and one colour per picture through the weights.

    The color read from a shade is the mean of its pixels weighted by sigmoid(tone): comparing it
    with the true colour teaches which pixels to trust, on rendered pictures inside the true mask,
    and on photographs, of which only the colour is known, inside the predicted one.

    Args:
        finder: its weights are drawn anew.
        seed: of the first weights.
    """

    def __init__(self, finder: ShadeFinder, seed: int = 0) -> None:
        seeding.initialise(finder, seeding.generator_for(seed, "finder"))
        self.networks = {"finder": finder}
        self.phases = {"finder": ("finder",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return `shade`, `core`, `color` and `kind`, scalars, for a batch of `SceneData`."""
        found = self.networks["finder"](batch["image"])
        known, chosen = batch["known"], batch["chosen"]
        shade = F.binary_cross_entropy_with_logits(found.shade, batch["shade"], reduction="none")
        core = F.binary_cross_entropy_with_logits(found.core, batch["core"], reduction="none")
        rendered = batch["rendered"][:, None, None]
        inside = torch.where(rendered > 0, chosen, found.shade.sigmoid())
        weights = inside * found.tone.sigmoid() + 1e-6
        color = (batch["lab"] * weights[:, None]).sum((2, 3)) / weights.sum((1, 2))[:, None]
        apart = (color - batch["color"]).norm(dim=1)
        wrong = F.huber_loss(apart, torch.zeros_like(apart), delta=4.0, reduction="none")
        has_color = batch["has_color"]
        return {
            "shade": (known * shade).sum() / known.sum().clamp_min(1),
            "core": (rendered * core).mean(),
            "color": 0.02 * (has_color * wrong).sum() / has_color.sum().clamp_min(1),
            "kind": 0.3 * F.cross_entropy(found.kind, batch["kind"], ignore_index=-1),
        }


class ClassifyFinish(Method):
    """Cross-entropy over finishes, the distance of the axes, and one answer for one shade.

    A shade shown by two shops has one finish: the symmetric divergence of the two answers is
    learned from as well, on photographs of which nobody said the finish too.

    Args:
        classifier: its weights are drawn anew.
        features: (N, K), examples of what it will read.
        seed: of the first weights.
        noise: added to the features, as a share of how far they spread.
    """

    def __init__(
        self, classifier: FinishClassifier, features: Tensor, seed: int = 0, noise: float = 0.1
    ) -> None:
        seeding.initialise(classifier, seeding.generator_for(seed, "reader"))
        classifier.fit_statistics(features)
        self.spread, self.noise = classifier.spread.clone(), noise
        self.networks = {"reader": classifier}
        self.phases = {"reader": ("reader",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return `finish`, `axes` and `apart`, scalars, for a batch of `FinishData`."""
        features = torch.cat([batch["features"], batch["again"]])
        noise = torch.randn(features.shape, generator=generator)
        logits, axes = self.networks["reader"](
            features + self.noise * self.spread * noise, generator
        )
        truth, known = batch["axes"].repeat(2, 1), batch["axes"].isfinite().repeat(2, 1)
        apart_by = F.smooth_l1_loss(axes[known], truth[known], beta=0.1, reduction="none")
        one, two = logits.log_softmax(1).chunk(2)
        apart = ((one.exp() - two.exp()) * (one - two)).sum(1)
        return {
            "finish": F.cross_entropy(
                logits, batch["finish"].repeat(2), ignore_index=-1, label_smoothing=0.05
            ),
            "axes": 2.0 * apart_by.sum() / known.sum().clamp_min(1),
            "apart": 0.3 * apart.mean(),
        }
