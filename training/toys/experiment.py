"""What every toy row starts from: the exact teacher, and a network that has learned it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from models import seeding
from models.diffusion.few_step import FewStepSampler, Network
from models.diffusion.weight_delta import DeltaDenoiser, WeightDelta
from models.lazy import locked_cached_property
from training.config import LoopConfig, OptimConfig, RunConfig
from training.loop import Data, Method, Trainer
from training.methods.distill.scores.disback import DegradationRecording
from training.methods.distill.scores.msd import TeacherScoreMatching
from training.methods.distill.scores.score_distillation import ScoreNetworks
from training.methods.distill.trajectories.consistency import Consistency, PairRegression
from training.methods.time_samplers import uniform
from training.toys.mixture import Mixture, MixtureData, PairData
from training.toys.networks import ReplicaHead, ReplicaMLP


@dataclass(frozen=True)
class Budget:
    """How much a row may cost.

    Attributes:
        share: of each row's steps.
        batch: samples of each replica a step.
        samples: drawn from each replica to be judged.
    """

    share: float = 1.0
    batch: int = 128
    samples: int = 20_000

    def steps(self, full: int) -> int:
        """Return a row's steps within the budget, two at least."""
        return max(2, round(full * self.share))


@dataclass(frozen=True)
class Experiment:
    """One toy world, and the folder its runs are kept in.

    Attributes:
        mixture: the target, and the exact teacher.
        folder: of the runs.
        seeds: one a replica; all replicas train at once.
        width: of the networks.
        conditions: whether samples come with their group as condition.
        extra: names of the networks' extra conditions.
        budget: of everything.
    """

    mixture: Mixture
    folder: Path
    seeds: tuple[int, ...] = (0, 1, 2)
    width: int = 64
    conditions: bool = False
    extra: tuple[str, ...] = ("r", "step")
    budget: Budget = field(default_factory=Budget)

    def train(
        self,
        name: str,
        method: Method,
        steps: int,
        lr: float = 1e-3,
        data: Data | None = None,
        batch: int | None = None,
        ema: float = 0.998,
    ) -> Method:
        """Train, or go on, or find it done; leaves the averaged weights in the method's networks.

        Args:
            name: of the run's folder.
            method: what is learned.
            steps: at full budget.
            lr: Adam's; it falls to nearly nothing along a cosine.
            data: exact samples if None.
            batch: samples of each replica; the budget's if None.
            ema: decay of the averaged weights; 0 for none.
        """
        steps, batch = self.budget.steps(steps), batch or self.budget.batch
        loop = LoopConfig(
            steps=steps,
            batch=batch * len(self.seeds),
            seed=self.seeds[0],
            save_every=steps,
            keep=1,
            log_every=max(1, steps // 20),
            ema=ema,
            threads=1,
        )
        config = RunConfig(
            name=name,
            output=self.folder,
            # Half of Adam's usual memory: the critic's target moves.
            optim=OptimConfig(lr=lr, betas=(0.5, 0.999), warmup=50, final=0.01, clip=100.0),
            loop=loop,
        )
        if data is None:
            data = MixtureData(self.mixture, batch, self.seeds, self.conditions)
        trainer = Trainer(config, method, data)
        trainer.run()
        for name, average in trainer.averages.items():
            average.copy_to(method.networks[name])
        return method

    def make_network(self, width: int | None = None) -> ReplicaMLP:
        """Return a network with new weights."""
        return ReplicaMLP(
            dim=self.mixture.dim,
            width=width or self.width,
            seeds=self.seeds,
            extra=self.extra,
            conditions=int(self.mixture.groups.max()) + 1 if self.conditions else 0,
        )

    def _match_velocities(self, name: str, network: ReplicaMLP) -> ReplicaMLP:
        """Train a network on the teacher's velocities at all times."""
        method = TeacherScoreMatching(network, self.mixture, uniform(0.0, 1.0))
        self.train(name, method, 6000, lr=2e-3)
        return network.eval()

    @locked_cached_property
    def base(self) -> ReplicaMLP:
        """The learned teacher, which students and critics begin as copies of."""
        return self._match_velocities("base", self.make_network())

    def make_small_network(self, width: int) -> ReplicaMLP:
        """Return a smaller network that has been through TSM."""
        return self._match_velocities(f"base-{width}", self.make_network(width))

    def copy_base(self) -> ReplicaMLP:
        """Return a copy of the base."""
        return copy.deepcopy(self.base)

    @locked_cached_property
    def pairs(self) -> ReplicaMLP:
        """The base after regression onto the ends of the teacher's flow: one step."""
        student = self.copy_base()
        data = PairData(self.mixture, self.budget.batch, self.seeds)
        self.train("pairs", PairRegression(student), 6000, lr=2e-3, data=data)
        return student.eval()

    def make_consistency(self, student: Network) -> Consistency:
        """Return consistency distillation of the exact teacher."""
        return Consistency(student, self.copy_base(), self.mixture)

    @locked_cached_property
    def consistent(self) -> ReplicaMLP:
        """The base as a consistency student: what it shows at any time is where the flow ends."""
        method = self.train("consistent", self.make_consistency(self.copy_base()), 4000, lr=2e-3)
        student: Any = method.networks["student"]
        return student.eval()

    def make_score_networks(
        self, student: Network, sampler: FewStepSampler, critic: Network | None = None
    ) -> ScoreNetworks:
        """Return a student, the exact teacher and a critic, a copy of the base if None."""
        return ScoreNetworks(student, self.mixture, critic or self.copy_base(), sampler)

    def make_head(self) -> nn.Module:
        """Return a discriminator's head on the networks' features."""
        return ReplicaHead(self.width, seeds=self.seeds)

    def make_low_rank_critic(self, rank: int) -> DeltaDenoiser:
        """Return a critic that is a low-rank change of the base."""
        generator = seeding.generator_for(self.seeds[0], "low rank")
        return DeltaDenoiser(self.base, WeightDelta(self.base, rank, generator))

    def record_degradation(
        self, student: ReplicaMLP, sampler: FewStepSampler, nodes: int
    ) -> list[ReplicaMLP]:
        """Return DisBack's path: `nodes` copies of the base on their way to the student."""
        name, each = f"decline-{len(sampler.times)}", 80
        path = []
        for node in range(1, nodes + 1):
            copied = path[-1] if path else self.base
            method = DegradationRecording(copy.deepcopy(copied), student, sampler)
            self.train(f"{name}-{node}", method, each, lr=1e-3, ema=0.0)
            path.append(method.copy)
        return path
