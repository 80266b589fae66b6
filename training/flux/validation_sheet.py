"""What a try-on or a student paints at each checkpoint: the same people and noise every time."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models import seeding
from models.diffusion.few_step import FewStepSampler, Network
from models.diffusion.flux_tokens import unpack
from models.diffusion.vae import VAE, decode
from models.mcvton.sampling import denoise
from models.mcvton.transformer import MinimalControl
from models.reflora.denoiser import MakeupDenoiser
from training.flux.base import load_vae, move_to
from training.flux.trainer import FluxConfig


@dataclass(frozen=True)
class ValidationSheet:
    """Samples to look at.

    Attributes:
        vae: decodes.
        latents: `person`, `masked_person` and `garment`, (B, C, H, W); not trained on.
        sigmas: noise levels to paint with.
        guidance: embedded guidance.
    """

    vae: VAE
    latents: dict[str, Tensor]
    sigmas: tuple[float, ...]
    guidance: float

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
        *_, last = denoise(control, noise, self.sigmas, memory, self.guidance, distilled=distilled)
        return last.latents

    def paint_sheet(self, control: MinimalControl, *, distilled: bool = False) -> Tensor:
        """Return rows of person, own garment, and what is painted in the next person's.

        Returns:
            (B, 3, H, 3 W) in [-1, 1].
        """
        painted = self.paint(control, paired=False, distilled=distilled)
        columns = [self.latents["person"], self.latents["garment"], painted]
        return torch.cat([decode(self.vae, latents) for latents in columns], 3)


class StudentSheet:
    """What validation shows of a student.

    Args:
        teacher: whose size the pictures have.
        student: it paints.
        sampler: its own.
        config: of the run; names the autoencoder's folder.
    """

    def __init__(
        self,
        teacher: MakeupDenoiser,
        student: Network,
        sampler: FewStepSampler,
        config: FluxConfig,
    ) -> None:
        self.student, self.sampler, self.size_rc = student, sampler, teacher.size_rc
        self.vae, self.seed = load_vae(config.model), config.loop.seed

    def paint(self, batch: dict[str, Tensor]) -> Tensor:
        """Source, reference, result and truth side by side; one row a sample."""
        move_to(self.vae, batch["x0"].device)
        generator = seeding.generator_for(self.seed, "painted")
        noise = seeding.noise_like(batch["x0"], generator)
        made = self.sampler.sample(self.student, noise, batch["cond"], generator)
        shown = [*batch["cond"].chunk(2, dim=1), made, batch["x0"]]
        pictures = [decode(self.vae, unpack(x, *self.size_rc)) for x in shown]
        return torch.cat(pictures, dim=-1)
