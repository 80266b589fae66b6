"""Is a face bare? A judge of removed makeup; it takes no part in removing it."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from models.beautybank.networks import PatchEncoder
from models.beautybank.patches import PATCHES, REGIONS
from models.beautybank.reading import CHANNELS


class BareClassifier(ModelMixin, ConfigMixin):
    """One small encoder a region, then one number.

    Args:
        base: channels at half of a patch's size.
        width: of each encoder's vector.
    """

    @register_to_config
    def __init__(self, base: int = 16, width: int = 32) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict(
            {r: PatchEncoder(p, CHANNELS, base, width) for r, p in PATCHES.items()}
        )
        self.out = nn.Linear(width * len(REGIONS), 1)

    def forward(self, patches: dict[str, Tensor]) -> Tensor:
        """Logits that the faces are bare.

        Args:
            patches: region -> (B, 14, h, w), from `reading.patches_of`.

        Returns:
            (B,).
        """
        seen = [self.encoders[region](patches[region]) for region in REGIONS]
        return self.out(torch.cat(seen, 1))[:, 0]
