"""The rows of the toy tables: each says in a line or two what its method is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch

from models.diffusion.few_step import FewStepSampler, Network, Noise
from training.loop import Method
from training.methods.distill.adversarial.ladd import LADD
from training.methods.distill.guidance import embedded, lsg
from training.methods.distill.scores.disback import TeacherSchedule
from training.methods.distill.scores.dmd import DMD, DMD2
from training.methods.distill.scores.msd import Router
from training.methods.distill.scores.score_distillation import ScoreNetworks, StepOptions
from training.methods.distill.scores.sid import SiD, SiDA
from training.methods.distill.scores.vsd import PGSB, SwiftBrush
from training.methods.distill.trajectories.consistency import Consistency
from training.methods.distill.trajectories.rcgm import RCGM, TwinFlow
from training.methods.distill.trajectories.scm import SCM, SanaSprint
from training.toys.experiment import Experiment

Start = Literal["teacher", "ends", "consistent", "new"]
BuildRow = Callable[[Experiment, Network, FewStepSampler], Method]
"""(experiment, the student as it starts, its sampler) -> method."""


@dataclass(frozen=True)
class TableRow:
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
        guidance: the scale a student with guidance embedded is asked for, or None.
    """

    build: BuildRow
    iterations: int = 3000
    apart: bool = True
    steps: tuple[int, ...] = (1, 2, 4)
    lr: float = 5e-4
    several: int = 5000
    several_lr: float = 1e-3
    noise: Noise = "fresh"
    start: Start = "ends"
    conditions: bool = False
    guidance: float | None = None


def _disback(experiment: Experiment, s: Network, sampler: FewStepSampler) -> Method:
    path = experiment.record_degradation(s, sampler, nodes=3)
    teachers = TeacherSchedule(
        (*reversed(path[:-1]), experiment.mixture), experiment.budget.steps(400)
    )
    return DMD(ScoreNetworks(s, teachers, path[-1], sampler), **_each(sampler))


def _two_students(experiment: Experiment, s: Network, sampler: FewStepSampler) -> Method:
    students = Router([s, experiment.copy_base()], torch.arange(2))
    return DMD(experiment.make_score_networks(students, sampler), student_every=1, drop=0.0)


def _two_small_students(experiment: Experiment, s: Network, sampler: FewStepSampler) -> Method:
    width = experiment.width * 3 // 4  # about six tenths of the weights
    students = Router(
        [experiment.make_small_network(width), experiment.make_small_network(width)],
        torch.arange(2),
    )
    return DMD(experiment.make_score_networks(students, sampler), student_every=1, drop=0.0)


def _each(sampler: FewStepSampler, step_conditioned: bool = True) -> StepOptions:
    """Batches shared out to all steps; several steps' pictures are harder for the critic."""
    return {
        "trained_step": "each",
        "student_every": 5 if len(sampler.times) > 1 else 1,
        "step_conditioned": step_conditioned,
    }


_trajectory = partial(TableRow, apart=False, start="teacher", lr=2e-3)

PLANE: dict[str, TableRow] = {
    # Trajectories: one training serves every number of steps
    "CD": _trajectory(lambda e, s, _: e.make_consistency(s), 8000),
    "sCM": _trajectory(lambda e, s, _: SCM(s, e.mixture, sigma_data=0.86), 5000),
    "SANA-Sprint": _trajectory(
        lambda e, s, _: SanaSprint(s, e.mixture, e.make_head(), e.base, sigma_data=0.86), 5000
    ),
    "RCGM": _trajectory(lambda e, s, _: RCGM(s, e.copy_base(), e.mixture), 6000, noise="jump"),
    "TwinFlow": _trajectory(
        lambda e, s, _: TwinFlow(s, e.copy_base(), e.mixture), 6000, noise="jump"
    ),
    # Scores
    "DMD": TableRow(lambda e, s, k: DMD(e.make_score_networks(s, k), **_each(k))),
    "DMD, from new weights": TableRow(
        lambda e, s, k: DMD(e.make_score_networks(s, k), student_every=1), steps=(1,), start="new"
    ),
    "DMD2": TableRow(
        lambda e, s, k: DMD2(e.make_score_networks(s, k), e.make_head(), (0.05, 0.05), **_each(k))
    ),
    "VSD": TableRow(
        lambda e, s, k: SwiftBrush(e.make_score_networks(s, k), **_each(k)), steps=(1, 4)
    ),
    "SwiftBrush, LoRA critic": TableRow(
        lambda e, s, k: SwiftBrush(e.make_score_networks(s, k, e.make_low_rank_critic(16))),
        steps=(1,),
    ),
    "SiD": TableRow(lambda e, s, k: SiD(e.make_score_networks(s, k), **_each(k))),
    "SiDA": TableRow(
        lambda e, s, k: SiDA(e.make_score_networks(s, k), (0.02, 0.1), **_each(k)),
        steps=(1, 4),
    ),
    "DisBack": TableRow(_disback, steps=(1, 4)),
    # Adversaries
    "LADD": TableRow(lambda e, s, k: LADD(s, e.base, e.make_head(), k), several=3000),
    "ADD": TableRow(
        lambda e, s, k: LADD(s, e.base, e.make_head(), k, distill=1.0), steps=(1, 4), several=3000
    ),
    # Finding M1: the critic of several steps' pictures, given which step, or not
    "DMD, shared critic": TableRow(
        lambda e, s, k: DMD(e.make_score_networks(s, k), **_each(k, step_conditioned=False)),
        steps=(4,),
    ),
    "SiD, shared critic": TableRow(
        lambda e, s, k: SiD(e.make_score_networks(s, k), **_each(k, step_conditioned=False)),
        steps=(4,),
    ),
    # Two conditions: one student, two, two small ones
    "one student": TableRow(
        lambda e, s, k: DMD(e.make_score_networks(s, k), student_every=1),
        steps=(1,),
        start="teacher",
        conditions=True,
    ),
    "MSD": TableRow(_two_students, steps=(1,), start="teacher", conditions=True),
    "MSD, small, TSM": TableRow(_two_small_students, steps=(1,), start="new", conditions=True),
}

_FEWER = {  # a training takes four times as long there: some ways, at the ends
    "CD": (1, 2, 4),
    "DMD": (1, 4),
    "DMD, shared critic": (4,),
}
IMAGES: dict[str, TableRow] = {
    name: replace(
        PLANE[name],
        steps=steps,
        start="teacher" if name == "CD" else "consistent",
        iterations=PLANE[name].iterations // 2,
        several=PLANE[name].several // 2,
    )
    for name, steps in _FEWER.items()
}

_guided = partial(TableRow, start="teacher", conditions=True)
GUIDED: dict[str, TableRow] = {
    # Guided students leave the truth on purpose: less spread within a condition, fewer strays
    "LCM": _guided(
        lambda e, s, _: Consistency(s, e.copy_base(), e.mixture, guidance=embedded(1, 4)),
        8000,
        apart=False,
        lr=2e-3,
        guidance=2.0,
    ),
    "PG-SB": _guided(lambda e, s, k: PGSB(e.make_score_networks(s, k), **_each(k)), steps=(1,)),
    "SiD-LSG": _guided(
        lambda e, s, k: SiD(e.make_score_networks(s, k), guidance=lsg(1.5), **_each(k)),
        steps=(1,),
    ),
}

TABLES = {"plane": PLANE, "images": IMAGES, "guided": GUIDED}
