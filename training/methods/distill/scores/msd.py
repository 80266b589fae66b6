"""Multi-student distillation (arXiv 2410.23274): each student has its share of the conditions.

K students together cost at inference what one does; the router picks by the condition. Students
smaller than the teacher cannot start as its copy, so they first learn its pictures (TSM):

    L = E[ lambda_t | mu_small(x_t, t) - mu_teacher(x_t, t) |^2 ]      on real pictures

with lambda_t = 1 / t^2, which makes it the distance of velocities.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from models.diffusion.few_step import Denoiser, Network
from models.errors import ShapeError
from models.seeding import noise_like
from training.loop import Method, select_networks
from training.losses import flow
from training.methods.time_samplers import TimeSampler, uniform


class Router(nn.Module):
    """Several students that look like one; any method trains them, each on its own conditions.

    Args:
        students: denoisers.
        of_condition: (C,) int64, the student of each condition, which are numbers below C. (Text is
            clustered first; the number is then the cluster's.)
    """

    of_condition: Tensor

    def __init__(self, students: Sequence[Network], of_condition: Tensor) -> None:
        super().__init__()
        self.students = nn.ModuleList(students)
        self.register_buffer("of_condition", of_condition)

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return the velocity, each sample by its own student.

        Raises:
            ShapeError: there is no condition to route by.
        """
        if cond is None:
            raise ShapeError("a router needs conditions to choose a student by", needed="cond")
        chosen = self.of_condition[cond]
        v = torch.zeros_like(x_t)
        for number, student in enumerate(self.students):
            seen = cast(Denoiser, student).velocity(x_t, t, cond, **extra)
            v = torch.where(flow.per_sample(chosen == number, x_t), seen, v)
        return v


class TeacherScoreMatching(Method):
    """TSM: a student of any size learns the teacher's pictures at all times.

    Args:
        student: trained.
        teacher: frozen.
        times: drawn uniformly if None.
    """

    def __init__(
        self, student: Network, teacher: Denoiser, times: TimeSampler | None = None
    ) -> None:
        self.student, self.teacher, self.times = student, teacher, times or uniform()
        self.networks = select_networks(student=student, teacher=teacher)
        self.phases = {"student": ("student",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the mean square distance of two velocities."""
        x0, cond = batch["x0"], batch.get("cond")
        t = self.times(len(x0), generator).to(x0)
        noise = noise_like(x0, generator)
        x_t = flow.add_noise(x0, noise, t)
        with torch.no_grad():
            goal = self.teacher.velocity(x_t, t, cond)
        seen = self.student.velocity(x_t, t, cond)
        return {"tsm": (seen - goal).square().mean()}
