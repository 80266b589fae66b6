"""Consistency distillation, discrete (arXiv 2303.01469, LCM 2310.04378), and from ODE pairs.

    L = d( f(x_t, t), f^-(x_s, s) ),    x_s one step of the teacher's flow after x_t

f(x_t, t) = x_t - t v(x_t, t) is x_0 at t = 0 by itself; f^- is the running average; d is the
pseudo-Huber distance.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from models.diffusion.few_step import Denoiser, Network, predict_x0
from models.seeding import noise_like
from training.loop import Method, select_networks
from training.losses import flow, trajectory
from training.methods.distill.guidance import NONE, Guidance, predict_guided_x0


class Consistency(Method):
    """CD; with `guidance.embedded(5, 15)` LCM, whose student is given the scale.

    Args:
        student: a copy of the teacher.
        target: another; becomes the student's running average.
        teacher: frozen.
        grid: steps of the teacher from noise to picture; 50 in LCM.
        guidance: of the teacher.
        average: share of the old target kept at each step.
        huber: c of the distance.
    """

    def __init__(
        self,
        student: Network,
        target: Network,
        teacher: Denoiser,
        grid: int = 50,
        guidance: Guidance = NONE,
        average: float = 0.95,
        huber: float = 1e-3,
    ) -> None:
        self.student, self.target, self.teacher = student, target, teacher
        self.grid, self.guidance, self.huber = grid, guidance, huber
        self.networks = select_networks(student=student, target=target, teacher=teacher)
        self.phases = {"student": ("student",)}
        self.follows = {"target": ("student", average)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the distance of two pictures from neighbouring points of one path."""
        x0, cond = batch["x0"], batch.get("cond")
        number = torch.randint(1, self.grid + 1, (len(x0),), generator=generator).to(x0.device)
        t, s = number / self.grid, (number - 1) / self.grid
        noise = noise_like(x0, generator)
        x_t = flow.add_noise(x0, noise, t)
        scale, _ = self.guidance.draw(generator)
        extra = self.guidance.condition_student(scale, t)
        with torch.no_grad():
            x_s = self._solve_teacher_ode(x_t, t, s, cond, scale)
            goal = predict_x0(self.target, x_s, s, cond, **extra)
        guess = predict_x0(self.student, x_t, t, cond, **extra)
        return {"consistency": trajectory.pseudo_huber(guess - goal, self.huber)}

    def _solve_teacher_ode(
        self, x_t: Tensor, t: Tensor, s: Tensor, cond: Tensor | None, w: float
    ) -> Tensor:
        """One step of Heun's rule along the teacher's flow from t to s, (B, ...)."""

        def velocity(x: Tensor, time: Tensor) -> Tensor:
            time = time.clamp_min(1e-3)
            return (x - predict_guided_x0(self.teacher, x, time, cond, w)) / flow.per_sample(
                time, x
            )

        span = flow.per_sample(t - s, x_t)
        v = velocity(x_t, t)
        return x_t - span * 0.5 * (v + velocity(x_t - span * v, s))


class PairRegression(Method):
    """DMD's warm-up for one step: learn where the teacher's flow takes a noise.

    Args:
        student: trained; one step.
    """

    def __init__(self, student: Network) -> None:
        self.student = student
        self.networks = {"student": student}
        self.phases = {"student": ("student",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the mean square distance of guess and `end`, where the flow takes `noise`."""
        noise = batch["noise"]
        t = torch.ones(len(noise), device=noise.device)
        guess = predict_x0(self.student, noise, t, batch.get("cond"))
        return {"pairs": F.mse_loss(guess, batch["end"])}
