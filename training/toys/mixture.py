"""Mixtures of Gaussians: exact samples, and the exact flow from noise to them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from models import seeding
from models.diffusion.few_step import euler_sample


@dataclass(frozen=True)
class Mixture:
    """Modes that share one covariance, Q diag(s^2) Q'; a denoiser in closed form.

    Attributes:
        means: (K, D).
        weights: (K,), their sum is 1.
        axes: (D, D), Q.
        scales: (D,), s.
        groups: (K,) int64, the condition each mode belongs to.
    """

    means: Tensor
    weights: Tensor
    axes: Tensor
    scales: Tensor
    groups: Tensor

    @property
    def dim(self) -> int:
        """D."""
        return self.means.shape[1]

    def sample(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return samples (count, D) and the modes they came from, (count,) int64."""
        modes = torch.multinomial(self.weights, count, replacement=True, generator=generator)
        noise = torch.randn((count, self.dim), generator=generator)
        return self.means[modes] + (noise * self.scales) @ self.axes.T, modes

    def log_modes(self, x: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return log p(mode, x_t) up to a constant, (B, K); modes of other conditions get -inf."""
        a, variance = self._spread(t)
        z = x @ self.axes  # (B, D), along the axes
        centres = self.means @ self.axes  # (K, D)
        inverse = 1 / variance
        square = (z.square() * inverse).sum(1, keepdim=True)
        cross = (z * inverse * a[:, None]) @ centres.T
        own = (inverse * a[:, None].square()) @ centres.square().T
        logs = self.weights.log() - 0.5 * (square - 2 * cross + own)
        if cond is None:
            return logs
        return logs.masked_fill(self.groups != cond[:, None], -math.inf)

    def _spread(self, t: Tensor) -> tuple[Tensor, Tensor]:
        """alpha, (B,), and the variance of x_t along each axis, (B, D)."""
        a = 1 - t
        return a, (a[:, None] * self.scales).square() + t[:, None].square()

    def predict_x0(self, x_t: Tensor, t: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return E[x_0 | x_t], (B, D)."""
        a, variance = self._spread(t)
        mean = self.log_modes(x_t, t, cond).softmax(1) @ self.means
        gain = a[:, None] * self.scales.square() / variance
        return mean + (((x_t - a[:, None] * mean) @ self.axes) * gain) @ self.axes.T

    def velocity(
        self, x_t: Tensor, t: Tensor, cond: Tensor | None = None, **extra: Tensor
    ) -> Tensor:
        """Return the exact velocity; see `Denoiser`. Extra conditions change nothing.

        noise - x_0 = ((x_t - (1 - t) x_0) / t) - x_0, and in the limit t = 0 it is -x_0's mean
        over noise of 0; times below 1e-3 are taken as 1e-3.
        """
        t = t.clamp_min(1e-3)
        return (x_t - self.predict_x0(x_t, t, cond)) / t[:, None]


def ring() -> Mixture:
    """Five unequal modes on a circle, in the plane; the first two are condition 0."""
    angle = torch.arange(5) * (2 * math.pi / 5)
    return Mixture(
        means=1.2 * torch.stack([angle.cos(), angle.sin()], 1),
        weights=torch.tensor([0.35, 0.25, 0.20, 0.12, 0.08]),
        axes=torch.eye(2),
        scales=torch.tensor([0.15, 0.15]),
        groups=torch.tensor([0, 0, 1, 1, 1]),
    )


def images() -> Mixture:
    """8 x 8 images in 64 dimensions: four shapes with a texture of falling power."""
    grid = torch.linspace(-1, 1, 8)
    y, x = torch.meshgrid(grid, grid, indexing="ij")
    shapes = [
        (x.square() + y.square() < 0.5),
        (x.abs() < 0.3),
        (y.abs() < 0.3),
        ((x + y).abs() < 0.4),
    ]
    # The orthonormal cosine transform, and amplitudes 1 / (1 + frequency)
    n, k = torch.arange(8.0)[None], torch.arange(8.0)[:, None]
    cosines = torch.cos(math.pi * (n + 0.5) * k / 8) * math.sqrt(2 / 8)
    cosines[0] /= math.sqrt(2)
    frequency = (k.square() + n.square()).sqrt().flatten()
    return Mixture(
        means=torch.stack([s.float().flatten() * 1.4 - 0.7 for s in shapes]),
        weights=torch.tensor([0.4, 0.3, 0.2, 0.1]),
        axes=torch.kron(cosines, cosines).T.contiguous(),
        scales=0.6 / (1 + frequency),
        groups=torch.tensor([0, 0, 1, 1]),
    )


@dataclass(frozen=True)
class MixtureData:
    """Endless exact samples, `replicas` independent batches laid end to end.

    Attributes:
        mixture: what is sampled.
        each: samples of each replica; a batch has replicas * each.
        seeds: one of each replica.
        conditions: whether samples come with `cond`.
    """

    mixture: Mixture
    each: int
    seeds: tuple[int, ...]
    conditions: bool = False

    def __len__(self) -> int:
        return self.each * len(self.seeds)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return `x0` (replicas * each, D), and `cond`; the numbers of samples mean nothing."""
        place = int(torch.randint(2**62, (), generator=generator))
        parts = [
            self.mixture.sample(self.each, seeding.generator_for(seed, "toy", place))
            for seed in self.seeds
        ]
        batch = {"x0": torch.cat([x for x, _ in parts])}
        if self.conditions:
            batch["cond"] = self.mixture.groups[torch.cat([modes for _, modes in parts])]
        return batch


class PairData:
    """Noises, and where the exact flow takes them: `each` pairs of every replica, made once.

    Args:
        mixture: whose flow is followed, in fifty steps of Euler's rule.
        each: samples of each replica in a batch.
        seeds: one of each replica.
        count: pairs of each replica; DMD2 has ten thousand.
    """

    def __init__(
        self, mixture: Mixture, each: int, seeds: tuple[int, ...], count: int = 10_000
    ) -> None:
        self.each = each
        self.noise = torch.stack(
            [
                torch.randn((count, mixture.dim), generator=seeding.generator_for(seed, "pairs"))
                for seed in seeds
            ]
        )
        flat = self.noise.flatten(0, 1)
        self.end = euler_sample(mixture, flat, 50).reshape(self.noise.shape)

    def __len__(self) -> int:
        return self.each * len(self.noise)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return `noise` and `end`, (replicas * each, D)."""
        chosen = torch.randint(self.noise.shape[1], (self.each,), generator=generator)
        return {
            "noise": self.noise[:, chosen].flatten(0, 1),
            "end": self.end[:, chosen].flatten(0, 1),
        }
