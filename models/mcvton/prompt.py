"""The one prompt MC-VTON knows, "Model", kept as the text encoders gave it."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor

PROMPT = "Model"


class FixedPrompt(ModelMixin, ConfigMixin):
    """Embeddings of a prompt that never changes, so that nobody who tries on needs T5 (9.5 GB).

    Args:
        tokens: number of text tokens.
        width: of T5's embeddings.
        pooled_width: of CLIP's.

    Attributes:
        embeds: (1, tokens, width).
        pooled: (1, pooled_width).
    """

    embeds: Tensor
    pooled: Tensor

    @register_to_config
    def __init__(self, tokens: int = 512, width: int = 4096, pooled_width: int = 768) -> None:
        super().__init__()
        self.register_buffer("embeds", torch.zeros(1, tokens, width))
        self.register_buffer("pooled", torch.zeros(1, pooled_width))

    @classmethod
    def of(cls, embeds: Tensor, pooled: Tensor) -> FixedPrompt:
        """Keep what FLUX's `encode_prompt` returned for one prompt."""
        prompt = cls(embeds.shape[1], embeds.shape[2], pooled.shape[1])
        prompt.embeds.copy_(embeds)
        prompt.pooled.copy_(pooled)
        return prompt
