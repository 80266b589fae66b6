"""What a try-on paints at each checkpoint: the same people, garments and noise every time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from PIL import Image
from torch import Tensor

from models import seeding
from models.mcvton.sampling import GUIDANCE, denoise
from models.mcvton.transformer import MinimalControl
from models.ops.vae import decode


@dataclass(frozen=True)
class Gallery:
    """Samples to look at.

    Attributes:
        vae: decodes.
        latents: `person`, `masked_person` and `garment`, (B, C, H, W); not trained on.
        sigmas: noise levels to paint with.
    """

    vae: AutoencoderKL
    latents: dict[str, Tensor]
    sigmas: tuple[float, ...]

    @torch.no_grad()
    def paint(self, control: MinimalControl, *, paired: bool, distilled: bool = False) -> Tensor:
        """Return what the model paints, latents (B, C, H, W).

        Args:
            control: the model.
            paired: in the garment each person wears, else in the next person's.
            distilled: with the D-LoRA.
        """
        device = control.transformer.device
        person, garment = (self.latents[n].to(device) for n in ("masked_person", "garment"))
        memory = control.remember(person, garment if paired else garment.roll(-1, 0))
        generator = seeding.generator_for(0, "gallery")
        noise = torch.randn(person.shape, generator=generator).to(device)
        *_, last = denoise(control, noise, self.sigmas, memory, GUIDANCE, distilled=distilled)
        return last.latents

    def save(self, painted: Tensor, path: Path) -> None:
        """Write rows of person, own garment, and what was painted in the next one's."""
        columns = [self.latents["person"], self.latents["garment"], painted]
        rows = torch.cat([torch.cat(list(decode(self.vae, x)), 1) for x in columns], 2)
        pixels = ((rows.cpu() + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
