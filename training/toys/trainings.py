"""Which trainings the rows of a table are made of, and the worlds they are trained in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.toys.experiment import Budget, Experiment
from training.toys.mixture import images, ring
from training.toys.table_rows import TableRow

WORLDS = {"plane": ring, "images": images, "guided": ring}


@dataclass(frozen=True)
class ToyTraining:
    """One training and the rows it gives.

    Attributes:
        world: "plane", "images" or "guided".
        name: of the row.
        steps: the student's steps in training; 0 if one training serves all.
    """

    world: str
    name: str
    steps: int

    @property
    def slug(self) -> str:
        """Name of its folder."""
        words = self.name.lower().replace(",", "").replace(".", "-").split()
        return "-".join([*words, str(self.steps)] if self.steps else words)


def make_experiment(world: str, runs: Path, budget: Budget, conditions: bool = False) -> Experiment:
    """Return what trains the rows of a world's table."""
    folder = runs / f"{world}{'-conditions' if conditions else ''}-{budget.share:g}"
    width = 256 if world == "images" else 64
    return Experiment(WORLDS[world](), folder, width=width, conditions=conditions, budget=budget)


def list_trainings(world: str, table_rows: dict[str, TableRow]) -> list[ToyTraining]:
    """Return the trainings of a world, those of four steps before those of two."""
    trainings = [
        ToyTraining(world, name, steps)
        for name, table_row in table_rows.items()
        for steps in (table_row.steps if table_row.apart else (0,))
    ]
    return sorted(trainings, key=lambda training: (0, 1, 4, 2).index(training.steps))
