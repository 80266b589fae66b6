"""Adjustable distillation: the student follows the teacher where the teacher is right."""

from __future__ import annotations

import torch
from torch import Tensor

from models.dmvton.flow import Warp, sample


def compute_gates(teacher: Warp, student: Warp, garment: Tensor, upper: Tensor) -> Tensor:
    """Return 1 for each sample whose garment the teacher moved better than the student, (B,).

    Args:
        teacher: found from the condition.
        student: found from a picture.
        garment: (B, 3, H, W), 0 off the garment.
        upper: (B, 3, H, W), the garment as the photograph shows it, 0 elsewhere.
    """
    with torch.no_grad():
        error_t = (sample(garment, teacher.flow) - upper).abs().mean((1, 2, 3))
        error_s = (sample(garment, student.flow) - upper).abs().mean((1, 2, 3))
    return (error_t < error_s).float()


def adjustable_distillation(teacher: Warp, student: Warp, gates: Tensor) -> dict[str, Tensor]:
    """Return flow and feature terms, averaged over the samples whose gate is open."""
    open_gates = gates.sum().clamp_min(1)

    def mean(error: Tensor) -> Tensor:
        return (error.flatten(1).mean(1) * gates).sum() / open_gates

    flows = zip(teacher.levels, student.levels, strict=True)
    pyramids = zip(teacher.condition_features, student.condition_features, strict=True)
    return {
        "distill_flow": 1.0
        * torch.stack(
            [(i + 1) * mean((t - s).norm(dim=-1)) for i, (t, s) in enumerate(flows)]
        ).sum(),
        "distill_features": 0.04 * torch.stack([mean((t - s).square()) for t, s in pyramids]).sum(),
    }
