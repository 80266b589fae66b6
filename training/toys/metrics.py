"""How far samples are from a mixture that is known exactly."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.spatial import KDTree
from torch import Tensor

from training.toys.mixture import Mixture

OUTLIER = 13.8
"""Mahalanobis distance squared that 0.1 % of a plane's normal samples exceed."""


def knn_divergence(p: Tensor, q: Tensor, k: int = 5) -> float:
    """Estimate KL(p || q) from samples (N, D), (M, D) by distances of the k-th neighbours.

    D/N sum log(nu_k / rho_k) + log(M / (N - 1)), Wang, Kulkarni and Verdu 2009.
    """
    a, b = p.double().numpy(), q.double().numpy()
    own = np.asarray(KDTree(a).query(a, k + 1)[0])[:, k]
    other = np.asarray(KDTree(b).query(a, k)[0])[:, k - 1]
    logs = np.log(np.maximum(other, 1e-12) / np.maximum(own, 1e-12))
    return float(a.shape[1] * logs.mean() + math.log(len(b) / (len(a) - 1)))


def sliced_wasserstein(
    p: Tensor, q: Tensor, generator: torch.Generator, directions: int = 128
) -> float:
    """W2 averaged (in squares) over random directions; samples (N, D) of equal number."""
    lines = torch.randn((p.shape[1], directions), generator=generator)
    lines = lines / lines.norm(dim=0)
    return float(((p @ lines).sort(0)[0] - (q @ lines).sort(0)[0]).square().mean().sqrt())


def measure_modes(samples: Tensor, mixture: Mixture) -> dict[str, float]:
    """Return `tv` of the modes' masses, `out` and `var`.

    Samples go to the likeliest mode. `out` is the share further than `OUTLIER` from all modes (in
    more than two dimensions, than the distance 0.1 % exceed); `var` is the variance within modes
    over the true one, by mass.
    """
    modes = mixture.log_modes(samples, torch.zeros(len(samples))).argmax(1)
    count = len(mixture.weights)
    mass = torch.bincount(modes, minlength=count) / len(samples)
    white = ((samples - mixture.means[modes]) @ mixture.axes) / mixture.scales
    square = white.square().sum(1)
    d = mixture.dim
    limit = OUTLIER if d == 2 else d + 3.1 * math.sqrt(2 * d)
    variance = 0.0
    for mode in range(count):
        members = white[modes == mode]
        if len(members) > 1:
            variance += float(mass[mode]) * float(members.var(0).mean())
    return {
        "tv": 0.5 * float((mass - mixture.weights).abs().sum()),
        "out": float((square > limit).float().mean()),
        "var": variance,
    }


def class_distance(samples: Tensor, mixture: Mixture) -> float:
    """Frechet distance of each mode's samples to the mode, by the mode's true mass.

    |m - m'|^2 + tr(C + C' - 2 (C^1/2 C' C^1/2)^1/2); a mode with fewer samples than dimensions
    counts with its whole variance, so that a collapsed generator does not look good.
    """
    modes = mixture.log_modes(samples, torch.zeros(len(samples))).argmax(1)
    truth = mixture.scales.double()
    total = 0.0
    for mode, weight in enumerate(mixture.weights.tolist()):
        members = ((samples[modes == mode] - mixture.means[mode]) @ mixture.axes).double()
        if len(members) <= mixture.dim:
            total += weight * (float(truth.square().sum()) + float(mixture.means.var(0).sum()))
            continue
        covariance = torch.cov(members.T)
        middle = truth[:, None] * covariance * truth[None]
        root = torch.linalg.eigvalsh(middle).clamp_min(0).sqrt().sum()
        spread = truth.square().sum() + covariance.diagonal().sum() - 2 * root
        total += weight * float(members.mean(0).square().sum() + spread)
    return total


def measure_samples(
    samples: Tensor, mixture: Mixture, exact: Tensor, generator: torch.Generator
) -> dict:
    """Return a row of the table: all figures that fit the dimension.

    Args:
        samples: (N, D) to be judged.
        mixture: the truth.
        exact: (N, D) of it.
        generator: of the sliced distance's directions.
    """
    found = measure_modes(samples, mixture)
    found["sw2"] = sliced_wasserstein(samples, exact, generator)
    if mixture.dim == 2:
        found["rkl"] = knn_divergence(samples, exact)
        found["fkl"] = knn_divergence(exact, samples)
    else:
        found["class_fd"] = class_distance(samples, mixture)
    return found
