"""Gaussians with oracle critics: an objective apart from the errors of a trained fake score.

The student is affine, so its law is a Gaussian whose posterior mean is a formula; what an objective
ends at is then known to many digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from models.diffusion.few_step import Denoiser, FewStepSampler
from models.diffusion.noise_schedules import per_sample
from training.config import LoopConfig, OptimConfig, RunConfig
from training.loop import Method, Trainer
from training.methods.distill import guidance
from training.methods.distill.guidance import Guidance
from training.methods.distill.scores.score_distillation import (
    Objective,
    ScoreDistillation,
    ScoreNetworks,
    matching_objective,
)
from training.methods.distill.scores.sid import identity_objective
from training.toys.mixture import Mixture, MixtureData


class AffineStudent(nn.Module):
    """x_0 = A z + b_c: one matrix, a shift for each condition; starts at A = 1, b = 0.

    Args:
        dim: of x.
        conditions: number of shifts.
    """

    def __init__(self, dim: int, conditions: int = 1) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.eye(dim))
        self.b = nn.Parameter(torch.zeros(conditions, dim))

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return the velocity whose picture at t is A x_t + b; see `Denoiser`."""
        shift = self.b[torch.zeros_like(t).long() if cond is None else cond]
        return (x_t - x_t @ self.A.T - shift) / per_sample(t, x_t)

    @property
    def law(self) -> Mixture:
        """What it samples, without gradient; every condition has the same weight."""
        with torch.no_grad():
            squares, axes = torch.linalg.eigh(self.A @ self.A.T)
            count = len(self.b)
            return Mixture(
                means=self.b.clone(),
                weights=torch.full((count,), 1 / count),
                axes=axes,
                scales=squares.clamp_min(1e-12).sqrt(),
                groups=torch.arange(count),
            )


@dataclass(frozen=True)
class OracleCritic:
    """The fake score without error: asks the student for its present law."""

    student: AffineStudent

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return the exact velocity of the student's samples; see `Denoiser`."""
        return self.student.law.velocity(x_t, t, cond)


@dataclass(frozen=True)
class TwoAnswers:
    """A teacher with one law for the condition and one without it."""

    conditional: Denoiser
    unconditional: Denoiser

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return the velocity of the law that was asked for; see `Denoiser`."""
        return (self.unconditional if cond is None else self.conditional).velocity(x_t, t)


def make_gaussian(mean: tuple[float, ...], scales: tuple[float, ...], turn: float = 0.0) -> Mixture:
    """A Gaussian; in the plane its axes may be turned by an angle."""
    c, s = math.cos(turn), math.sin(turn)
    axes = torch.tensor([[c, -s], [s, c]]) if len(mean) == 2 else torch.eye(len(mean))
    return Mixture(
        torch.tensor([mean]),
        torch.ones(1),
        axes,
        torch.tensor(scales),
        torch.zeros(1, dtype=torch.int64),
    )


def kl_divergence(q: Mixture, p: Mixture) -> float:
    """KL(q || p) of two Gaussians, in nats."""
    c_q, c_p = ((m.axes * m.scales.square()) @ m.axes.T for m in (q, p))
    c_q, c_p = c_q.double(), c_p.double()
    shift = (p.means - q.means)[0].double()
    inverse = torch.linalg.inv(c_p)
    trace, square = (inverse @ c_q).trace(), shift @ inverse @ shift
    logs = torch.logdet(c_p) - torch.logdet(c_q)
    return 0.5 * float(trace + square - q.dim + logs)


TARGET = make_gaussian((1.0, -0.5), (1.0, 0.3), turn=0.6)


def make_method(
    student: AffineStudent,
    teacher: Denoiser,
    objective: Objective,
    through_networks: bool,
    scales: Guidance = guidance.NONE,
) -> Method:
    """Return a one-step method whose critic is the oracle."""
    networks = ScoreNetworks(student, teacher, OracleCritic(student), FewStepSampler.even(1))
    return ScoreDistillation(
        networks, objective, through_networks=through_networks, guidance=scales
    )


def fit(method: Method, law: Mixture, steps: int, folder: Path, conditions: bool = False) -> None:
    """Train at batch 256; the learning rate falls to 0 so that the end is exact.

    Args:
        method: what is learned.
        law: where `x0` comes from, of which only the shape and the conditions are used.
        steps: how many.
        folder: the run's.
        conditions: whether there are any.
    """
    optim = OptimConfig(lr=0.05, betas=(0.5, 0.99), warmup=1, final=0.0, clip=1e9)
    loop = LoopConfig(
        steps=steps,
        batch=256,
        save_every=steps,
        log_every=steps,
        ema=0,
        threads=1,
        bad_steps=steps + 1,
    )
    config = RunConfig("gaussian", folder, optim, loop)
    Trainer(config, method, MixtureData(law, 256, (0,), conditions)).run()


def measure_end(objective: Objective, through_networks: bool, steps: int) -> float:
    """Return the KL divergence to `TARGET` at which an objective ends."""
    student = AffineStudent(2)
    with TemporaryDirectory() as folder:
        method = make_method(student, TARGET, objective, through_networks)
        fit(method, TARGET, steps, Path(folder))
    return kl_divergence(student.law, TARGET)


def measure_guidance(
    objective: Objective, through_networks: bool, scales: Guidance, steps: int
) -> tuple[float, float]:
    """Return the scale a student ends at, and its covariance's relative error.

    With equal covariances the guided law is N(mu_0 + w (mu_c - mu_0), S) exactly.
    """
    conditional, plain = (
        make_gaussian((0.6, 0.2), (0.5, 0.3), 0.6),
        make_gaussian((0.0, 0.0), (0.5, 0.3), 0.6),
    )
    student = AffineStudent(2)
    with TemporaryDirectory() as folder:
        teacher = TwoAnswers(conditional, plain)
        method = make_method(student, teacher, objective, through_networks, scales)
        fit(method, conditional, steps, Path(folder), conditions=True)
    law = student.law
    direction = (conditional.means - plain.means)[0]
    scale = float((law.means - plain.means)[0] @ direction / direction.square().sum())
    truth = (conditional.axes * conditional.scales.square()) @ conditional.axes.T
    found = (law.axes * law.scales.square()) @ law.axes.T
    return scale, float((found - truth).norm() / truth.norm())


def measure_two_classes(scales: Guidance, steps: int) -> tuple[float, float]:
    """Return the mean and the standard deviation of class 1 of N(+-1, 0.5^2), one dimension."""
    law = Mixture(
        torch.tensor([[-1.0], [1.0]]),
        torch.tensor([0.5, 0.5]),
        torch.eye(1),
        torch.tensor([0.5]),
        torch.arange(2),
    )
    student = AffineStudent(1, conditions=2)
    with TemporaryDirectory() as folder:
        method = make_method(student, law, matching_objective("vsd"), False, scales)
        fit(method, law, steps, Path(folder), conditions=True)
    found = student.law
    return float(found.means[1, 0]), float(found.scales[0])


def compute_tables(steps: int = 1500) -> dict[str, dict[str, object]]:
    """Return all oracle tables: where objectives end, and what guidance does."""
    objectives: dict[str, tuple[Objective, bool]] = {
        "DMD": (matching_objective("residual"), False),
        "VSD": (matching_objective("vsd"), False),
        "unweighted": (matching_objective("none"), False),
    } | {
        f"SiD, alpha {alpha}": (identity_objective(alpha, "residual"), True)
        for alpha in (0.0, 0.5, 1.0, 1.2, 1.5, 2.0)
    }
    guided: dict[str, tuple[Objective, bool, Guidance]] = {
        "DMD, w 3": (matching_objective("residual"), False, guidance.fixed(3)),
        "VSD, w 3": (matching_objective("vsd"), False, guidance.fixed(3)),
        "SiD, w 3": (identity_objective(1.0, "residual"), True, guidance.fixed(3)),
        "VSD, teacher U(0.5, 4)": (matching_objective("vsd"), False, Guidance((0.5, 4))),
        "DMD, teacher U(0.5, 4)": (matching_objective("residual"), False, Guidance((0.5, 4))),
        "PG-SB, both U(0.5, 4)": (matching_objective("vsd"), False, guidance.random(0.5, 4)),
    }
    classes: dict[str, Guidance] = {
        "none": guidance.NONE,
        "CFG 2": guidance.fixed(2),
        "CFG 4.5": guidance.fixed(4.5),
        "Zero-CFG": guidance.ZERO_CFG,
        "Anti-CFG": guidance.anti_cfg(),
        "LSG 4.5, critic trained unguided": guidance.fixed_on_both(4.5),
    }
    one: Callable[[float], float] = lambda x: float(f"{x:.3g}")  # noqa: E731
    return {
        "kl": {name: one(measure_end(*x, steps)) for name, x in objectives.items()},
        "effective_guidance": {
            name: [one(x) for x in measure_guidance(*y, steps)] for name, y in guided.items()
        },
        "two_classes": {
            name: [one(x) for x in measure_two_classes(y, steps)] for name, y in classes.items()
        },
    }
