"""FLUX sees a picture as tokens: two by two latent pixels each, at a place (kind, row, column)."""

from __future__ import annotations

import torch
from torch import Tensor

TARGET, SOURCE, REFERENCE = 0, 1, 2
"""First position id: what is being made, the picture it is made from, its reference."""


def pack(latents: Tensor) -> Tensor:
    """Gather latents into tokens: "b c (h 2) (w 2) -> b (h w) (c 4)".

    Args:
        latents: (B, C, 2h, 2w).

    Returns:
        (B, h * w, 4 * C), row by row.
    """
    batch, channels, height, width = latents.shape
    split = latents.reshape(batch, channels, height // 2, 2, width // 2, 2)
    return split.permute(0, 2, 4, 1, 3, 5).reshape(batch, height * width // 4, 4 * channels)


def unpack(tokens: Tensor, rows: int, columns: int) -> Tensor:
    """Lay tokens out as latents again, (B, C, 2 * rows, 2 * columns); undoes `pack`."""
    batch, _, width = tokens.shape
    split = tokens.reshape(batch, rows, columns, width // 4, 2, 2)
    return split.permute(0, 3, 1, 4, 2, 5).reshape(batch, width // 4, 2 * rows, 2 * columns)


def position_ids(rows: int, columns: int, kind: int, shift: int = 0) -> Tensor:
    """Where each token of a picture is: (rows * columns, 3) float32.

    Args:
        rows: of tokens.
        columns: of tokens.
        kind: TARGET, SOURCE or REFERENCE.
        shift: added to the column; -columns puts a picture to the left of the target.
    """
    i, j = torch.meshgrid(torch.arange(rows), torch.arange(columns) + shift, indexing="ij")
    return torch.stack([torch.full_like(i, kind), i, j], dim=-1).reshape(-1, 3).float()


def token_means(mask: Tensor, rows: int, columns: int) -> Tensor:
    """Mean of a mask over the pixels of each token: (B, H, W) to (B, rows * columns)."""
    return torch.nn.functional.adaptive_avg_pool2d(mask[:, None], (rows, columns)).flatten(1)
