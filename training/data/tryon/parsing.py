"""Batches for human parsing: studio photographs made to look like anybody's."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models import seeding
from models.analysis.human_parsing import IGNORE, Part
from training.data.tryon.viton import open_split

# A mirrored picture shows a left arm where a right one was.
MIRRORED = torch.arange(256)
MIRRORED[Part.LEFT_ARM], MIRRORED[Part.RIGHT_ARM] = int(Part.RIGHT_ARM), int(Part.LEFT_ARM)


def to_unit(pictures: np.ndarray) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2) / 127.5 - 1.0


def draw_uniform(
    generator: torch.Generator, low: float, high: float, shape: tuple[int, ...]
) -> Tensor:
    """Draw from [low, high)."""
    return low + (high - low) * torch.rand(shape, generator=generator)


def draw_random_affine(generator: torch.Generator, count: int) -> tuple[Tensor, Tensor]:
    """Draw how pictures are turned, scaled, moved and mirrored.

    Returns:
        (B, 2, 3) matrices for `affine_grid`, and (B,) bool: mirrored.
    """
    angle = draw_uniform(generator, -0.22, 0.22, (count,))
    scale = torch.exp(draw_uniform(generator, math.log(0.75), math.log(1.3), (count,)))
    mirrored = torch.rand((count,), generator=generator) < 0.5
    sign = torch.where(mirrored, -1.0, 1.0)
    shift = draw_uniform(generator, -0.2, 0.2, (count, 2))
    cos, sin = angle.cos() * scale, angle.sin() * scale
    rows = [sign * cos, -sin, shift[:, 0], sign * sin, cos, shift[:, 1]]
    return torch.stack(rows, 1).view(count, 2, 3), mirrored


def vary_light(images: Tensor, generator: torch.Generator) -> Tensor:
    """Change brightness, contrast and tint of (B, 3, H, W) pictures in [-1, 1]."""
    count = len(images)
    gain = draw_uniform(generator, 0.7, 1.2, (count, 1, 1, 1))
    tint = draw_uniform(generator, 0.88, 1.12, (count, 3, 1, 1))
    lift = draw_uniform(generator, -0.2, 0.15, (count, 1, 1, 1))
    noise = torch.randn(images.shape, generator=generator)
    noise = noise * draw_uniform(generator, 0.0, 0.06, (count, 1, 1, 1))
    return ((images + 1) * gain * tint - 1 + lift + noise).clamp(-1, 1)


def draw_backgrounds(count: int, size_hw: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Draw rooms nobody lives in: noise at several scales, (B, 3, H, W) in [-1, 1]."""
    picture = draw_uniform(generator, -1, 1, (count, 3, 1, 1)).expand(-1, -1, *size_hw).clone()
    for cells in (2, 5, 16, 48):
        noise = torch.randn((count, 3, cells, cells), generator=generator)
        strength = draw_uniform(generator, 0.0, 0.5, (count, 1, 1, 1))
        mode = "nearest" if cells in (5, 16) else "bilinear"
        corners = None if mode == "nearest" else False
        picture += strength * F.interpolate(noise, size_hw, mode=mode, align_corners=corners)
    return picture.clamp(-1, 1)


class ParsingData:
    """VITON's training persons with our labels; light, place and background change at every visit.

    Args:
        folder: the tars.
        cache: where arrays are kept.
        size_hw: height and width.
        new_background: share of pictures that get another background.
    """

    def __init__(
        self, folder: Path, cache: Path, size_hw: tuple[int, int], new_background: float = 0.4
    ) -> None:
        self.arrays, self.rows = open_split(folder, cache, "train", size_hw)
        self.new_background = new_background

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return `image`, (B, 3, H, W) in [-1, 1], and `parts`, (B, H, W) int64."""
        rows = self.rows[indices.numpy()]
        image = to_unit(self.arrays.person[rows])
        parts = torch.from_numpy(self.arrays.parts[rows].astype(np.int64))
        return augment(image, parts, generator, self.new_background)


class SyntheticParsing:
    """Coloured boxes, for `tiny`: part number k is a column of the colour k."""

    def __init__(self, size_hw: tuple[int, int] = (64, 64)) -> None:
        self.size_hw = size_hw

    def __len__(self) -> int:
        return 16

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return `image` and `parts` as `ParsingData` does."""
        height, width = self.size_hw
        columns = torch.arange(width) * len(Part) // width
        parts = (columns[None, None] + indices[:, None, None]) % len(Part)
        parts = parts.expand(-1, height, -1).contiguous()
        colors = draw_uniform(seeding.generator_for(0, "colours"), -1, 1, (len(Part), 3))
        return augment(colors[parts].permute(0, 3, 1, 2), parts, generator, 0.0)


def augment(
    image: Tensor, parts: Tensor, generator: torch.Generator, new_background: float
) -> dict[str, Tensor]:
    """Change background, place and light of a batch.

    Args:
        image: (B, 3, H, W) in [-1, 1].
        parts: (B, H, W) int64.
        generator: owner of the draws.
        new_background: share of pictures that get another background.
    """
    count, _, height, width = image.shape
    chosen = torch.rand((count,), generator=generator) < new_background
    behind = (parts == Part.BACKGROUND)[:, None].float()
    behind = F.avg_pool2d(F.pad(behind, (1, 1, 1, 1), mode="replicate"), 3, 1)
    behind = behind * chosen[:, None, None, None]
    image = image.lerp(draw_backgrounds(count, (height, width), generator), behind)
    matrices, mirrored = draw_random_affine(generator, count)
    grid = F.affine_grid(matrices, [count, 3, height, width], align_corners=False)
    image = F.grid_sample(image, grid, padding_mode="border", align_corners=False)
    layer = parts[:, None].float() + 1
    layer = F.grid_sample(layer, grid, mode="nearest", align_corners=False)[:, 0].long()
    parts = torch.where(layer == 0, IGNORE, layer - 1)
    parts = torch.where(mirrored[:, None, None], MIRRORED[parts], parts)
    return {"image": vary_light(image, generator), "parts": parts}
