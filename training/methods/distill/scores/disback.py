"""DisBack (arXiv 2408.15991): let the teacher decline to the student first, then climb back.

Stage 1 records how a copy of the teacher, trained on the untrained student's pictures, goes wrong.
Stage 2 is any score method whose target walks that path backwards and ends at the teacher, so that
target and student are never far apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from models.diffusion.few_step import Denoiser, FewStepSampler, Network
from models.seeding import noise_like
from training.loop import Method
from training.losses import flow, score
from training.methods.time_samplers import uniform


class DegradationRecording(Method):
    """Stage 1: a copy of the teacher learns to denoise what the untrained student paints.

    Its checkpoints (`loop.keep` of them, one every `loop.save_every` steps) are the path.

    Args:
        copy: of the teacher; trained.
        student: frozen, as it begins.
        sampler: of the student.
    """

    def __init__(self, copy: Network, student: Network, sampler: FewStepSampler) -> None:
        self.copy, self.student, self.sampler = copy, student, sampler
        self.networks = {"copy": copy, "student": student}
        self.phases = {"copy": ("copy",)}
        self.times = uniform()

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the denoising loss on one batch of the student's pictures."""
        x0, cond = batch["x0"], batch.get("cond")
        first = noise_like(x0, generator)
        pictures = self.sampler.sample(self.student, first, cond, generator)
        t = self.times(len(x0), generator).to(x0)
        noise = noise_like(x0, generator)
        v = self.copy.velocity(flow.add_noise(pictures, noise, t), t, cond)
        return {"denoise": score.denoising(v, pictures, noise)}


@dataclass(frozen=True)
class TeacherSchedule:
    """A teacher that changes: each of `path` for `every` steps, the last for good.

    With a path of one it is that teacher. Give it to a `ScoreDistillation` in the teacher's place.

    Attributes:
        path: from the one nearest to the student to the teacher itself; frozen.
        every: steps of each; 1000 in the paper.
    """

    path: tuple[Denoiser, ...]
    every: int = 1000

    def __post_init__(self) -> None:
        for teacher in self.path:
            if isinstance(teacher, nn.Module):
                teacher.requires_grad_(False)

    def teacher_at(self, now: int) -> Denoiser:
        """Return who teaches at a step, counted from 0."""
        return self.path[min(now // self.every, len(self.path) - 1)]
