"""E2GAN: a generator learns several looks, then an adapter of it learns one more."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from models.small.discriminators import PatchDiscriminator
from models.small.e2gan import E2Gan, LookAdapter
from training.loop import Method
from training.losses import adversarial
from training.methods.tiny_beauty import emphasis


class E2GanMethod(Method):
    """pix2pix: L1 to the teacher's picture, and a patch discriminator.

    The paper does not weight the L1; here painted pixels count up to ten times, since bare ones
    are most of a face.

    Args:
        generator: trained; or, under an adapter, frozen.
        discriminator: has a condition for every look.
        adapter: trained in place of the generator.
        weight: of the adversarial term; pix2pix has 1 to 100 of the L1.
    """

    lr_scale: Mapping[str, float] = {"discriminator": 0.2}  # it is small and quick to learn

    def __init__(
        self,
        generator: E2Gan,
        discriminator: PatchDiscriminator,
        adapter: LookAdapter | None = None,
        weight: float = 0.01,
    ) -> None:
        self.generator, self.discriminator = generator, discriminator
        self.adapter, self.weight = adapter, weight
        if adapter is None:
            self.networks = {"generator": generator, "discriminator": discriminator}
        else:
            generator.requires_grad_(False).eval()
            self.networks = {"adapter": adapter, "discriminator": discriminator}
        painter = next(iter(self.networks))
        self.phases = {"discriminator": ("discriminator",), painter: (painter,)}

    def paint_looks(self, bare: Tensor, look: Tensor) -> Tensor:
        """The faces in their looks, (B, 3, S, S)."""
        if self.adapter is not None:
            return self.adapter(self.generator, bare)
        return self.generator(bare, self.generator.concept(look))

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return `real_or_not` for the discriminator, `colours` and `fooled` for the painter.

        Args:
            batch: of `LookPairs`.
            generator: nothing is drawn.
            phase: "discriminator", "generator" or "adapter".
        """
        bare = batch["bare"].contiguous(memory_format=torch.channels_last)
        made_up, look = batch["made_up"], batch["look"]
        if phase == "discriminator":
            with torch.no_grad():
                painted = self.paint_looks(bare, look)
            real, fake = (self.discriminator(bare, x, look) for x in (made_up, painted))
            return {"real_or_not": adversarial.discriminator_loss(real, fake)}
        painted = self.paint_looks(bare, look)
        fake = self.discriminator(bare, painted, look)
        return {
            "colours": (emphasis(bare, made_up) * (painted - made_up).abs()).mean(),
            "fooled": self.weight * adversarial.generator_loss(fake),
        }
