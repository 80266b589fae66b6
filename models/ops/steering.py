"""Negative prompts without a second pass: steering attention away from what is not wanted.

A one-step student has no classifier-free guidance to turn a negative prompt into. NASA (SNOOPI,
arXiv 2412.02687) subtracts what the negative prompt attends to; NAG (arXiv 2505.21179) moves away
from it and keeps the size of the features, which is gentler inside joint attention.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F


def nasa(
    query: Tensor,
    positive: tuple[Tensor, Tensor],
    negative: tuple[Tensor, Tensor],
    strength: float = 0.2,
) -> Tensor:
    """Z = Attn(Q, K+, V+) - a Attn(Q, K-, V-).

    Args:
        query: (B, heads, N, D).
        positive: keys and values of the prompt, (B, heads, T, D) each.
        negative: keys and values of the negative prompt.
        strength: a; 0.1 for SD1.5, 0.2 for SD2.1, 0.5 for PixArt in the paper.

    Returns:
        (B, heads, N, D).
    """
    wanted = F.scaled_dot_product_attention(query, *positive)
    return wanted - strength * F.scaled_dot_product_attention(query, *negative)


def nag(
    positive: Tensor, negative: Tensor, scale: float = 5.0, limit: float = 2.5, blend: float = 0.25
) -> Tensor:
    """Normalised attention guidance of two attention outputs.

    Z~ = s Z+ - (s - 1) Z-, its L1 norm held within `limit` times that of Z+, then blended with Z+.

    Args:
        positive: Z+, (..., D).
        negative: Z-, (..., D).
        scale: s; 1 changes nothing.
        limit: tau.
        blend: share of the guided features in the result.

    Returns:
        (..., D).
    """
    guided = scale * positive - (scale - 1) * negative
    ratio = guided.norm(p=1, dim=-1, keepdim=True) / positive.norm(p=1, dim=-1, keepdim=True)
    guided = guided * (limit / ratio.clamp_min(limit))
    return blend * guided + (1 - blend) * positive
