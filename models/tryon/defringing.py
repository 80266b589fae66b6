"""What is left of the background along the edge of something cut out."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def defringed(picture: Tensor, mask: Tensor) -> Tensor:
    """Give the outermost pixel of a cut-out the colour of what lies within.

    A garment on white has a rim that is half white; moved before a dark room, it shines.

    Args:
        picture: (B, 3, H, W).
        mask: (B, 1, H, W), 1 on what was cut out; thin parts without an inside keep their colour.

    Returns:
        (B, 3, H, W), 0 off the mask.
    """
    inner = -F.max_pool2d(-mask, 3, 1, 1)
    near = F.avg_pool2d(inner, 3, 1, 1)
    within = F.avg_pool2d(picture * inner, 3, 1, 1) / near.clamp_min(1e-6)
    return picture.where((inner > 0) | (near < 0.05), within) * mask
