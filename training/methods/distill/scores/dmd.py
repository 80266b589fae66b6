"""DMD and DMD2: match distributions by the difference of two scores (arXiv 2311.18828, 2405.14867).

    grad_theta KL(p_fake || p_real) = E[ w_t (mu_fake(x_t, t) - mu_real(x_t, t)) dG/dtheta ]

with w_t = 1 / mean |x_g - mu_real|. DMD2 adds a discriminator on the fake score's features, trains
the fake score more often than the student, and unrolls the student's own steps for training.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from training.methods.distill.scores.score_distillation import (
    HeadOptions,
    ScoreDistillation,
    ScoreNetworks,
    ScoreOptions,
    matching_objective,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack


class DMD(ScoreDistillation):
    """Distribution matching without a discriminator.

    Args:
        networks: student, teacher, critic and sampler.
        options: of `ScoreDistillation`; one step of the student to five of the critic, as in DMD2.
    """

    def __init__(self, networks: ScoreNetworks, **options: Unpack[HeadOptions]) -> None:
        options = HeadOptions(student_every=5) | options
        super().__init__(networks, matching_objective("residual"), **options)


class DMD2(DMD):
    """With a discriminator that shares the fake score's body and sees noisy pictures.

    Weights for (student, critic): (3e-3, 1e-2) on ImageNet, (1e-3, 1e-2) on SD1.5, (5e-3, 1e-2) on
    SDXL.

    Args:
        networks: student, teacher, critic and sampler.
        head: of the discriminator.
        adversarial: weights for student and critic.
        options: of `DMD`.
    """

    def __init__(
        self,
        networks: ScoreNetworks,
        head: nn.Module,
        adversarial: tuple[float, float] = (1e-3, 1e-2),
        **options: Unpack[ScoreOptions],
    ) -> None:
        super().__init__(networks, head=head, adversarial=adversarial, **options)
