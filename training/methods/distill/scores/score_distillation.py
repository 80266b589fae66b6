"""What DMD, DMD2, SwiftBrush, SiD, SiDA and DisBack share: student, teacher, fake score.

    student step   x_g = G(x_{t_k}, t_k); compare teacher and fake score on x_g noised anew
    critic step    the fake score learns to denoise x_g; a discriminator may share its features

A method is which objective, which critic, which guidance, which phase how often; see its file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypedDict

import torch
from torch import Tensor, nn

from models.diffusion.few_step import Denoiser, FewStepSampler, Network
from models.seeding import noise_like
from training.loop import Method, sample_indices, select_networks
from training.losses import adversarial, flow, score
from training.losses.score import denoising
from training.methods.distill.guidance import NONE, Guidance, predict_guided_x0
from training.methods.distill.scores.disback import TeacherSchedule
from training.methods.time_samplers import TimeSampler, uniform

Objective = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""(x_g, teacher's picture, fake score's picture, t) -> loss."""

Trained = Literal["one", "each", "last"]


@dataclass(frozen=True)
class ScoreNetworks:
    """The denoisers of a score method, and the sampler of its student.

    Attributes:
        student: trained; begins as a copy of the teacher.
        teacher: frozen; need not be a network (the toys' are formulas). A `TeacherSchedule` changes
            it on the way.
        critic: the fake score: a copy of the teacher, a low-rank change of it (`DeltaDenoiser`),
            or a formula, which is then not trained.
        sampler: of the student, in training and ever after.
    """

    student: Network
    teacher: Denoiser | TeacherSchedule
    critic: Network
    sampler: FewStepSampler


class StepOptions(TypedDict, total=False):
    """Of `ScoreDistillation`: what its steps are like."""

    student_every: int
    step_conditioned: bool
    trained_step: Trained
    drop: float
    times: TimeSampler | None


class ScoreOptions(StepOptions, total=False):
    """Those, and the guidance."""

    guidance: Guidance


class HeadOptions(ScoreOptions, total=False):
    """Those, and the discriminator."""

    head: nn.Module | None
    adversarial: tuple[float, float]


class ScoreDistillation(Method):
    """A student that learns from the difference of two scores.

    Args:
        networks: student, teacher, critic and sampler.
        objective: of the student.
        through_networks: whether the objective's gradient flows through teacher and critic (SiD)
            or stops at them (DMD).
        head: discriminator on the critic's features of noisy pictures, or None.
        adversarial: weights of the discriminator for student and critic.
        guidance: of teacher and critic.
        student_every: the student is taken at one step of so many, the critic at each.
        step_conditioned: give the critic which of the sampler's steps made a picture, so that each
            step's pictures are matched, not their mixture.
        trained_step: "one" draws one of the sampler's steps a batch, as DMD2 does, which saves
            unrolling; "each" shares a batch out to all steps, which is steadier; "last" always
            takes the last.
        drop: share of batches without condition when the critic learns.
        times: of the noise that is added to pictures.
    """

    def __init__(
        self,
        networks: ScoreNetworks,
        objective: Objective,
        *,
        through_networks: bool = False,
        head: nn.Module | None = None,
        adversarial: tuple[float, float] = (1e-3, 1e-2),
        guidance: Guidance = NONE,
        student_every: int = 1,
        step_conditioned: bool = True,
        trained_step: Trained = "one",
        drop: float = 0.1,
        times: TimeSampler | None = None,
    ) -> None:
        self.student, self.teacher = networks.student, networks.teacher
        self.critic, self.head = networks.critic, head
        self.sampler, self.objective, self.guidance = networks.sampler, objective, guidance
        self.notes = networks.sampler.notes
        self.through_networks, self.adversarial = through_networks, adversarial
        self.step_conditioned, self.trained_step = step_conditioned, trained_step
        self.drop, self.times = drop, times or uniform()
        self.networks = select_networks(
            critic=self.critic, head=head, student=self.student, teacher=self.teacher
        )
        critics = tuple(name for name in ("critic", "head") if name in self.networks)
        self.phases = {"critic": critics} if critics else {}
        self.phases = {**self.phases, "student": ("student",)}
        self.every = {"student": student_every}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the losses of student or critic.

        Args:
            batch: `x0` (B, ...), real pictures, of which only a discriminator sees more than the
                shape; `cond` if there are conditions.
            generator: of steps, noise and times.
            phase: "student" or "critic".
        """
        if phase == "critic":
            return self.critic_step(batch, generator)
        return self.student_step(batch, generator)

    def generate(
        self, batch: dict[str, Tensor], generator: torch.Generator
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return pictures of one of the sampler's steps, (B, ...), and the critic's conditions.

        Earlier steps are unrolled without gradient, from noise alone.
        """
        x0, cond = batch["x0"], batch.get("cond")
        steps = self._draw_steps(batch, generator).to(x0.device)
        noise = noise_like(x0, generator)
        x_t = self.sampler.simulate_each(self.student, noise, steps, cond, generator)
        pictures = self.sampler.guess(self.student, x_t, steps, cond)
        return pictures, {"step": steps.to(x0)} if self.step_conditioned else {}

    def _draw_steps(self, batch: dict[str, Tensor], generator: torch.Generator) -> Tensor:
        """Which of the sampler's steps each sample of a batch is a picture of, (B,) int64."""
        several = len(self.sampler.times)
        if self.trained_step == "each":
            return sample_indices(batch) % several
        drawn = self.trained_step == "one" and several > 1
        common = self.shared or generator  # or processes would unroll different numbers of steps
        number = torch.randint(several, (), generator=common) if drawn else several - 1
        return torch.full((len(batch["x0"]),), int(number))

    def add_noise(
        self, pictures: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return pictures noised to times of their own, the times (B,) and the noise."""
        t = self.times(len(pictures), generator).to(pictures)
        noise = noise_like(pictures, generator)
        return flow.add_noise(pictures, noise, t), t, noise

    def student_step(
        self, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """The objective on the student's pictures, noised anew; and the discriminator's loss."""
        pictures, extra = self.generate(batch, generator)
        x_t, t, _ = self.add_noise(pictures, generator)
        cond = batch.get("cond")
        scale, critic_scale = self.guidance.draw(generator)
        with torch.set_grad_enabled(self.through_networks):
            real = predict_guided_x0(self._current_teacher(), x_t, t, cond, scale)
            fake = predict_guided_x0(self.critic, x_t, t, cond, critic_scale, **extra)
        losses = {"match": self.objective(pictures, real, fake, t)}
        if self.head is not None:
            logits = self.head(self.critic.features(x_t, t, cond, **extra))
            losses["adversarial"] = self.adversarial[0] * adversarial.generator_loss(logits)
        return losses

    def _current_teacher(self) -> Denoiser:
        if isinstance(self.teacher, TeacherSchedule):
            return self.teacher.teacher_at(self.now)
        return self.teacher

    def critic_step(
        self, batch: dict[str, Tensor], generator: torch.Generator
    ) -> dict[str, Tensor]:
        """The fake score denoises the student's pictures; the head tells them from real ones."""
        with torch.no_grad():
            pictures, extra = self.generate(batch, generator)
        x_t, t, noise = self.add_noise(pictures, generator)
        cond = batch.get("cond")
        known, scale = cond, self.guidance.critic_learns
        if cond is not None and float(torch.rand((), generator=generator)) < self.drop:
            known, scale = None, 1.0
        seen = predict_guided_x0(self.critic, x_t, t, known, scale, **extra)
        v = (x_t - seen) / flow.per_sample(t, x_t)
        losses = {"denoise": denoising(v, pictures, noise)}
        if self.head is not None:
            fake = self.head(self.critic.features(x_t, t, cond, **extra))
            real_t, times, _ = self.add_noise(batch["x0"], generator)
            real = self.head(self.critic.features(real_t, times, cond, **extra))
            losses["discriminate"] = self.adversarial[1] * adversarial.discriminator_loss(
                real, fake
            )
        return losses


def matching_objective(weight: score.Weight) -> Objective:
    """Distribution matching with one of its weights."""

    def objective(x_g: Tensor, real: Tensor, fake: Tensor, t: Tensor) -> Tensor:
        return score.distribution_matching(x_g, real, fake, t, weight)

    return objective
