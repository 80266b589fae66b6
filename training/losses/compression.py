"""PPCL (arXiv 2511.16156): fewer and narrower blocks, each learned in its own place."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def token_distance(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean square distance of tokens (B, N, C), each scaled to length 1, times C."""
    a, b = F.normalize(student, dim=-1), F.normalize(teacher.detach(), dim=-1)
    return (a - b).square().sum(-1).mean()


@torch.no_grad()
def least_squares(inputs: Tensor, outputs: Tensor) -> nn.Linear:
    """Return the affine layer that best gives `outputs` (N, D) for `inputs` (N, C).

    It is what a pruned layer starts from; where the layer was affine nothing is lost.
    """
    ones = inputs.new_ones(len(inputs), 1, dtype=torch.float64)
    found = torch.linalg.lstsq(torch.cat([inputs.double(), ones], 1), outputs.double()).solution
    layer = nn.Linear(inputs.shape[1], outputs.shape[1])
    layer.weight.copy_(found[:-1].T)
    layer.bias.copy_(found[-1])
    return layer


def alignment(a: Tensor, b: Tensor) -> float:
    """Linear CKA of two representations of the same samples, (N, C) and (N, D): 1 if alike.

    |A'B|^2 / (|A'A| |B'B|), Frobenius norms, columns centred.
    """
    a, b = (x.double() - x.double().mean(0) for x in (a, b))
    return float((a.T @ b).square().sum() / ((a.T @ a).norm() * (b.T @ b).norm()))
