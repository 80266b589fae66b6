"""The one training loop: takes a method and its data, and leaves a run that can be resumed.

A method owns its networks and says what is learned; the loop owns optimisers, averages, gradients,
the log and the checkpoints. Each step's batch and each step's random draws are made from the seed
and the number of the step alone, so a run that was killed goes on to bit-equal losses.
"""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor, nn

from models import devices, seeding
from models.errors import TrainingError
from training import checkpoints
from training.config import OptimConfig, RunConfig, write_or_check
from training.ema import AveragedWeights, update_average


class Data(Protocol):
    """Numbered samples; a batch is a pure function of their numbers and a generator."""

    def __len__(self) -> int:
        """Number of samples."""
        ...

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return the samples `indices`, (B,) int64, augmented with draws from `generator`."""
        ...


class Method:
    """What is learned. Subclasses set `networks` and write `step`.

    Attributes:
        networks: name -> network; all are saved. The names become folders under `weights/`.
        phases: phase -> names of the networks its optimiser trains, taken in this order at every
            step. Networks in no phase stay frozen and in eval mode. Most methods have one phase;
            a GAN has two.
        lr_scale: network name -> factor on the learning rate; 1 if absent.
        every: phase -> it is taken at one step of so many; 1 if absent.
        follows: name of a network in no phase -> the trained network whose running average it is,
            and the share of the old average kept. The targets of consistency training are such.
        notes: file name -> text saved beside the weights, such as a sampler's times.
        now: the step being taken, counted from 0; the loop sets it.
        shared: draws that all processes and all pieces of a batch have in common, such as how many
            steps are unrolled; None where one process takes the batch whole.
    """

    networks: Mapping[str, nn.Module]
    phases: Mapping[str, tuple[str, ...]]
    lr_scale: Mapping[str, float] = {}
    every: Mapping[str, int] = {}
    follows: Mapping[str, tuple[str, float]] = {}
    notes: Mapping[str, str] = {}
    now: int = 0
    shared: torch.Generator | None = None

    def is_due(self, phase: str) -> bool:
        """Whether the present step takes this phase."""
        return self.now % self.every.get(phase, 1) == 0

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the weighted loss terms of one phase, scalars; their sum is minimised.

        Terms without gradient are only logged.
        """
        raise NotImplementedError


def select_networks(**parts: object) -> dict[str, nn.Module]:
    """Return those of a method's parts that are networks; formulas and None are left out."""
    return {name: part for name, part in parts.items() if isinstance(part, nn.Module)}


def sample_indices(batch: Mapping[str, Tensor]) -> Tensor:
    """Return each sample's number in its whole batch, (B,) int64.

    Args:
        batch: or a piece of one; data that may be cut up say `index` themselves.
    """
    found = batch.get("index")
    return torch.arange(len(batch["x0"])) if found is None else found


def draw_batch_indices(length: int, batch: int, seed: int, step: int) -> Tensor:
    """Return the samples of one step: epochs of shuffled samples laid end to end.

    Args:
        length: number of samples.
        batch: samples per step.
        seed: the run's seed.
        step: counted from 0.

    Returns:
        (batch,) int64.
    """
    wanted = range(step * batch, (step + 1) * batch)
    orders = {
        epoch: torch.randperm(length, generator=seeding.generator_for(seed, "epoch", epoch))
        for epoch in {position // length for position in wanted}
    }
    return torch.stack([orders[position // length][position % length] for position in wanted])


def learning_rate(config: OptimConfig, step: int, steps: int) -> float:
    """Return the learning rate of one step, counted from 0."""
    warm = min(1.0, (step + 1) / max(1, config.warmup))
    if config.schedule == "constant":
        return config.lr * warm
    falling = 0.5 * (1.0 + math.cos(math.pi * min(1.0, step / max(1, steps))))
    return config.lr * warm * (config.final + (1.0 - config.final) * falling)


def sum_losses(losses: Mapping[str, Tensor]) -> Tensor:
    """Sum of the terms that have a gradient."""
    return torch.stack([term for term in losses.values() if term.requires_grad]).sum()


class Trainer:
    """Runs a method over data; the same call after a stop goes on where it was.

    Args:
        config: the run. `config.folder` gets `config.json`, `log.jsonl` and `checkpoints/`.
        method: the networks and the losses.
        data: the samples.
        device: where the networks are; batches are moved there.
    """

    def __init__(
        self, config: RunConfig, method: Method, data: Data, device: str | torch.device = "cpu"
    ) -> None:
        self.config, self.method, self.data = config, method, data
        self.device = torch.device(device)
        for network in method.networks.values():
            network.to(device=self.device, memory_format=torch.channels_last)  # pyright: ignore
        self.optimisers = {
            phase: self._build_optimiser(names) for phase, names in method.phases.items()
        }
        trained = {name for names in method.phases.values() for name in names}
        self.averages = {
            name: AveragedWeights(method.networks[name], config.loop.ema)
            for name in sorted(trained)
            if config.loop.ema > 0
        }
        self.step = 0
        self.bad_steps = 0
        self.writes = True  # of several processes, one writes

    def _parameter_groups(self, names: tuple[str, ...]) -> list[dict[str, object]]:
        return [
            {
                "params": list(self.method.networks[name].parameters()),
                "scale": self.method.lr_scale.get(name, 1.0),
            }
            for name in names
        ]

    def _build_optimiser(self, names: tuple[str, ...]) -> torch.optim.Optimizer:
        optim, groups = self.config.optim, self._parameter_groups(names)
        return torch.optim.AdamW(
            groups, lr=optim.lr, betas=optim.betas, weight_decay=optim.weight_decay, fused=True
        )

    def run(self) -> None:
        """Train to the configured number of steps, from the newest checkpoint if there is one.

        Raises:
            TrainingError: the folder holds a run with other settings, or the losses stopped being
                numbers.
        """
        devices.keep_freed_memory()
        devices.use_threads(self.config.loop.threads)
        self._claim_folder()
        self._resume()
        log_path = self.config.folder / "log.jsonl" if self.writes else Path(os.devnull)
        with log_path.open("a", encoding="utf-8") as log:
            began = time.perf_counter()
            for batch in self._prefetch_batches():
                losses = self._take_step(batch)
                self.step += 1
                last = self.step == self.config.loop.steps
                if last or self.step % self.config.loop.log_every == 0:
                    seconds = round(time.perf_counter() - began, 1)
                    log.write(json.dumps({"step": self.step, "s": seconds} | losses) + "\n")
                    log.flush()
                if last or self.step % self.config.loop.save_every == 0:
                    self.save()

    def _claim_folder(self) -> None:
        """Write the settings, or find the same ones written."""
        write_or_check(self.config)

    def save(self) -> None:
        """Write a checkpoint of the present step."""
        checkpoints.save(
            self.config.folder / "checkpoints",
            self.step,
            self.method.networks,
            self.optimisers,
            self.averages,
            keep=self.config.loop.keep,
            notes=self.method.notes,
        )

    def _resume(self) -> None:
        found = checkpoints.find_checkpoints(self.config.folder / "checkpoints")
        if not found:
            return
        self.step = checkpoints.restore(
            found[-1], self.method.networks, self.optimisers, self.averages
        )
        log = self.config.folder / "log.jsonl"
        if self.writes and log.exists():  # forget the steps that will be taken again
            lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
            kept = [x for x in lines if x.endswith("\n") and json.loads(x)["step"] <= self.step]
            log.write_text("".join(kept), encoding="utf-8")

    def _load_batch(self, step: int) -> dict[str, Tensor]:
        loop = self.config.loop
        indices = draw_batch_indices(len(self.data), loop.batch, loop.seed, step)
        generator = seeding.generator_for(loop.seed, "data", step)
        return self.data.batch(indices, generator)

    def _prefetch_batches(self) -> Iterator[dict[str, Tensor]]:
        """Yield the batches still to come; the next is made while the present one is used."""
        steps = range(self.step, self.config.loop.steps)
        with ThreadPoolExecutor(1) as pool:
            coming = pool.submit(self._load_batch, steps[0]) if steps else None
            for step in steps:
                assert coming is not None
                batch = coming.result()
                coming = pool.submit(self._load_batch, step + 1) if step + 1 in steps else None
                yield {name: value.to(self.device) for name, value in batch.items()}

    def _take_step(self, batch: dict[str, Tensor]) -> dict[str, float]:
        logged: dict[str, float] = {}
        finite = True
        self.method.now = self.step
        for phase, names in self.method.phases.items():
            if not self.method.is_due(phase):
                continue
            self._train_only(names)
            logged |= self._compute_gradients(phase, batch)
            finite = finite and math.isfinite(logged[phase])
            if math.isfinite(logged[phase]):
                finite = self._step_optimiser(phase) and finite
        self.bad_steps = 0 if finite else self.bad_steps + 1
        if self.bad_steps >= self.config.loop.bad_steps:
            raise TrainingError(
                f"the loss was not a finite number for {self.bad_steps} steps up to step "
                f"{self.step}; go on from the last checkpoint with a lower learning rate",
                found=logged,
            )
        for name, average in self.averages.items():
            average.update(self.method.networks[name], self.step)
        for name, (leader, decay) in self.method.follows.items():
            update_average(self.method.networks[name], self.method.networks[leader], decay)
        return logged

    def _compute_gradients(self, phase: str, batch: dict[str, Tensor]) -> dict[str, float]:
        """Compute one phase's gradients; return its terms and, as the phase, their sum."""
        self.optimisers[phase].zero_grad(set_to_none=True)
        generator = seeding.generator_for(self.config.loop.seed, phase, self.step)
        losses = self.method.step(batch, generator, phase)
        total = sum_losses(losses)
        if torch.isfinite(total):
            total.backward()
        values = {name: float(term.detach()) for name, term in losses.items()}
        return values | {phase: float(total.detach())}

    def _train_only(self, trained: tuple[str, ...]) -> None:
        """Let gradients flow only into the networks of the present phase."""
        for name, network in self.method.networks.items():
            network.train(name in trained)
            network.requires_grad_(name in trained)

    def _step_optimiser(self, phase: str) -> bool:
        """Take one optimiser step; return False if the gradient was not finite and was left out."""
        optimiser, optim = self.optimisers[phase], self.config.optim
        rate = learning_rate(optim, self.step, self.config.loop.steps)
        for group in optimiser.param_groups:
            group["lr"] = rate * group["scale"]
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        norm = nn.utils.clip_grad_norm_(parameters, optim.clip)
        if not torch.isfinite(norm):
            return False
        optimiser.step()
        return True
