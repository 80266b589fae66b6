"""Measures of how right a result is; tensors in, numbers out."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def confusion(predicted: Tensor, truth: Tensor, classes: int) -> Tensor:
    """Count pixels by true and predicted class.

    Args:
        predicted: integers of any shape.
        truth: the same shape; values outside 0 .. classes - 1 are left out.
        classes: number of classes.

    Returns:
        (classes, classes) int64; rows are the truth.
    """
    known = (truth >= 0) & (truth < classes)
    pairs = truth[known].long() * classes + predicted[known].long()
    return torch.bincount(pairs, minlength=classes * classes).view(classes, classes)


def intersection_over_union(counts: Tensor) -> Tensor:
    """Return the IoU of each class from a confusion matrix; NaN for a class that never occurs."""
    both = counts.diag().double()
    return both / (counts.sum(0) + counts.sum(1) - both)


def ssim(a: Tensor, b: Tensor) -> Tensor:
    """Return the structural similarity map of Wang et al. (2004), Gaussian window of 11, sigma 1.5.

    Args:
        a: (B, C, H, W) in [-1, 1].
        b: the same shape.

    Returns:
        (B, 1, H, W), the mean over channels; borders see mirrored pixels.
    """
    offsets = torch.arange(-5.0, 6.0)
    window = torch.exp(-offsets.square() / (2 * 1.5**2))
    window = (window / window.sum()).to(a)
    channels = a.shape[1]

    def blur(x: Tensor) -> Tensor:
        x = F.pad(x, (5, 5, 5, 5), mode="reflect")
        x = F.conv2d(x, window.view(1, 1, 1, 11).expand(channels, -1, -1, -1), groups=channels)
        return F.conv2d(x, window.view(1, 1, 11, 1).expand(channels, -1, -1, -1), groups=channels)

    mean_a, mean_b = blur(a), blur(b)
    var_a = blur(a * a) - mean_a.square()
    var_b = blur(b * b) - mean_b.square()
    both = blur(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    similarity = ((2 * mean_a * mean_b + c1) * (2 * both + c2)) / (
        (mean_a.square() + mean_b.square() + c1) * (var_a + var_b + c2)
    )
    return similarity.mean(1, keepdim=True)


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of (B, C, H, W) values where (B, 1, H, W) `mask` is 1, per sample, (B,)."""
    weight = mask.expand_as(values).flatten(1)
    return (values.flatten(1) * weight).sum(1) / weight.sum(1).clamp_min(1e-6)


def high_pass_agreement(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """Return how well fine detail agrees, (B,): 1 for the same lettering, 0 for unrelated detail.

    The normalised correlation of what a 5x5 mean takes away, in grey, inside a mask.

    Args:
        a: (B, 3, H, W) in [-1, 1].
        b: the same shape.
        mask: (B, 1, H, W), 1 inside.
    """

    def detail(x: Tensor) -> Tensor:
        grey = x.mean(1, keepdim=True)
        return (grey - F.avg_pool2d(F.pad(grey, (2, 2, 2, 2), mode="replicate"), 5, 1)) * mask

    fine_a, fine_b = detail(a).flatten(1), detail(b).flatten(1)
    return (fine_a * fine_b).sum(1) / (fine_a.norm(dim=1) * fine_b.norm(dim=1)).clamp_min(1e-6)


def frechet_distance(a: Tensor, b: Tensor) -> float:
    """Return the Fréchet distance of two sets of features, (N, D) and (M, D), as normal clouds."""
    a, b = a.double(), b.double()
    cov_a, cov_b = torch.cov(a.T), torch.cov(b.T)
    values, vectors = torch.linalg.eigh(cov_a)
    root = vectors @ torch.diag(values.clamp_min(0).sqrt()) @ vectors.T
    between = torch.linalg.eigvalsh(root @ cov_b @ root).clamp_min(0).sqrt().sum()
    gap = (a.mean(0) - b.mean(0)).square().sum()
    return float(gap + cov_a.trace() + cov_b.trace() - 2 * between)
