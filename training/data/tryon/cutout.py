"""Batches for the garment cutter: flat tops laid over rooms, photographed and drawn.

A composite's outline is known exactly, whatever the garment's own mask missed. What garments lie
on is taken from the borders of photographs made at home, mirrored until they fill the picture.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from pipelines.images.decode import decode
from training.data.tryon.parsing import draw_backgrounds, draw_uniform, to_unit, vary_light
from training.data.tryon.viton import open_split

STRIP = 0.13  # of a photograph's side: what lies at its border is rarely the garment


def read_strips(photos: Path, side: int, every: int = 2) -> np.ndarray:
    """Read the upper and lower border of photographs in a tar.

    Args:
        photos: a tar of JPEGs.
        side: the longer side they are brought to.
        every: one photograph of so many; the others remain to be judged on.

    Returns:
        (N, STRIP * side, side, 3) uint8, sRGB.
    """
    high, strips = round(STRIP * side), []
    with tarfile.open(photos) as tar:
        members = sorted((m for m in tar if m.name.endswith(".jpg")), key=lambda m: m.name)
        for member in members[::every]:
            data = tar.extractfile(member)
            assert data is not None
            picture = np.array(decode(data.read()))
            for turned in (picture, picture[::-1]):
                border = turned[: max(1, round(STRIP * len(turned)))]
                strips.append(cv2.resize(border, (side, high), interpolation=cv2.INTER_AREA))
    return np.stack(strips)


def mirror_until_full(strips: np.ndarray) -> np.ndarray:
    """Repeat (B, h, S, 3) strips, every second one upside down, to squares (B, S, S, 3)."""
    high, side = strips.shape[1:3]
    rows = np.arange(side) % (2 * high)
    return strips[:, np.where(rows < high, rows, 2 * high - 1 - rows)]


class CutoutData:
    """VITON's flat tops over other people's beds and floors.

    Args:
        folder: VITON's tars.
        cache: where VITON's arrays are kept.
        photos: tar of photographs made at home.
        side: of the square pictures.
    """

    def __init__(self, folder: Path, cache: Path, photos: Path, side: int) -> None:
        self.arrays, self.rows = open_split(folder, cache, "train", (128, 96))
        self.strips = read_strips(photos, side)
        self.side = side

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return `image`, (B, 3, S, S) in [-1, 1], and `parts`, (B, S, S) int64, 1 for garment."""
        rows = self.rows[indices.numpy()]
        chosen = torch.randint(len(self.strips), indices.shape, generator=generator)
        rooms = to_unit(mirror_until_full(self.strips[chosen.numpy()]))
        mask = torch.from_numpy(self.arrays.garment_mask[rows]).float()[:, None] / 255
        return lay_over(to_unit(self.arrays.garment[rows]), mask, rooms, generator)


class SyntheticCutout:
    """Plain squares over noise, for `tiny`."""

    def __init__(self, side: int = 64) -> None:
        self.side = side

    def __len__(self) -> int:
        return 16

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch as `CutoutData` does."""
        count = len(indices)
        garment = draw_uniform(generator, -1, 1, (count, 3, 1, 1)).expand(-1, -1, 64, 48)
        mask = torch.zeros(count, 1, 64, 48)
        mask[:, :, 8:-8, 8:-8] = 1
        rooms = draw_backgrounds(count, (self.side, self.side), generator)
        return lay_over(garment, mask, rooms, generator)


def lay_over(
    garment: Tensor, mask: Tensor, rooms: Tensor, generator: torch.Generator
) -> dict[str, Tensor]:
    """Turn, scale, crease and light garments and lay them over rooms, with their shadow.

    Args:
        garment: (B, 3, h, w) in [-1, 1].
        mask: (B, 1, h, w), 1 where the garment is.
        rooms: (B, 3, S, S) in [-1, 1].
        generator: owner of the draws.

    Returns:
        `image` and `parts` as `CutoutData.batch` describes them.
    """
    count, side = len(garment), rooms.shape[-1]
    garment, mask = crease(garment, generator), mask.float()
    # 1. Where: `grid` says for each pixel of the picture which of the garment's it shows
    grid = draw_random_places(count, side, garment.shape[-1] / garment.shape[-2], generator)
    placed = F.grid_sample(garment, grid, padding_mode="border", align_corners=False)
    there = F.grid_sample(mask, grid, align_corners=False)
    # 2. On what: a photographed room, a drawn one or a plain ground
    kind = torch.rand((count, 1, 1, 1), generator=generator)
    turned = torch.rand((count, 1, 1, 1), generator=generator) < 0.5
    ground = torch.where(turned, rooms.transpose(2, 3), rooms)
    ground = torch.where(kind < 0.2, draw_backgrounds(count, (side, side), generator), ground)
    plain = 1 - draw_uniform(generator, 0, 1, (count, 3, 1, 1)).square() * 1.2
    ground = torch.where(kind > 0.85, plain.expand_as(ground), ground)
    # 3. Its shadow, and the edge a camera would blur
    x, y = torch.randint(-5, 6, (2,), generator=generator).tolist()
    shadow = F.avg_pool2d(F.avg_pool2d(there.roll((y, x), (2, 3)), 7, 1, 3), 5, 1, 2)
    dark = draw_uniform(generator, 0, 0.45, (count, 1, 1, 1))
    ground = (ground + 1) * (1 - dark * shadow) - 1
    image = ground.lerp(placed, there)
    softness = torch.rand((count, 1, 1, 1), generator=generator)
    image = image.lerp(F.avg_pool2d(image, 3, 1, 1, count_include_pad=False), softness)
    return {"image": vary_light(image, generator), "parts": (there[:, 0] > 0.5).long()}


def draw_random_places(count: int, side: int, aspect: float, generator: torch.Generator) -> Tensor:
    """Draw where garments lie: (B, S, S, 2) sampling grids, x first, in [-1, 1]."""
    angle = draw_uniform(generator, -0.45, 0.45, (count,))
    size = draw_uniform(generator, 0.6, 1.15, (count,))
    stretch = torch.exp(draw_uniform(generator, -0.25, 0.25, (count,)))
    cos, sin = angle.cos() / size, angle.sin() / size
    rows = torch.stack([cos / aspect * stretch, -sin / aspect * stretch, sin, cos], 1)
    shift = draw_uniform(generator, -0.25, 0.25, (count, 2, 1))
    matrix = torch.cat([rows.view(count, 2, 2), shift], 2)
    grid = F.affine_grid(matrix, [count, 3, side, side], align_corners=False)
    bends = torch.randn((count, 2, 6, 6), generator=generator) * 0.03
    bends = F.interpolate(bends, (side, side), mode="bicubic", align_corners=False)
    return grid + bends.permute(0, 2, 3, 1)


def crease(garment: Tensor, generator: torch.Generator) -> Tensor:
    """Shade (B, 3, h, w) in [-1, 1] by folds of several widths."""
    count, size = len(garment), garment.shape[-2:]
    folds = torch.zeros(count, 1, *size)
    for cells in ((4, 3), (12, 5), (8, 16)):
        noise = torch.randn((count, 1, *cells), generator=generator)
        strength = draw_uniform(generator, 0, 0.16, (count, 1, 1, 1))
        folds += strength * F.interpolate(noise, size, mode="bicubic", align_corners=False)
    return ((garment + 1) * (1 + folds) - 1).clamp(-1, 1)
