"""Negative prompts without a second pass: attention is guided away from what is not wanted.

A one-step student has no classifier-free guidance to turn a negative prompt into. NASA (SNOOPI,
arXiv 2412.02687) subtracts what the negative prompt attends to; NAG (arXiv 2505.21179) moves away
from it and keeps the size of the features, which is gentler inside joint attention.

FLUX has one attention over prompt and picture. Its sequence becomes [prompt; negative; picture]:
each prompt attends to itself and the picture, the picture attends twice, and the two results are
joined. So a negative prompt costs its own tokens and one attention more, not a second pass:

    Z+ = Attn(Q, [K+, K], [V+, V])      Z- = Attn(Q, [K-, K], [V-, V])      Z = guidance(Z+, Z-)

Both prompts are modulated by the pooled embedding of the wanted one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class NASA:
    """Z = Z+ + a (Z+ - Z-): what the negative prompt brings that the prompt does not is taken away.

    In cross-attention the paper has Z+ - a Z-. Here both hold the picture's own values, which that
    would shrink by 1 - a; with the difference, a negative prompt equal to the prompt does nothing.

    Attributes:
        strength: a; 0.1 for SD1.5, 0.2 for SD2.1, 0.5 for PixArt, a transformer, in the paper.
    """

    strength: float = 0.5

    @property
    def idle(self) -> bool:
        """Whether it changes nothing, whatever the negative prompt."""
        return self.strength == 0

    def __call__(self, positive: Tensor, negative: Tensor) -> Tensor:
        """Return Z of Z+ and Z-, (..., D) each."""
        return positive + self.strength * (positive - negative)


@dataclass(frozen=True)
class NAG:
    """Normalised attention guidance.

    Z~ = s Z+ - (s - 1) Z-, its L1 norm held within `limit` times that of Z+, then blended with Z+.

    Attributes:
        scale: s; 1 changes nothing.
        limit: tau.
        blend: alpha, share of the guided features in the result.
    """

    scale: float = 5.0
    limit: float = 2.5
    blend: float = 0.25

    @property
    def idle(self) -> bool:
        """Whether it changes nothing, whatever the negative prompt."""
        return self.scale == 1 or self.blend == 0

    def __call__(self, positive: Tensor, negative: Tensor) -> Tensor:
        """Return the blend for Z+ and Z-, (..., D) each; D is all heads together."""
        guided = positive + (self.scale - 1) * (positive - negative)
        most = self.limit * positive.norm(p=1, dim=-1, keepdim=True)
        size = guided.norm(p=1, dim=-1, keepdim=True)
        tiny = torch.finfo(size.dtype).tiny
        guided = guided * (most / size.clamp_min(tiny)).clamp_max(1.0)
        return torch.lerp(positive, guided, self.blend)


NegativeGuidance = NASA | NAG
FLUX_NAG = NAG()
"""The paper's setting for FLUX."""


@dataclass(frozen=True)
class NegativeAttention:
    """How a sequence [prompt; negative; picture] is attended to; part of `joint_attention_kwargs`.

    Attributes:
        guidance: joins the picture's two results.
        prompt: tokens of the prompt.
        negative: tokens of the negative prompt.
    """

    guidance: NegativeGuidance
    prompt: int
    negative: int

    def attend(self, attention: Callable[[Tensor, Tensor, Tensor], Tensor], *qkv: Tensor) -> Tensor:
        """Attend to the whole sequence.

        Args:
            attention: attention of queries, keys and values (B, S, heads, head_dim).
            qkv: queries, keys and values of the whole sequence.

        Returns:
            (B, S, heads, head_dim).
        """
        texts = self.prompt, self.negative
        parts = [x.split((*texts, x.shape[1] - sum(texts)), dim=1) for x in qkv]
        both = [attention(*(torch.cat([p[side], p[2]], dim=1) for p in parts)) for side in (0, 1)]
        own, seen = zip(
            *(x.tensor_split([count], dim=1) for x, count in zip(both, texts, strict=True)),
            strict=True,
        )
        guided = self.guidance(*(x.flatten(2) for x in seen)).view_as(seen[0])
        return torch.cat([*own, guided], dim=1)
