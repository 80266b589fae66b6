"""Appearance flow: where on the flat garment each pixel of the worn one comes from.

A flow here is an absolute sampling grid, (B, H, W, 2) in [-1, 1] with x first, as `grid_sample`
takes it with align_corners=True. Offsets are displacements in pixels of their own level,
(B, 2, H, W), channel 0 along x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.blocks import conv_bn
from models.seeding import starts_at_zero


@dataclass(frozen=True)
class Warp:
    """What a flow network finds.

    Attributes:
        flow: (B, H, W, 2) sampling grid at the picture's size.
        levels: the grid after each level, coarsest first.
        offsets: every offset that was added, in pixels of its level, coarsest first.
        condition_features: pyramid of the person, finest first.
        garment_features: garment pyramid after warping by the level's final flow, coarsest first.
    """

    flow: Tensor
    levels: list[Tensor]
    offsets: list[Tensor]
    condition_features: list[Tensor]
    garment_features: list[Tensor]


def identity_grid(like: Tensor) -> Tensor:
    """Return the grid that samples each of (B, C, H, W)'s pixels at itself, (B, H, W, 2)."""
    batch, _, height, width = like.shape
    y = torch.linspace(-1, 1, height, device=like.device, dtype=like.dtype)
    x = torch.linspace(-1, 1, width, device=like.device, dtype=like.dtype)
    grid = torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], -1)
    return grid.expand(batch, -1, -1, -1)


def offset_grid(offset: Tensor) -> Tensor:
    """Turn offsets in pixels, (B, 2, H, W), into a sampling grid, (B, H, W, 2)."""
    height, width = offset.shape[-2:]
    # A level that is one pixel high or wide has nowhere to go.
    half = offset.new_tensor([max(width - 1, 1) / 2, max(height - 1, 1) / 2])
    return identity_grid(offset) + offset.permute(0, 2, 3, 1) / half


def sample(image: Tensor, grid: Tensor, padding: str = "border") -> Tensor:
    """Sample (B, C, h, w) at a grid (B, H, W, 2), bilinear; returns (B, C, H, W)."""
    return F.grid_sample(image, grid, padding_mode=padding, align_corners=True)


def compose(flow: Tensor, offset: Tensor) -> Tensor:
    """Return the flow read at positions moved by `offset`: first the offset, then the flow."""
    moved = sample(flow.permute(0, 3, 1, 2), offset_grid(offset))
    return moved.permute(0, 2, 3, 1)


def resize_flow(flow: Tensor, size_hw: Sequence[int]) -> Tensor:
    """Return a grid at another height and width, bilinear; its values stay shares of the garment.

    The corners of the grid keep their places (align_corners=True), because they are positions.
    """
    bigger = F.interpolate(
        flow.permute(0, 3, 1, 2), size=tuple(size_hw), mode="bilinear", align_corners=True
    )
    return bigger.permute(0, 2, 3, 1)


def cost_volume(a: Tensor, b: Tensor, radius: int = 3) -> Tensor:
    """Correlate each pixel of `a` with the pixels of `b` around it.

    FlowNet's correlation with stride 1, in plain PyTorch: output channel (dy + r) * (2r + 1) +
    (dx + r) is the mean over channels of a(x, y) * b(x + dx, y + dy), zero outside.

    Args:
        a: (B, C, H, W).
        b: the same shape.
        radius: r; 3 gives 7x7 = 49 channels.

    Returns:
        (B, (2r + 1)^2, H, W).
    """
    batch, channels, height, width = a.shape
    side = 2 * radius + 1
    # Products of a stretch of a row with all that lies near it, as matrices; a band of each counts.
    stretch = max(n for n in range(1, min(width, 24) + 1) if width % n == 0)
    padded = F.pad(b, (radius, radius, radius, radius)).permute(0, 2, 3, 1)
    near = padded.unfold(1, side, 1).unfold(2, stretch + 2 * radius, stretch)
    near = near.reshape(-1, channels, side * (stretch + 2 * radius))
    products = torch.bmm(a.permute(0, 2, 3, 1).reshape(-1, stretch, channels), near)
    products = products.view(-1, stretch, side, stretch + 2 * radius)
    steps = torch.arange(side, device=a.device)
    band = (torch.arange(stretch, device=a.device)[:, None] + steps)[None, :, None]
    costs = products.gather(3, band.expand(len(products), stretch, side, side)) / channels
    return costs.reshape(batch, height, width, side * side).permute(0, 3, 1, 2)


def published_head(inputs: int) -> nn.Sequential:
    """Return the published stack of 3x3 convolutions, inputs-128-64-32-2."""
    widths = (inputs, 128, 64, 32, 2)
    layers: list[nn.Module] = []
    for i in range(4):
        layers.append(nn.Conv2d(widths[i], widths[i + 1], 3, padding=1))
        if i < 3:
            layers.append(nn.LeakyReLU(0.1))
    starts_at_zero(layers[-1])
    return nn.Sequential(*layers)


def light_head(inputs: int, width: int = 48) -> nn.Sequential:
    """Return our flow head: a 1x1 to narrow, two depthwise-separable 3x3, a 3x3 to the offset."""
    last = starts_at_zero(nn.Conv2d(width, 2, 3, padding=1))
    separable = [
        layer
        for _ in range(2)
        for layer in (
            conv_bn(width, width, kernel=5, groups=width),
            conv_bn(width, width, kernel=1),
        )
    ]
    return nn.Sequential(conv_bn(inputs, width, kernel=1), *separable, last)


class FlowNet(nn.Module):
    """Estimates a flow from coarse to fine, by an offset from matching and one from the features.

    Args:
        channels: channels of both pyramids.
        levels: number of levels; the published network has 5.
        radius: reach of the cost volume.
        light: our heads instead of the published ones.
        width: channels inside our heads.
    """

    def __init__(
        self,
        channels: int = 256,
        levels: int = 5,
        radius: int = 3,
        light: bool = False,
        width: int = 48,
    ) -> None:
        super().__init__()
        self.radius, self.light = radius, light
        costs = (2 * radius + 1) ** 2
        # Ours also sees where it looks from: the person's features beside the costs.
        self.main = nn.ModuleList(
            light_head(costs + channels, width) if light else published_head(costs)
            for _ in range(levels)
        )
        self.refine = nn.ModuleList(
            light_head(2 * channels, width) if light else published_head(2 * channels)
            for _ in range(levels)
        )

    def forward(
        self,
        garment_maps: Sequence[Tensor],
        condition_maps: Sequence[Tensor],
        size_hw: Sequence[int],
    ) -> Warp:
        """Find the flow.

        Args:
            garment_maps: pyramid of the flat garment, finest first.
            condition_maps: pyramid of the person or condition, finest first.
            size_hw: height and width of the flow to return.
        """
        flow: Tensor | None = None
        levels: list[Tensor] = []
        offsets: list[Tensor] = []
        warped_features: list[Tensor] = []
        coarse_first = zip(reversed(garment_maps), reversed(condition_maps), strict=True)
        for main, refine, (garment, condition) in zip(
            self.main, self.refine, coarse_first, strict=True
        ):
            flow = identity_grid(garment) if flow is None else resize_flow(flow, garment.shape[-2:])
            costs = cost_volume(condition, sample(garment, flow.detach()), self.radius)
            costs = F.leaky_relu(costs, 0.1)
            offset = main(torch.cat([costs, condition], 1) if self.light else costs)
            flow = compose(flow, offset)
            offsets.append(offset)
            offset = refine(torch.cat([sample(garment, flow), condition], 1))
            flow = compose(flow, offset)
            offsets.append(offset)
            levels.append(flow)
            warped_features.append(sample(garment, flow))
        assert flow is not None
        return Warp(
            resize_flow(flow, size_hw), levels, offsets, list(condition_maps), warped_features
        )
