"""From noise to a picture in a few jumps: one sampler for training, evaluation and pages.

A student guesses the picture from noise, the guess is noised again to the next, lower time, and so
on. Training must see exactly the states inference will, so both use the same object.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from models.diffusion.noise_schedules import per_sample
from models.errors import CheckpointError, ShapeError
from models.seeding import noise_like

Noise = Literal["fresh", "fixed", "ddim", "jump"]


class Denoiser(Protocol):
    """A network seen as a rectified flow: x_t = (1 - t) x_0 + t noise, v = noise - x_0."""

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return v, (B, ...).

        Args:
            x_t: (B, ...).
            t: (B,) in [0, 1]; a network that is its own critic takes [-1, 1].
            cond: conditions of the batch, or None for none.
            extra: (B,) each, conditions a network may take: `r` (time to jump to), `step` (number
                of the sampler's step), `w` (guidance).
        """
        ...


Network = Any
"""An `nn.Module` that is a `Denoiser`; Python's types cannot say both."""


def predict_x0(
    denoiser: Denoiser, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
) -> Tensor:
    """Return the picture x_0 that a denoiser predicts from x_t, (B, ...): x_0 = x_t - t v."""
    return x_t - per_sample(t, x_t) * denoiser.velocity(x_t, t, cond, **extra)


@dataclass(frozen=True)
class Step:
    """One step of a sampler.

    Attributes:
        number: from 0.
        x_t: (B, ...), what the student was shown.
        picture: (B, ...), what it saw in it.
    """

    number: int
    x_t: Tensor
    picture: Tensor


@dataclass(frozen=True)
class FewStepSampler:
    """Times of a few-step student and how it goes from one to the next.

    Attributes:
        times: from 1 down, without the 0 at the end.
        noise: "fresh" draws new noise at every step, "fixed" takes the first noise again, "ddim"
            takes the noise the student's guess implies, "jump" follows the velocity the student
            gives for jumps (given `r`) and adds none.
    """

    times: tuple[float, ...]
    noise: Noise = "fresh"

    def __post_init__(self) -> None:
        falling = all(a > b for a, b in pairwise([*self.times, 0.0]))
        if not self.times or not falling or self.times[0] > 1:
            raise ShapeError(
                f"the times of a sampler fall from at most 1 to above 0; found {self.times}",
                found=self.times,
                needed="falling numbers in (0, 1]",
            )

    @classmethod
    def even(cls, steps: int, noise: Noise = "fresh") -> FewStepSampler:
        """A sampler with evenly spaced times: 1, 1 - 1/K, ..., 1/K."""
        return cls(tuple(1 - k / steps for k in range(steps)), noise)

    @classmethod
    def from_file(cls, path: Path) -> FewStepSampler:
        """Read the sampler a student was trained with, `weights/sampler.json`.

        Raises:
            CheckpointError: there is none, or it is damaged.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            return cls(tuple(found["times"]), found["noise"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{path} does not say how to sample: {error}") from error

    @property
    def notes(self) -> dict[str, str]:
        """What a training saves beside the student's weights, for `from_file`."""
        return {"sampler.json": json.dumps({"times": self.times, "noise": self.noise}) + "\n"}

    def guess(
        self,
        student: Denoiser,
        x_t: Tensor,
        number: int | Tensor,
        cond: Tensor | None = None,
        **extra: Tensor,
    ) -> Tensor:
        """Return the picture the student sees at one step, (B, ...); gradients flow.

        Args:
            student: asked once.
            x_t: (B, ...).
            number: of the step, or (B,) int64, each sample's own.
            cond: conditions of the batch.
            extra: conditions of the student; see `Denoiser`.
        """
        step = torch.as_tensor(number, device=x_t.device).expand(len(x_t))
        t = torch.tensor(self.times, device=x_t.device)[step]
        extra = {"step": step.to(t), "r": torch.zeros_like(t)} | extra
        return predict_x0(student, x_t, t, cond, **extra)

    def steps(
        self,
        student: Denoiser,
        noise: Tensor,
        cond: Tensor | None = None,
        generator: torch.Generator | None = None,
        **extra: Tensor,
    ) -> Iterator[Step]:
        """Yield every step; the picture of the last is the result.

        Args:
            student: asked once a step (twice by "jump").
            noise: (B, ...) drawn from N(0, 1).
            cond: conditions of the batch.
            generator: of the fresh noise; may be left out where none is drawn.
            extra: conditions of the student; see `Denoiser`.
        """
        x_t = noise * self.times[0]
        for number, following in enumerate([*self.times[1:], 0.0]):
            picture = self.guess(student, x_t, number, cond, **extra)
            yield Step(number, x_t, picture)
            if following:
                x_t = self._next(student, x_t, picture, noise, number, cond, generator, extra)

    def _next(
        self,
        student: Denoiser,
        x_t: Tensor,
        picture: Tensor,
        first: Tensor,
        number: int,
        cond: Tensor | None,
        generator: torch.Generator | None,
        extra: dict[str, Tensor],
    ) -> Tensor:
        now, following = self.times[number], self.times[number + 1]
        if self.noise == "jump":
            t = torch.full((len(x_t),), now, device=x_t.device)
            extra = extra | {"r": torch.full_like(t, following), "step": torch.full_like(t, number)}
            return x_t - (now - following) * student.velocity(x_t, t, cond, **extra)
        if self.noise == "fresh":
            assert generator is not None
            drawn = noise_like(x_t, generator)
        elif self.noise == "fixed":
            drawn = first
        else:
            drawn = (x_t - (1 - now) * picture) / now
        return (1 - following) * picture + following * drawn

    @torch.no_grad()
    def simulate(
        self,
        student: Denoiser,
        noise: Tensor,
        upto: int,
        cond: Tensor | None = None,
        generator: torch.Generator | None = None,
        **extra: Tensor,
    ) -> Tensor:
        """Backward simulation: the x_t that step `upto` will be shown, (B, ...), no gradient."""
        x_t = noise * self.times[0]
        for number in range(upto):
            picture = self.guess(student, x_t, number, cond, **extra)
            x_t = self._next(student, x_t, picture, noise, number, cond, generator, extra)
        return x_t

    @torch.no_grad()
    def simulate_each(
        self,
        student: Denoiser,
        noise: Tensor,
        numbers: Tensor,
        cond: Tensor | None = None,
        generator: torch.Generator | None = None,
        **extra: Tensor,
    ) -> Tensor:
        """As `simulate`, where each sample stops at a step of its own, `numbers` (B,) int64."""
        x_t = reached = noise * self.times[0]
        for number in range(int(numbers.max())):
            picture = self.guess(student, x_t, number, cond, **extra)
            x_t = self._next(student, x_t, picture, noise, number, cond, generator, extra)
            reached = torch.where(per_sample(numbers > number, x_t), x_t, reached)
        return reached

    @torch.no_grad()
    def sample(
        self,
        student: Denoiser,
        noise: Tensor,
        cond: Tensor | None = None,
        generator: torch.Generator | None = None,
        **extra: Tensor,
    ) -> Tensor:
        """Return pictures, (B, ...)."""
        last = len(self.times) - 1
        x_t = self.simulate(student, noise, last, cond, generator, **extra)
        return self.guess(student, x_t, last, cond, **extra)


@dataclass(frozen=True)
class HybridDenoiser:
    """Diversity distillation (arXiv 2503.10637): the base lays out, the student paints.

    A denoiser for `FewStepSampler`: the first `upto` steps of the student's own times are the
    base's. With 0 it is the student, with all of them the base.
    """

    base: Denoiser
    student: Denoiser
    upto: int = 1

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return the velocity of whoever has this step; see `Denoiser`."""
        early = int(extra["step"][0]) < self.upto
        return (self.base if early else self.student).velocity(x_t, t, cond, **extra)


@torch.no_grad()
def euler_sample(
    denoiser: Denoiser, noise: Tensor, steps: int, cond: Tensor | None = None, **extra: Tensor
) -> Tensor:
    """Euler's rule from noise to a picture: x <- x - v / steps."""
    x_t = noise
    for number in range(steps):
        t = torch.full((len(noise),), 1 - number / steps, device=noise.device)
        x_t = x_t - denoiser.velocity(x_t, t, cond, **extra) / steps
    return x_t
