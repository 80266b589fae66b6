"""Batches for try-on: a person, the garment they wear, another garment, and the teacher's view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models import seeding
from models.analysis.human_parsing import Part
from models.tryon.agnostic import (
    L_SHOULDER,
    R_SHOULDER,
    background_plate,
    condition_of,
    is_part,
)
from models.tryon.defringing import defringed
from training.data.tryon.parsing import MIRRORED, draw_backgrounds, draw_uniform, to_unit
from training.data.tryon.reposing import PoseRarity, Sample, repose
from training.data.tryon.viton import open_split


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
    to, at = find_bounds(region), find_bounds(mask)
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


def find_bounds(mask: Tensor) -> Tensor:
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


# Person, garment, its mask, parts, pose.
Raw = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]
# OpenPose's points as a mirror shows them.
MIRRORED_POINTS = [0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16]


class TryOnData:
    """One split of VITON for try-on.

    Args:
        folder: the tars.
        cache: where arrays are kept.
        size_hw: height and width.
        split: "train" or "validation"; only training samples are `varied`.
        reposed: share of samples whose person is put into a rare pose, where that can be done.
    """

    def __init__(
        self,
        folder: Path,
        cache: Path,
        size_hw: tuple[int, int],
        split: str = "train",
        reposed: float = 0.0,
    ) -> None:
        self.vary = split == "train"
        self.arrays, rows = open_split(folder, cache, split, size_hw)
        # A sample is of use if the parse found a garment and a face to keep.
        upper = (self.arrays.parts[rows][:, ::4, ::4] == Part.UPPER).mean((1, 2))
        self.rows = rows[upper > 0.03]
        self.reposed = reposed
        self.rarity = PoseRarity(self.arrays.pose[self.rows]) if reposed else None

    def __len__(self) -> int:
        return len(self.rows)

    def batch(self, indices: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return a batch; pictures (B, 3, H, W) in [-1, 1], masks (B, 1, H, W).

        Returns:
            `person`, `garment`, `garment_mask`, `parts` (B, H, W), `pose` (B, 18, 3), `condition`,
            `plate` (the person's picture with what lies behind garment and arms),
            `other_garment`, `other_mask` (of another sample), `fill` (the person with the other
            garment painted into the region) and `draw`, (B,) in [0, 1), to choose by.
        """
        others = torch.randint(len(self), indices.shape, generator=generator)
        other_garment, other_mask = self._read(others)[1:3]
        draw = torch.rand(indices.shape, generator=generator)
        sample = self._read(indices)
        if self.rarity is not None:
            sample = self._with_rare_poses(indices, sample, self.rarity, generator)
        if self.vary:
            sample = vary(*sample, generator)
        return assemble(*sample, other_garment, other_mask, draw)

    def _with_rare_poses(
        self,
        indices: Tensor,
        sample: Raw,
        rarity: PoseRarity,
        generator: torch.Generator,
    ) -> Raw:
        """Return the samples, some of their persons reposed."""
        person, _, _, parts, pose = sample
        for i in torch.nonzero(torch.rand(indices.shape, generator=generator) < self.reposed):
            row = self.rows[int(indices[i])]
            arrays = self.arrays.person[row], self.arrays.parts[row], self.arrays.pose[row]
            posed = repose(Sample(*map(np.asarray, arrays)), rarity, generator)
            if posed is not None:
                person[i] = to_unit(posed.person[None])
                parts[i] = torch.from_numpy(posed.parts.astype(np.int64))
                pose[i] = torch.from_numpy(posed.pose)
        return sample

    def _read(self, indices: Tensor) -> Raw:
        rows, arrays = self.rows[indices.numpy()], self.arrays
        return (
            to_unit(arrays.person[rows]),
            to_unit(arrays.garment[rows]),
            torch.from_numpy(arrays.garment_mask[rows]).float()[:, None] / 255,
            torch.from_numpy(arrays.parts[rows].astype(np.int64)),
            torch.from_numpy(arrays.pose[rows]),
        )


def vary(
    person: Tensor,
    garment: Tensor,
    mask: Tensor,
    parts: Tensor,
    pose: Tensor,
    generator: torch.Generator,
    new_background: float = 0.3,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Mirror person and garment, move the person a little, change the room.

    Users' photographs are cropped by a pose model, so people stand a little off the place they have
    in the set, and hardly ever before a white wall.

    Args:
        person: (B, 3, H, W) in [-1, 1].
        garment: (B, 3, H, W), mirrored with the person.
        mask: (B, 1, H, W), of the garment.
        parts: (B, H, W) labels.
        pose: (B, 18, 3), shares of width and height.
        generator: owner of the draws.
        new_background: share of persons that stand before another background.

    Returns:
        The five, changed.
    """
    count, _, height, width = person.shape
    # 1. Another room
    chosen = torch.rand((count, 1, 1, 1), generator=generator) < new_background
    behind = F.avg_pool2d(is_part(parts, Part.BACKGROUND), 3, 1, 1) * chosen
    person = person.lerp(draw_backgrounds(count, (height, width), generator), behind)
    # 2. Mirrored: both pictures, and what is left is right
    mirror = torch.rand((count,), generator=generator) < 0.5
    flip = mirror[:, None, None, None]
    garment = torch.where(flip, garment.flip(3), garment)
    mask = torch.where(flip, mask.flip(3), mask)
    parts = torch.where(mirror[:, None, None], MIRRORED[parts], parts)
    pose = torch.where(mirror[:, None, None], pose[:, MIRRORED_POINTS], pose)
    # 3. Moved: `grid` says for each new pixel where it was
    angle = draw_uniform(generator, -0.07, 0.07, (count,))
    scale = torch.exp(draw_uniform(generator, -0.09, 0.09, (count,)))
    cos, sin = angle.cos() * scale, angle.sin() * scale * height / width
    sign = torch.where(mirror, -1.0, 1.0)
    rotation = torch.stack([sign * cos, -sign * sin, sin * (width / height) ** 2, cos], 1).view(
        count, 2, 2
    )
    shift = draw_uniform(generator, -0.08, 0.08, (count, 2, 1))
    grid = F.affine_grid(
        torch.cat([rotation, shift], 2), [count, 3, height, width], align_corners=False
    )
    person = F.grid_sample(person, grid, padding_mode="border", align_corners=False)
    layer = F.grid_sample(
        parts[:, None].float(), grid, mode="nearest", padding_mode="border", align_corners=False
    )
    places = (pose[..., :2] * 2 - 1).transpose(1, 2)
    moved = torch.linalg.solve(rotation, places - shift).transpose(1, 2) / 2 + 0.5
    return person, garment, mask, layer[:, 0].long(), torch.cat([moved, pose[..., 2:]], 2)


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
        "garment": defringed(garment, mask),
        "garment_mask": mask,
        "parts": parts,
        "pose": pose,
        "condition": condition_of(person, parts, pose),
        "plate": background_plate(person, parts),
        "other_garment": defringed(other_garment, other_mask),
        "other_mask": other_mask,
        "fill": fill_region(person, parts, other_garment, other_mask),
        "draw": draw,
    }


class SyntheticTryOn:
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
        upper = is_part(parts, Part.UPPER)
        mask = torch.zeros(count, 1, height, width)
        mask[:, :, 8:-8, 8:-8] = 1
        others = torch.randint(16, (count,), generator=generator)
        flat = palette[indices].expand(-1, -1, height, width)
        person = torch.zeros(count, 3, height, width).lerp(flat, upper)
        pose = torch.zeros(count, 18, 3)
        pose[:, R_SHOULDER] = torch.tensor([0.3, 0.4, 1.0])
        pose[:, L_SHOULDER] = torch.tensor([0.7, 0.4, 1.0])
        other = palette[others].expand(-1, -1, height, width)
        draw = torch.rand((count,), generator=generator)
        return assemble(person, flat, mask, parts, pose, other, mask, draw)
