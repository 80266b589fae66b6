"""Score identity distillation: SiD (arXiv 2404.04057), SiD-LSG, few-step (2505.12674), SiDA.

    L = E[ w (f_real - f_fake) . ((f_real - x_g) - alpha (f_real - f_fake)) ]

is the Fisher divergence between student and teacher less what a fake score in training would bias.
The gradient goes through both networks, about two to three times DMD's memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from training.losses import score
from training.methods.distill.scores.score_distillation import (
    HeadOptions,
    Objective,
    ScoreDistillation,
    ScoreNetworks,
    ScoreOptions,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack


def identity_objective(alpha: float, weight: score.Weight) -> Objective:
    """The loss above, with its alpha and its w."""

    def objective(x_g: Tensor, real: Tensor, fake: Tensor, t: Tensor) -> Tensor:
        return score.score_identity(x_g, real, fake, t, alpha, weight)

    return objective


class SiDOptions(ScoreOptions, total=False):
    """Those of `SiD`."""

    alpha: float
    weight: score.Weight


class SiD(ScoreDistillation):
    """Critic, then student, in turn.

    With text, give `guidance`: `lsg(1.5)` is SiD-LSG, `ZERO_CFG` and `anti_cfg()` are the few-step
    paper's, which need no guided teacher.

    Args:
        networks: student, teacher, critic and sampler.
        alpha: 1 in most settings, 1.2 for EDM; useful between 0.5 and 1.2.
        weight: "residual" is the paper's; "time", 1 - t, is SiD-DiT's for flow models.
        options: of `ScoreDistillation`.
    """

    def __init__(
        self,
        networks: ScoreNetworks,
        alpha: float = 1.0,
        weight: score.Weight = "residual",
        **options: Unpack[HeadOptions],
    ) -> None:
        super().__init__(
            networks,
            identity_objective(alpha, weight),
            through_networks=True,
            **options,
        )


class ChannelMean(nn.Module):
    """SiDA's discriminator: the mean of the critic's own features is the logit; no parameters."""

    def forward(self, features: Tensor) -> Tensor:
        """Return logits, (...,), of features (..., C)."""
        return features.mean(-1)


class SiDA(SiD):
    """SiD with a discriminator that is the critic itself (arXiv 2410.14919).

    Args:
        networks: student, teacher, critic and sampler.
        adversarial: weights for student and critic; 0.01 / 100 and 1 in the paper.
        options: of `SiD`.
    """

    def __init__(
        self,
        networks: ScoreNetworks,
        adversarial: tuple[float, float] = (1e-4, 1.0),
        **options: Unpack[SiDOptions],
    ) -> None:
        super().__init__(
            networks,
            head=ChannelMean(),
            adversarial=adversarial,
            **options,
        )
