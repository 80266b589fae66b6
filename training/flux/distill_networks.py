"""The networks of a distillation of FLUX-Makeup: whole copies of the teacher, or changes of it.

A method asks for copies and does not know which it gets. The nano FLUX is small enough to be copied
(`DistillNetworks`); of FLUX itself there is one, frozen, and student, critic and running average
are low-rank changes of it (`LowRankNetworks`).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from models import seeding
from models.diffusion.few_step import FewStepSampler, Network, Noise
from models.diffusion.flux_denoiser import with_guidance_embedder
from models.diffusion.flux_student import LoRADenoiser, StudentLoRA
from models.diffusion.lora import attach
from models.diffusion.token_discriminator import TokenHeads
from models.reflora.denoiser import MakeupDenoiser
from training.config import RunConfig
from training.loop import Method
from training.methods.distill.adversarial.ladd import LADD
from training.methods.distill.scores.dmd import DMD, DMD2
from training.methods.distill.scores.score_distillation import ScoreNetworks, StepOptions
from training.methods.distill.scores.sid import SiD
from training.methods.distill.trajectories.consistency import Consistency
from training.methods.distill.trajectories.rcgm import RCGM, TwinFlow
from training.methods.distill.trajectories.scm import SanaSprint

Name = Literal["cd", "rcgm", "twinflow", "sana-sprint", "dmd", "dmd2", "sid", "ladd", "add"]


@dataclass(frozen=True)
class MethodConfig(RunConfig):
    """A run of one method."""

    method: Name = "dmd2"
    # Steps of the student. Trajectory methods serve any number; these are what is saved for it.
    steps: int = 4
    # Tell the critic of several steps' pictures which step made them.
    step_conditioned: bool = True
    # Steps of the critic for one of the student.
    critic_steps: int = 2


@dataclass(frozen=True)
class DistillNetworks:
    """Copies of one teacher.

    Attributes:
        teacher: as it was trained.
        blocks: whose tokens discriminators see.
        hidden: width of their heads.
    """

    teacher: Network
    blocks: tuple[int, ...]
    hidden: int = 64

    def copy_teacher(self) -> nn.Module:
        """A network that begins as the teacher and takes extra conditions."""
        own = self.teacher
        return MakeupDenoiser(
            with_guidance_embedder(own.transformer),
            copy.deepcopy(own.injector),
            own.prompt,
            own.pooled,
            own.size_rc,
            self.blocks,
        )

    def make_head(self) -> TokenHeads:
        """A discriminator's, whose logits begin at zero."""
        heads = TokenHeads(self.teacher.transformer.inner_dim, self.blocks, hidden=self.hidden)
        seeding.initialise(heads, seeding.generator_for(0, "heads"))
        for head in heads.heads:
            nn.init.zeros_(head.get_submodule("3").get_parameter("weight"))
        return heads

    def make_score_networks(self, sampler: FewStepSampler) -> ScoreNetworks:
        """For methods that compare scores."""
        return ScoreNetworks(self.copy_teacher(), self.teacher, self.copy_teacher(), sampler)


class Frozen:
    """A teacher that others are changes of. No `nn.Module`: no checkpoint holds it.

    Args:
        base: with the guidance it is given.
        precision: what it computes in; velocities are float32, for they are differences.
    """

    def __init__(self, base: MakeupDenoiser, precision: torch.dtype = torch.float32) -> None:
        self.base, self.precision = base.requires_grad_(False).eval(), precision
        self.transformer = base.transformer

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return v, (B, N, C), float32; extra conditions are ignored."""
        with self._precision(x_t):
            return self.base.velocity(x_t, t, cond).float()

    def features(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor) -> Any:
        """Return the tokens that leave its blocks; see `FluxDenoiser`."""
        with self._precision(x_t):
            return self.base.features(x_t, t, cond)

    def _precision(self, x: Tensor) -> torch.autocast:
        low = self.precision != torch.float32
        return torch.autocast(x.device.type, self.precision, enabled=low)


@dataclass(frozen=True)
class LowRankNetworks(DistillNetworks):
    """Low-rank changes of one frozen teacher.

    Attributes:
        rank: of the changes.
        seed: of their first weights. All have the same, so that an average of a student's factors
            is one of factors that belong together.
    """

    rank: int = 64
    seed: int = 0

    def copy_teacher(self) -> nn.Module:
        """A change that changes nothing yet."""
        adapter = StudentLoRA.for_transformer(self.teacher.transformer, self.rank)
        attach(self.teacher.transformer, adapter.layers)
        return LoRADenoiser(
            self.teacher, adapter.initialise(seeding.generator_for(self.seed, "low rank"))
        )


BuildMethod = Callable[[DistillNetworks, FewStepSampler, MethodConfig], Method]


def _score_options(config: MethodConfig, student_every: int = 1) -> StepOptions:
    # The teacher was never shown a batch without condition, so the critic is not either.
    return {
        "drop": 0.0,
        "step_conditioned": config.step_conditioned,
        "student_every": student_every,
    }


METHODS: dict[Name, BuildMethod] = {
    "cd": lambda n, s, o: Consistency(n.copy_teacher(), n.copy_teacher(), n.teacher, grid=25),
    "rcgm": lambda n, s, o: RCGM(n.copy_teacher(), n.copy_teacher(), n.teacher, average=0.95),
    "twinflow": lambda n, s, o: TwinFlow(
        n.copy_teacher(), n.copy_teacher(), n.teacher, average=0.95
    ),
    "sana-sprint": lambda n, s, o: SanaSprint(
        n.copy_teacher(), n.teacher, n.make_head(), n.teacher, sigma_data=1.0, warm_up=o.loop.steps
    ),
    "dmd": lambda n, s, o: DMD(n.make_score_networks(s), **_score_options(o, o.critic_steps)),
    "dmd2": lambda n, s, o: DMD2(
        n.make_score_networks(s),
        n.make_head(),
        (1e-2, 1e-2),
        **_score_options(o, o.critic_steps),
    ),
    "sid": lambda n, s, o: SiD(n.make_score_networks(s), **_score_options(o)),
    "ladd": lambda n, s, o: LADD(n.copy_teacher(), n.teacher, n.make_head(), s),
    "add": lambda n, s, o: LADD(n.copy_teacher(), n.teacher, n.make_head(), s, distill=1.0),
}
NOISE: dict[str, Noise] = {"rcgm": "jump", "twinflow": "jump"}


def build_method(config: MethodConfig, networks: DistillNetworks) -> tuple[Method, FewStepSampler]:
    """Return a run's method, and the sampler that is saved beside its student."""
    sampler = FewStepSampler.even(config.steps, NOISE.get(config.method, "fresh"))
    method = METHODS[config.method](networks, sampler, config)
    method.notes = sampler.notes
    return method, sampler
