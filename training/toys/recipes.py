"""The rows of the toy tables: each recipe says in a line or two what its method is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import torch

from models.diffusion.few_step import FewStepSampler, Network, Noise
from training.loop import Method
from training.methods.distill.adversarial.ladd import LADD
from training.methods.distill.scores.disback import TeacherSchedule
from training.methods.distill.scores.dmd import DMD, DMD2
from training.methods.distill.scores.msd import Router
from training.methods.distill.scores.score import ScoreNetworks
from training.methods.distill.scores.sid import SiD, SiDA
from training.methods.distill.scores.vsd import SwiftBrush
from training.methods.distill.trajectories.rcgm import RCGM, TwinFlow
from training.methods.distill.trajectories.scm import SCM, SanaSprint
from training.toys.experiment import Workshop

Start = Literal["teacher", "ends", "consistent", "new"]
Build = Callable[[Workshop, Network, FewStepSampler], Method]
"""(workshop, the student as it starts, its sampler) -> method."""


@dataclass(frozen=True)
class Recipe:
    """A row, or a row for each number of steps.

    Attributes:
        build: makes the method.
        iterations: of training.
        apart: whether each number of steps has its own training; else one serves all.
        steps: numbers of steps that are judged.
        lr: learning rate of one step and of trajectories.
        several: iterations of students of several steps, at twice the batch.
        several_lr: of these.
        noise: how the sampler goes on.
        start: "teacher" starts as a copy of the learned teacher; "ends" where its flow ends, from
            regression onto ODE pairs for one step and as a consistency student for several;
            "consistent" as that for any number; "new" from new weights.
        conditions: whether it needs the world with conditions.
    """

    build: Build
    iterations: int = 3000
    apart: bool = True
    steps: tuple[int, ...] = (1, 2, 4)
    lr: float = 5e-4
    several: int = 5000
    several_lr: float = 1e-3
    noise: Noise = "fresh"
    start: Start = "ends"
    conditions: bool = False


def _disback(w: Workshop, s: Network, sampler: FewStepSampler) -> Method:
    path = w.decline(s, sampler, nodes=3)
    teachers = TeacherSchedule((*reversed(path[:-1]), w.mixture), w.budget.steps(400))
    return DMD(ScoreNetworks(s, teachers, path[-1], sampler), **_each(sampler))


def _two_students(w: Workshop, s: Network, sampler: FewStepSampler) -> Method:
    students = Router([s, w.copy()], torch.arange(2))
    return DMD(w.make_score_networks(students, sampler), student_every=1, drop=0.0)


def _two_small_students(w: Workshop, s: Network, sampler: FewStepSampler) -> Method:
    width = w.width * 3 // 4  # about six tenths of the weights
    students = Router([w.small(width), w.small(width)], torch.arange(2))
    return DMD(w.make_score_networks(students, sampler), student_every=1, drop=0.0)


def _each(sampler: FewStepSampler) -> dict[str, Any]:
    """Batches shared out to all steps; several steps' pictures are harder for the critic."""
    return {"trained_step": "each", "student_every": 5 if len(sampler.times) > 1 else 1}


_trajectory = partial(Recipe, apart=False, start="teacher", lr=2e-3)

PLANE: dict[str, Recipe] = {
    # Trajectories: one training serves every number of steps
    "CD": _trajectory(lambda w, s, _: w.consistency(s), 8000),
    "sCM": _trajectory(lambda w, s, _: SCM(s, w.mixture, sigma_data=0.86), 5000),
    "SANA-Sprint": _trajectory(
        lambda w, s, _: SanaSprint(s, w.mixture, w.head(), w.base, sigma_data=0.86), 5000
    ),
    "RCGM": _trajectory(lambda w, s, _: RCGM(s, w.copy(), w.mixture), 6000, noise="jump"),
    "TwinFlow": _trajectory(lambda w, s, _: TwinFlow(s, w.copy(), w.mixture), 6000, noise="jump"),
    # Scores
    "DMD": Recipe(lambda w, s, k: DMD(w.make_score_networks(s, k), **_each(k))),
    "DMD, from new weights": Recipe(
        lambda w, s, k: DMD(w.make_score_networks(s, k), student_every=1), steps=(1,), start="new"
    ),
    "DMD2": Recipe(
        lambda w, s, k: DMD2(w.make_score_networks(s, k), w.head(), (0.05, 0.05), **_each(k))
    ),
    "VSD": Recipe(
        lambda w, s, k: SwiftBrush(w.make_score_networks(s, k), **_each(k)), steps=(1, 4)
    ),
    "SwiftBrush, LoRA critic": Recipe(
        lambda w, s, k: SwiftBrush(w.make_score_networks(s, k, w.low_rank(16))), steps=(1,)
    ),
    "SiD": Recipe(lambda w, s, k: SiD(w.make_score_networks(s, k), **_each(k))),
    "SiDA": Recipe(
        lambda w, s, k: SiDA(w.make_score_networks(s, k), (0.02, 0.1), **_each(k)),
        steps=(1, 4),
    ),
    "DisBack": Recipe(_disback, steps=(1, 4)),
    # Adversaries
    "LADD": Recipe(lambda w, s, k: LADD(s, w.base, w.head(), k), several=3000),
    "ADD": Recipe(
        lambda w, s, k: LADD(s, w.base, w.head(), k, distill=1.0), steps=(1, 4), several=3000
    ),
    # Finding M1: the critic of several steps' pictures, told which step, or not
    "DMD, shared critic": Recipe(
        lambda w, s, k: DMD(w.make_score_networks(s, k), step_conditioned=False, **_each(k)),
        steps=(4,),
    ),
    "SiD, shared critic": Recipe(
        lambda w, s, k: SiD(w.make_score_networks(s, k), step_conditioned=False, **_each(k)),
        steps=(4,),
    ),
    # Two conditions: one student, two, two small ones
    "one student": Recipe(
        lambda w, s, k: DMD(w.make_score_networks(s, k), student_every=1),
        steps=(1,),
        start="teacher",
        conditions=True,
    ),
    "MSD": Recipe(_two_students, steps=(1,), start="teacher", conditions=True),
    "MSD, small, TSM": Recipe(_two_small_students, steps=(1,), start="new", conditions=True),
}

_FEWER = {  # a training takes four times as long there: some ways, at the ends
    "CD": (1, 2, 4),
    "DMD": (1, 4),
    "DMD, shared critic": (4,),
}
IMAGES: dict[str, Recipe] = {
    name: replace(
        PLANE[name],
        steps=steps,
        start="teacher" if name == "CD" else "consistent",
        iterations=PLANE[name].iterations // 2,
        several=PLANE[name].several // 2,
    )
    for name, steps in _FEWER.items()
}

TABLES = {"plane": PLANE, "images": IMAGES}
