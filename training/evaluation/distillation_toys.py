"""Judge every way of distillation on toys whose answers are exact, and write the tables.

python -m training.evaluation.distillation_toys -o tests/benchmarks/results/distillation_toys.json
python -m training.evaluation.distillation_toys -o tiny.json --share 0.002 --only DMD SiD  # seconds

Three seeds train at once as replicas of one network. Runs are kept in `--runs`; the same command
goes on where it was stopped. Beside the JSON a table is written as Markdown.
"""

from __future__ import annotations

import copy
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro
from torch import Tensor

from models import devices, seeding
from models.diffusion.few_step import (
    Denoiser,
    FewStepSampler,
    HybridDenoiser,
    Network,
    euler_sample,
)
from training.toys import gaussian
from training.toys.experiment import Budget, Experiment
from training.toys.metrics import measure_samples
from training.toys.report import write_report
from training.toys.table_rows import TABLES, Start
from training.toys.trainings import ToyTraining, list_trainings, make_experiment

Row = Mapping[str, object]
"""A row of a table, as it is in the JSON."""
Draw = Callable[[Tensor, Tensor | None, torch.Generator], Tensor]
"""(noise (replicas * N, D), conditions or None, generator) -> samples of that shape."""


def judge(experiment: Experiment, draw: Draw) -> dict[str, list[float]]:
    """Return each figure of each replica.

    Args:
        experiment: the world.
        draw: makes the samples.
    """
    count, replicas = experiment.budget.samples, len(experiment.seeds)
    generator = seeding.generator_for(0, "judge")
    noise = torch.randn((replicas * count, experiment.mixture.dim), generator=generator)
    exact = [experiment.mixture.sample(count, generator) for _ in experiment.seeds]
    cond = None
    if experiment.conditions:
        cond = torch.cat([experiment.mixture.groups[modes] for _, modes in exact])
    samples: Tensor = draw(noise, cond, generator).reshape(replicas, count, -1)
    rows = [
        measure_samples(
            samples[i],
            experiment.mixture,
            experiment.mixture.sample(count, generator)[0],
            generator,
        )
        for i in range(replicas)
    ]
    return {key: [round(row[key], 4) for row in rows] for key in rows[0]}


def train_row(training: ToyTraining, runs: Path, budget: Budget) -> tuple[Experiment, Network]:
    """Train one row, or find it trained; return its world and its student."""
    table_row = TABLES[training.world][training.name]
    experiment = make_experiment(training.world, runs, budget, table_row.conditions)
    sampler, several = FewStepSampler.even(training.steps or 4, table_row.noise), training.steps > 1
    method = table_row.build(
        experiment, _starting_network(experiment, table_row.start, several), sampler
    )
    if several:
        experiment.train(
            training.slug, method, table_row.several, table_row.several_lr, batch=2 * budget.batch
        )
    else:
        experiment.train(training.slug, method, table_row.iterations, table_row.lr)
    return experiment, method.networks["student"].eval()


def _starting_network(experiment: Experiment, start: Start, several: bool) -> Network:
    if start == "new":
        return experiment.make_network()
    if start == "consistent" or (start == "ends" and several):
        return copy.deepcopy(experiment.consistent)
    return copy.deepcopy(experiment.pairs if start == "ends" else experiment.base)


def train_and_judge(training: ToyTraining, runs: Path, budget: Budget) -> list[Row]:
    """Train one row and judge it; return its rows, which are kept beside its run."""
    devices.use_threads(1)
    table_row = TABLES[training.world][training.name]
    kept = (
        make_experiment(training.world, runs, budget, table_row.conditions).folder
        / f"{training.slug}.json"
    )
    if kept.exists():
        return json.loads(kept.read_text(encoding="utf-8"))
    began = time.process_time()
    experiment, student = train_row(training, runs, budget)
    seconds = time.process_time() - began
    rows = []
    for steps in (training.steps,) if table_row.apart else table_row.steps:
        few = FewStepSampler.even(steps, table_row.noise)

        def draw(
            noise: Tensor,
            cond: Tensor | None,
            generator: torch.Generator,
            few: FewStepSampler = few,
        ) -> Tensor:
            extra = {}
            if table_row.guidance is not None:
                extra["w"] = torch.full((len(noise),), table_row.guidance)
            return few.sample(student, noise, cond, generator, **extra)

        row = {"world": training.world, "name": training.name, "steps": steps}
        rows.append(row | {"seconds": round(seconds, 1)} | judge(experiment, draw))
    if training.steps == 4:
        few = FewStepSampler.even(4, table_row.noise)
        rows += [_judge_prefix(training, experiment, student, few, k) for k in (1, 2, 3)]
    kept.write_text(json.dumps(rows), encoding="utf-8")
    return rows


def _judge_prefix(
    training: ToyTraining,
    experiment: Experiment,
    student: Network,
    sampler: FewStepSampler,
    steps: int,
) -> Row:
    """Judge the pictures a longer sampler shows after its first steps."""

    def draw(noise: Tensor, cond: Tensor | None, generator: torch.Generator) -> Tensor:
        x_t = sampler.simulate(student, noise, steps - 1, cond, generator)
        return sampler.guess(student, x_t, steps - 1, cond).detach()

    row = {"world": training.world, "name": f"{training.name}, step {steps} of 4", "steps": steps}
    return row | {"prefix": True} | judge(experiment, draw)


def judge_references(experiment: Experiment, world: str) -> list[Row]:
    """Return the rows that are not distilled: noise floor, exact and learned teacher."""

    def euler(denoiser: Denoiser, steps: int) -> Draw:
        return lambda noise, cond, generator: euler_sample(denoiser, noise, steps, cond)

    def row(name: str, steps: int, draw: Draw) -> Row:
        return {"world": world, "name": name, "steps": steps, "reference": True} | judge(
            experiment, draw
        )

    def exact(noise: Tensor, cond: Tensor | None, generator: torch.Generator) -> Tensor:
        return experiment.mixture.sample(len(noise), generator)[0]

    learned = experiment.base
    rows: list[Row] = []
    if world == "plane":
        few, regressed = FewStepSampler.even(1), experiment.pairs
        rows.append(row("ODE pairs", 1, lambda z, c, g: few.sample(regressed, z, c, g)))
    with torch.no_grad():
        rows += [row("exact samples (noise floor)", 0, exact)]
        rows += [
            row("exact velocity, Euler", steps, euler(experiment.mixture, steps))
            for steps in (2, 4, 8, 50)
        ]
        rows += [row("learned velocity, Euler", steps, euler(learned, steps)) for steps in (1, 50)]
    return rows


def judge_diversity(runs: Path, budget: Budget) -> list[Row]:
    """Diversity distillation: the first of LADD's four steps taken by the learned teacher."""
    experiment, student = train_row(ToyTraining("plane", "LADD", 4), runs, budget)
    base = experiment.base
    few = FewStepSampler.even(4)
    return [
        {"upto": upto}
        | judge(
            experiment,
            lambda z, c, g, k=upto: few.sample(HybridDenoiser(base, student, k), z, c, g),
        )
        for upto in range(5)
    ]


def main(
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])],
    runs: Path = Path("runs/toys"),
    share: float = 1.0,
    only: tuple[str, ...] = (),
    worlds: tuple[str, ...] = ("plane", "images"),
    processes: int = 2,
) -> None:
    """Write the tables.

    Args:
        output: the JSON; a `.md` is written beside it.
        runs: where trainings are kept.
        share: of each row's steps.
        only: names of rows; all if empty.
        worlds: "plane", "images", "guided".
        processes: trainings at a time, a thread each.
    """
    devices.use_threads(1)
    budget = Budget(share, samples=20_000 if share >= 0.2 else 2_000)
    began = time.perf_counter()
    found: dict[str, Any] = {
        "command": "python -m training.evaluation.distillation_toys "
        f"-o {output} --processes {processes}",
        "torch": torch.__version__,
        "machine": {
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "load_before": round(os.getloadavg()[0], 1),
        },
        "processes": processes,
        "threads_each": 1,
        "share": share,
        "seeds": [0, 1, 2],
        "rows": [],
    }
    waiting: dict[Future[list[Row]], ToyTraining] = {}
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        for world in worlds:
            experiment = make_experiment(world, runs, budget, conditions=world == "guided")
            if world != "guided":
                _ = experiment.consistent  # before two processes ask for it
            found["rows"] += judge_references(experiment, world)
            table_rows = {k: v for k, v in TABLES[world].items() if not only or k in only}
            if any(table_row.conditions for table_row in table_rows.values()):
                _ = make_experiment(world, runs, budget, conditions=True).base
            for training in list_trainings(world, table_rows):
                waiting[pool.submit(train_and_judge, training, runs, budget)] = training
        oracle = pool.submit(gaussian.compute_tables, budget.steps(800))
        for future in as_completed(waiting):
            found["rows"] += future.result()
            found["seconds"] = round(time.perf_counter() - began)
            found["missing"] = [
                training.slug for done, training in waiting.items() if not done.done()
            ]
            write_report(found, output)
        found["gaussians"] = oracle.result()
        write_report(found, output)
    if "plane" in worlds and (not only or "LADD" in only):
        found["diversity"] = judge_diversity(runs, budget)
        write_report(found, output)


if __name__ == "__main__":
    tyro.cli(main)
