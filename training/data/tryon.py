"""Batches for try-on: a person, the garment they wear, another garment, and the teacher's view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models import seeding
from models.analysis.human_parsing import Part
from models.ops.agnostic import L_SHOULDER, R_SHOULDER, condition_of, is_part
from training.data.parsing import to_unit
from training.data.viton import open_split


def fill_region(person: Tensor, parts: Tensor, garment: Tensor, mask: Tensor) -> Tensor:
    """Paint another garment flat into the region of the one that is worn.

    The garment's bounding box is stretched over the region's, and only the region is painted; where
    the stretched garment is not, its mean colour is.

    Args:
        person: (B, 3, H, W) in [-1, 1].
        parts: (B, H, W) labels.
        garment: (B, 3, H, W) in [-1, 1], flat.
        mask: (B, 1, H, W), 1 where the garment is.
    """
    region = is_part(parts, Part.UPPER)
    to, at = bounds(region), bounds(mask)
    scale = (at[:, 2:] - at[:, :2]) / (to[:, 2:] - to[:, :2]).clamp_min(0.05)
    shift = at[:, :2] - to[:, :2] * scale
    height, width = person.shape[-2:]
    y = torch.linspace(-1, 1, height).view(1, height, 1)
    x = torch.linspace(-1, 1, width).view(1, 1, width)
    grid_x = (x * scale[:, 0, None, None] + shift[:, 0, None, None]).expand(-1, height, -1)
    grid_y = (y * scale[:, 1, None, None] + shift[:, 1, None, None]).expand(-1, -1, width)
    grid = torch.stack([grid_x, grid_y], -1)
    there = F.grid_sample(mask, grid, align_corners=True)
    flat = F.grid_sample(garment, grid, padding_mode="border", align_corners=True)
    mean = (garment * mask).sum((2, 3), keepdim=True) / mask.sum((2, 3), keepdim=True).clamp_min(1)
    return person.lerp(mean.lerp(flat, there), region)


def bounds(mask: Tensor) -> Tensor:
    """Return the box of (B, 1, H, W) masks as x0, y0, x1, y1 in [-1, 1], (B, 4)."""

    def ends(line: Tensor) -> tuple[Tensor, Tensor]:
        count = line.shape[1]
        positions = torch.linspace(-1, 1, count)
        low = torch.where(line > 0.5, positions, 2.0).amin(1)
        high = torch.where(line > 0.5, positions, -2.0).amax(1)
        nothing = low > high
        return low.masked_fill(nothing, -1.0), high.masked_fill(nothing, 1.0)

    x0, x1 = ends(mask[:, 0].amax(1))
    y0, y1 = ends(mask[:, 0].amax(2))
    return torch.stack([x0, y0, x1, y1], 1)


class TryOnData:
    """One split of VITON for try-on.

    Args:
        folder: the tars.
        cache: where arrays are kept.
        size_hw: height and width.
        split: "train" or "validation".
    """

    def __init__(
        self, folder: Path, cache: Path, size_hw: tuple[int, int], split: str = "train"
    ) -> None:
        self.arrays, rows = open_split(folder, cache, split, size_hw)
        # A sample is of use if the parse found a garment and a face to keep.
        worn = (self.arrays.parts[rows][:, ::4, ::4] == Part.UPPER).mean((1, 2))
        self.rows = rows[worn > 0.03]

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch; pictures (B, 3, H, W) in [-1, 1], masks (B, 1, H, W).

        Returns:
            `person`, `garment`, `garment_mask`, `parts` (B, H, W), `pose` (B, 18, 3), `condition`,
            `other_garment`, `other_mask` (of another sample), `fill` (the person with the other
            garment painted into the region) and `draw`, (B,) in [0, 1), to choose by.
        """
        others = torch.randint(len(self), indices.shape, generator=generator)
        return assemble(
            *self._read(indices),
            *self._read(others)[1:3],
            torch.rand(indices.shape, generator=generator),
        )

    def _read(self, indices: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        rows, arrays = self.rows[indices.numpy()], self.arrays
        return (
            to_unit(arrays.person[rows]),
            to_unit(arrays.garment[rows]),
            torch.from_numpy(arrays.garment_mask[rows]).float()[:, None] / 255,
            torch.from_numpy(arrays.parts[rows].astype(np.int64)),
            torch.from_numpy(arrays.pose[rows]),
        )


def assemble(
    person: Tensor,
    garment: Tensor,
    mask: Tensor,
    parts: Tensor,
    pose: Tensor,
    other_garment: Tensor,
    other_mask: Tensor,
    draw: Tensor,
) -> dict[str, Tensor]:
    """Return a batch as `TryOnData.batch` describes it, from its pictures."""
    # Garment off its background: outside the mask is 0, which is grey in [-1, 1].
    return {
        "person": person,
        "garment": garment * mask,
        "garment_mask": mask,
        "parts": parts,
        "pose": pose,
        "condition": condition_of(person, parts, pose),
        "other_garment": other_garment * other_mask,
        "other_mask": other_mask,
        "fill": fill_region(person, parts, other_garment, other_mask),
        "draw": draw,
    }


class MadeUpTryOn:
    """Box people in plain shirts, for `tiny`."""

    def __init__(self, size_hw: tuple[int, int] = (64, 64)) -> None:
        self.size_hw = size_hw

    def __len__(self) -> int:
        return 16

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch as `TryOnData` does."""
        height, width = self.size_hw
        count = len(indices)
        palette = torch.rand((16, 3, 1, 1), generator=seeding.generator_for(0, "shirts")) * 2 - 1
        parts = torch.full((count, height, width), int(Part.BACKGROUND))
        parts[:, height // 3 : -8, width // 4 : -width // 4] = int(Part.UPPER)
        parts[:, 4 : height // 3, width // 3 : -width // 3] = int(Part.FACE)
        worn = is_part(parts, Part.UPPER)
        mask = torch.zeros(count, 1, height, width)
        mask[:, :, 8:-8, 8:-8] = 1
        others = torch.randint(16, (count,), generator=generator)
        flat = palette[indices].expand(-1, -1, height, width)
        person = torch.zeros(count, 3, height, width).lerp(flat, worn)
        pose = torch.zeros(count, 18, 3)
        pose[:, R_SHOULDER] = torch.tensor([0.3, 0.4, 1.0])
        pose[:, L_SHOULDER] = torch.tensor([0.7, 0.4, 1.0])
        other = palette[others].expand(-1, -1, height, width)
        draw = torch.rand((count,), generator=generator)
        return assemble(person, flat, mask, parts, pose, other, mask, draw)
