"""MC-VTON's stages: learn to dress a person from two conditions, then in eight steps."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.diffusion.token_discriminator import TokenHeads, capture_features
from models.diffusion.vae import VAE
from models.mcvton.sampling import GUIDANCE
from models.mcvton.transformer import Memory, MinimalControl
from training.loop import Method
from training.losses import adversarial, flow


class MCVTONTryOn(Method):
    """Stage 1: both LoRAs learn by flow matching on the noise's tokens; FLUX stays frozen.

    Args:
        control: the transformer, MP-LoRA and G-LoRA.
        drop: share of samples whose masked person, and share whose garment, is left out.
    """

    def __init__(self, control: MinimalControl, drop: float = 0.1) -> None:
        self.control, self.drop = control, drop
        control.transformer.requires_grad_(False)
        self.networks = {
            "person": control.person,
            "garment": control.garment,
            "prompt": control.prompt,
        }
        self.phases = {"adapters": ("person", "garment")}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the flow-matching loss of a batch of `LatentTryOn`, which brings its noise."""
        x0, noise, t = batch["person"], batch["noise"], batch["time"]
        keep = (batch["keep"] >= self.drop).to(x0)
        person = batch["masked_person"] * flow.per_sample(keep[:, 0], x0)
        garment = batch["garment"] * flow.per_sample(keep[:, 1], x0)
        memory = self.control.remember(person, garment)
        v = self.control.velocity(flow.add_noise(x0, noise, t), t, memory)
        return {"flow": flow.flow_matching(v, x0, noise)}


class MCVTONStudent(Method):
    """Stage 2: the noise branch's D-LoRA learns to paint in a few steps (ADD, arXiv 2311.17042).

    The student predicts a picture from one of its noise levels. That picture is noised anew, and
    the student learns to give what the teacher, stage 1 without the D-LoRA, makes of it.

    Args:
        control: with a D-LoRA that knows its sigmas.
        heads: of LADD's discriminator, or None to do without; the paper does not say.
        guidance: given to both, and to the student ever after.
        reconstruct: weight of the distance to the photograph.
        adversarial: weight of the hinge loss.
    """

    def __init__(
        self,
        control: MinimalControl,
        heads: TokenHeads | None = None,
        guidance: float = GUIDANCE,
        reconstruct: float = 1.0,
        adversarial: float = 0.1,
    ) -> None:
        assert control.noise is not None
        self.control, self.heads, self.guidance = control, heads, guidance
        self.reconstruct, self.adversarial = reconstruct, adversarial
        self.sigmas = torch.tensor(control.noise.config["sigmas"])
        control.transformer.requires_grad_(False)
        networks: dict[str, nn.Module] = {
            "student": control.noise,
            "person": control.person,
            "garment": control.garment,
            "prompt": control.prompt,
        }
        phases: dict[str, tuple[str, ...]] = {"student": ("student",)}
        if heads is not None:
            networks["heads"] = heads
            phases["heads"] = ("heads",)
        self.networks, self.phases = networks, phases

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the losses of the student, or of the discriminator's heads."""
        x0, t = batch["person"], batch["time"]
        with torch.no_grad():
            memory = self.control.remember(batch["masked_person"], batch["garment"])
        with torch.set_grad_enabled(phase == "student"):
            picture = self.paint(batch, memory)
        again = flow.add_noise(picture, batch["noise_again"], t)
        if phase == "heads":
            assert self.heads is not None
            with torch.no_grad():
                fake = self._capture_features(again, t, memory)
                real = self._capture_features(flow.add_noise(x0, batch["noise_real"], t), t, memory)
            loss = adversarial.discriminator_loss(self.heads(real), self.heads(fake), "hinge")
            return {"discriminator": loss}
        with torch.no_grad():
            v = self.control.velocity(again, t, memory, self.guidance).float()
            teacher_picture = flow.x0_from_velocity(again, v, t)
        losses = {
            "distill": flow.score_distillation(picture, teacher_picture, t),
            "reconstruct": self.reconstruct * F.mse_loss(picture, x0),
        }
        if self.heads is not None:
            logits = self.heads(self._capture_features(again, t, memory))
            losses["adversarial"] = self.adversarial * adversarial.generator_loss(logits, "hinge")
        return losses

    def paint(self, batch: dict[str, Tensor], memory: Memory) -> Tensor:
        """Return the student's picture from one of its noise levels, latents (B, C, H, W)."""
        levels = (batch["level"].cpu() * len(self.sigmas)).long()
        t = self.sigmas[levels].to(batch["person"].device)
        x_t = flow.add_noise(batch["person"], batch["noise"], t)
        v = self.control.velocity(x_t, t, memory, self.guidance, distilled=True).float()
        return flow.x0_from_velocity(x_t, v, t)

    def _capture_features(self, x_t: Tensor, t: Tensor, memory: Memory) -> dict[int, Tensor]:
        assert self.heads is not None
        with capture_features(self.control.transformer, self.heads.blocks) as captured:
            self.control.velocity(x_t, t, memory, self.guidance)
        return captured


class MCVTONToyBase(Method):
    """Before stage 1, for toys: what FLUX.1-dev brings along, a painter of such pictures.

    Args:
        control: its transformer learns to paint without conditions.
        vae: kept beside it.
    """

    def __init__(self, control: MinimalControl, vae: VAE) -> None:
        self.control = control
        self.networks = {"transformer": control.transformer, "vae": vae, "prompt": control.prompt}
        self.phases = {"transformer": ("transformer",)}

    def step(
        self, batch: dict[str, Tensor], generator: torch.Generator, phase: str
    ) -> dict[str, Tensor]:
        """Return the flow-matching loss of one batch of latents."""
        x0, noise, t = batch["person"], batch["noise"], batch["time"]
        v = self.control.velocity(flow.add_noise(x0, noise, t), t, None)
        return {"flow": flow.flow_matching(v, x0, noise)}
