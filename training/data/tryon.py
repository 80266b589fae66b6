"""Batches for try-on: a person, the garment they wear, another garment, and the teacher's view."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models import seeding
from models.analysis.human_parsing import Part
from training.data.parsing import to_unit
from training.data.viton import IGNORE, open_split

# OpenPose points: neck, right and left shoulder, elbow, wrist, hip.
NECK = 1
R_SHOULDER, R_ELBOW, R_WRIST, L_SHOULDER, L_ELBOW, L_WRIST, R_HIP, L_HIP = 2, 3, 4, 5, 6, 7, 8, 11
# Segments of the body a top may cover, and the half width of each as a share of the height.
LIMBS = (
    (R_SHOULDER, R_ELBOW, 0.055),
    (R_ELBOW, R_WRIST, 0.05),
    (L_SHOULDER, L_ELBOW, 0.055),
    (L_ELBOW, L_WRIST, 0.05),
    (R_SHOULDER, R_HIP, 0.08),
    (L_SHOULDER, L_HIP, 0.08),
    (R_SHOULDER, L_SHOULDER, 0.06),
    (R_SHOULDER, L_HIP, 0.08),
    (L_SHOULDER, R_HIP, 0.08),
)
REMOVED = (Part.UPPER, Part.LEFT_ARM, Part.RIGHT_ARM, Part.NECK)
PRESERVED = (Part.FACE, Part.HAIR, Part.HANDS)


def is_part(parts: Tensor, *wanted: int) -> Tensor:
    """Return (B, 1, H, W) float, 1 where the label is one of `wanted`."""
    found = torch.zeros_like(parts, dtype=torch.bool)
    for part in wanted:
        found |= parts == int(part)
    return found[:, None].float()


def grow(mask: Tensor, share: float) -> Tensor:
    """Dilate (B, 1, H, W) by a square whose half side is `share` of the height."""
    radius = max(1, round(share * mask.shape[-2]))
    wide = F.max_pool2d(mask, (1, 2 * radius + 1), 1, (0, radius))
    return F.max_pool2d(wide, (2 * radius + 1, 1), 1, (radius, 0))


def limb_mask(pose: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Return where arms and torso are by the pose alone, (B, 1, H, W).

    Args:
        pose: (B, 18, 3), x and y as shares of width and height, confidence; 0 if not found.
        size_hw: H and W.
    """
    height, width = size_hw
    y = (torch.arange(height) + 0.5)[:, None]
    x = (torch.arange(width) + 0.5)[None]
    points = pose[..., :2] * torch.tensor([width, height])
    mask = torch.zeros(len(pose), height, width)
    for start, end, half in LIMBS:
        a, b = points[:, start, :, None, None], points[:, end, :, None, None]
        along = b - a
        length = along.square().sum(1).clamp_min(1e-6)
        share = ((x - a[:, 0]) * along[:, 0] + (y - a[:, 1]) * along[:, 1]) / length
        share = share.clamp(0, 1)
        away = torch.hypot(x - a[:, 0] - share * along[:, 0], y - a[:, 1] - share * along[:, 1])
        seen = (pose[:, start, 2] > 0) & (pose[:, end, 2] > 0)
        mask = torch.maximum(mask, ((away < half * height) & seen[:, None, None]).float())
    return mask[:, None]


def pose_maps(pose: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Return a soft dot for each point, (B, 18, H, W) in [0, 1]."""
    height, width = size_hw
    sigma = 0.025 * height
    rows = (torch.arange(height) + 0.5 - pose[..., 1:2] * height) / sigma
    columns = (torch.arange(width) + 0.5 - pose[..., 0:1] * width) / sigma
    dots = (
        torch.exp(-0.5 * rows.square())[..., None]
        * torch.exp(-0.5 * columns.square())[..., None, :]
    )
    return dots * (pose[..., 2, None, None] > 0)


def condition_of(person: Tensor, parts: Tensor, pose: Tensor) -> Tensor:
    """Make what the teacher sees of a person: all but the garment, arms and neck.

    The hole is wider than what it removes, and follows the pose, so that neither the old sleeves
    nor the old hem can be read from its outline.

    Args:
        person: (B, 3, H, W) in [-1, 1].
        parts: (B, H, W) labels; IGNORE counts as removed where it touches what is removed.
        pose: (B, 18, 3), shares of width and height.

    Returns:
        (B, 22, H, W): agnostic picture, hole, pose maps.
    """
    size = (person.shape[-2], person.shape[-1])
    removed = is_part(parts, *REMOVED)
    removed = torch.maximum(removed, is_part(parts, IGNORE) * grow(removed, 0.06))
    hole = torch.maximum(grow(removed, 0.045), limb_mask(pose, size))
    hole = hole * (1 - is_part(parts, *PRESERVED))
    return torch.cat([person * (1 - hole), hole, pose_maps(pose, size)], 1)


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
