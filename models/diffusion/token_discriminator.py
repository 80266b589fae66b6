"""LADD's discriminator: small heads on features of the frozen teacher (arXiv 2403.12015)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from torch import Tensor, nn


class TokenHeads(ModelMixin, ConfigMixin):
    """One head for each of several blocks; a head gives every token a logit.

    Args:
        width: of the tokens.
        blocks: numbers of the blocks whose features are judged, counted over both kinds.
        hidden: width inside a head.
    """

    @register_to_config
    def __init__(self, width: int, blocks: Sequence[int], hidden: int = 256) -> None:
        super().__init__()
        self.blocks = tuple(blocks)
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, hidden), nn.SiLU(), nn.Linear(hidden, 1)
            )
            for _ in blocks
        )

    def forward(self, features: dict[int, Tensor]) -> Tensor:
        """Return the logits, (B, blocks, tokens), of features (B, tokens, width) by block."""
        logits = [
            head(features[block].to(self.dtype)).squeeze(-1)
            for block, head in zip(self.blocks, self.heads, strict=True)
        ]
        return torch.stack(logits, 1)


@contextmanager
def capture_features(
    transformer: FluxTransformer2DModel, blocks: Sequence[int]
) -> Iterator[dict[int, Tensor]]:
    """Collect the image tokens that leave some blocks while the transformer runs."""
    captured: dict[int, Tensor] = {}
    every = [*transformer.transformer_blocks, *transformer.single_transformer_blocks]

    def hook(number: int) -> Callable[[nn.Module, object, tuple[Tensor, Tensor]], None]:
        def keep(block: nn.Module, inputs: object, output: tuple[Tensor, Tensor]) -> None:
            captured[number] = output[1]

        return keep

    handles = [every[number].register_forward_hook(hook(number)) for number in blocks]
    try:
        yield captured
    finally:
        for handle in handles:
            handle.remove()
