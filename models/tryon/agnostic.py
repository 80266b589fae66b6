"""What a parser-based try-on may see of a person: everything but the garment, arms and neck.

The person with a generous hole around pose and garment is called agnostic: neither the old sleeves
nor the old hem can be read from it. `background_plate` says what lies behind the hole.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from models.analysis.human_parsing import IGNORE, Part

# OpenPose points: neck, right and left shoulder, elbow, wrist, hip.
NECK = 1
R_SHOULDER, R_ELBOW, R_WRIST, L_SHOULDER, L_ELBOW, L_WRIST, R_HIP, L_HIP = 2, 3, 4, 5, 6, 7, 8, 11
R_KNEE, R_ANKLE, L_KNEE, L_ANKLE = 9, 10, 12, 13
Limb = tuple[int, int, float]
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


def limb_mask(pose: Tensor, size_hw: tuple[int, int], limbs: Sequence[Limb] = LIMBS) -> Tensor:
    """Return where limbs are by the pose alone, those of a top if not told, (B, 1, H, W).

    Args:
        pose: (B, 18, 3), x and y as shares of width and height, confidence; 0 if not found.
        size_hw: H and W.
        limbs: start, end, and half width as a share of the height.
    """
    height, width = size_hw
    y = (torch.arange(height) + 0.5)[:, None]
    x = (torch.arange(width) + 0.5)[None]
    points = pose[..., :2] * torch.tensor([width, height])
    mask = torch.zeros(len(pose), height, width)
    for start, end, half in limbs:
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


def background_plate(person: Tensor, parts: Tensor) -> Tensor:
    """Return the picture with garment, arms and neck taken out and the background put in.

    What a hole uncovers is filled from around it, coarse to fine: each pixel is the mean of the
    background in the smallest square of the pyramid that holds any.

    Args:
        person: (B, 3, H, W).
        parts: (B, H, W) labels; H and W as in `person`.

    Returns:
        (B, 3, H, W); equal to `person` wherever nothing was taken out.
    """
    taken = is_part(parts, *REMOVED, IGNORE)
    behind = is_part(parts, Part.BACKGROUND) * (1 - grow(taken, 0.012))
    return torch.where(
        grow(taken, 0.012) * (1 - is_part(parts, *PRESERVED)) > 0,
        _spread(person * behind, behind),
        person,
    )


def _spread(color: Tensor, known: Tensor) -> Tensor:
    """Fill what is not known of (B, 3, H, W), `color` being 0 there, from what is around it."""
    if min(known.shape[-2:]) <= 2:
        total = known.sum((2, 3), keepdim=True)
        around = color.sum((2, 3), keepdim=True) / total.clamp_min(1e-6)
        return around.expand_as(color)
    half = F.avg_pool2d(color, 2, ceil_mode=True), F.avg_pool2d(known, 2, ceil_mode=True)
    there = (half[1] > 0).to(known.dtype)
    coarse = _spread(half[0] / half[1].clamp_min(1e-6) * there, there)
    size = known.shape[-2:]
    smooth = F.interpolate(coarse, size=size, mode="bilinear", align_corners=False)
    return color + smooth * (1 - known)
