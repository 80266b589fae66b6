"""What a warp is asked for: the worn garment's pixels and outline, and a smooth flow."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from models.dmvton.flow import Warp, sample


def total_variation(offset: Tensor) -> Tensor:
    """Return mean |dx| + mean |dy| of (B, 2, H, W) offsets."""
    return offset.diff(dim=2).abs().mean() + offset.diff(dim=3).abs().mean()


def second_order(flow: Tensor) -> Tensor:
    """Return how little a flow bends: rho of its second differences along four directions.

    rho(d) = (d^2 + 1e-6)^0.45, averaged.

    Args:
        flow: (B, H, W, 2) sampling grid, at least 3x3; differences are taken in pixels of it.
    """
    height, width = flow.shape[1:3]
    field = flow.permute(0, 3, 1, 2) * flow.new_tensor([width / 2, height / 2]).view(1, 2, 1, 1)
    middle = field[:, :, 1:-1, 1:-1]
    pairs = (
        (field[:, :, 1:-1, :-2], field[:, :, 1:-1, 2:]),
        (field[:, :, :-2, 1:-1], field[:, :, 2:, 1:-1]),
        (field[:, :, :-2, :-2], field[:, :, 2:, 2:]),
        (field[:, :, :-2, 2:], field[:, :, 2:, :-2]),
    )
    bends = [(a + b - 2 * middle).square().add(1e-6).pow(0.45).mean() for a, b in pairs]
    return torch.stack(bends).mean()


def level_flows(warp: Warp) -> list[Tensor]:
    """Return the flows to supervise, coarsest first: each level of at least 3x3, then the whole."""
    return [flow for flow in warp.levels if min(flow.shape[1:3]) >= 3] + [warp.flow]


def warp_losses(
    warp: Warp,
    garment: Tensor,
    mask: Tensor,
    upper: Tensor,
    upper_mask: Tensor,
    known: Tensor,
    *,
    smooth: float = 1.5,
) -> dict[str, Tensor]:
    """Return the terms of L_warp without the perceptual one.

    The paper's weights (level + 1, mask 2, bend 6, offsets 0.01) are kept in proportion and scaled
    so that the finest level weighs 1; the bend is measured in pixels here, hence its own factor.

    Args:
        warp: the found flow.
        garment: (B, 3, H, W) in [-1, 1], 0 off the garment.
        mask: (B, 1, H, W).
        upper: (B, 3, H, W), the person's garment, 0 elsewhere.
        upper_mask: (B, 1, H, W).
        known: (B, 1, H, W), 0 where hair or hands hide the garment.
        smooth: weight of the bend.
    """
    flows = level_flows(warp)
    pixels, outline, bend = [], [], []
    for i, flow in enumerate(flows):
        size = (flow.shape[1], flow.shape[2])

        def resize(x: Tensor, size: tuple[int, int] = size) -> Tensor:
            return x if x.shape[-2:] == size else F.adaptive_avg_pool2d(x, size)

        weight = (i + 1) / len(flows)
        seen = resize(known)
        pixels.append(
            weight * ((sample(resize(garment), flow) - resize(upper)).abs() * seen).mean()
        )
        outline.append(
            weight
            * ((sample(resize(mask), flow, "zeros") - resize(upper_mask)).abs() * seen).mean()
        )
        if i < len(warp.levels):
            bend.append(weight * second_order(flow))
    return {
        "warp_pixels": 2.0 * torch.stack(pixels).sum(),
        "warp_outline": 4.0 * torch.stack(outline).sum(),
        "warp_bend": smooth * torch.stack(bend).mean(),
        "warp_offsets": 0.01 * torch.stack([total_variation(o) for o in warp.offsets]).sum(),
    }
