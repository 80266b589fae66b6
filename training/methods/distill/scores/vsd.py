"""Variational score distillation: SwiftBrush (arXiv 2312.05239) and SNOOPI (2412.02687).

    g = sigma_t^2 (eps_real^w - eps_fake^w),    the fake score a LoRA on the frozen teacher

SwiftBrush guides both scores at w = 4.5. SNOOPI's PG-SB draws w anew at every step, which carries
over between backbones; its other half, negative prompts in one step, is
`models.diffusion.negative_attention`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.methods.distill import guidance
from training.methods.distill.scores.score_distillation import (
    ScoreDistillation,
    ScoreNetworks,
    ScoreOptions,
    StepOptions,
    matching_objective,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack


class SwiftBrush(ScoreDistillation):
    """VSD with student and fake score in turn.

    Args:
        networks: student, teacher, critic and sampler.
        options: of `ScoreDistillation`.
    """

    def __init__(self, networks: ScoreNetworks, **options: Unpack[ScoreOptions]) -> None:
        options = ScoreOptions(guidance=guidance.fixed_on_both(4.5)) | options
        super().__init__(networks, matching_objective("vsd"), **options)


class PGSB(SwiftBrush):
    """SwiftBrush with a random guidance on both scores.

    Args:
        networks: student, teacher, critic and sampler.
        low: smallest scale; 0.5 in the paper.
        high: largest scale; 4 on Stable Diffusion, 3 on PixArt.
        options: of `ScoreDistillation`.
    """

    def __init__(
        self,
        networks: ScoreNetworks,
        low: float = 0.5,
        high: float = 4.0,
        **options: Unpack[StepOptions],
    ) -> None:
        drawn = guidance.random(low, high)
        super().__init__(networks, guidance=drawn, **options)
