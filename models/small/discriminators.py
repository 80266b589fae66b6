"""Discriminators that look at pictures patch by patch."""

from __future__ import annotations

import itertools

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn


class PatchDiscriminator(ModelMixin, ConfigMixin):
    """pix2pix's: is each patch of a picture real, given what it was made from? (arXiv 1611.07004).

    Args:
        conditions: how many kinds of picture there are; each has logits of its own.
        width: channels of the first layer; the others double it.
        layers: how often the size is halved.
    """

    @register_to_config
    def __init__(self, conditions: int = 1, width: int = 32, layers: int = 3) -> None:
        super().__init__()
        widths = [6, *(width * 2**layer for layer in range(layers))]
        body: list[nn.Module] = []
        for number, (before, after) in enumerate(itertools.pairwise(widths)):
            body.append(nn.Conv2d(before, after, 4, 2, 1))
            if number:
                body.append(nn.GroupNorm(8, after))
            body.append(nn.LeakyReLU(0.2))
        self.body = nn.Sequential(*body)
        self.head = nn.Conv2d(widths[-1], conditions, 3, padding=1)

    def forward(self, source: Tensor, picture: Tensor, condition: Tensor) -> Tensor:
        """Return logits, (B, H / 2^layers, W / 2^layers), large for what it takes to be real.

        Args:
            source: (B, 3, H, W) in [-1, 1].
            picture: the same shape, real or made from `source`.
            condition: (B,) int64, the kind of each picture.
        """
        logits = self.head(self.body(torch.cat([source, picture], dim=1)))
        return logits[torch.arange(len(logits), device=logits.device), condition]
