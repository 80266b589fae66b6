"""MC-VTON on whole pictures: FLUX paints the masked part anew, in the garment."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.pipelines.pipeline_utils import DiffusionPipeline
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from PIL import Image
from torch import Tensor

from models.diffusion.vae import decode, encode
from models.errors import ShapeError
from models.mcvton.adapters import BranchLoRA
from models.mcvton.prompt import FixedPrompt
from models.mcvton.sampling import GUIDANCE, denoise, flux_sigmas
from models.mcvton.transformer import Memory, MinimalControl
from models.ops.crops import cut
from pipelines.steps import OnStep, ProgressReporter, to_float_pixels, to_images, to_tensor
from pipelines.tryon.output import PaintedTryOn
from pipelines.tryon.working_crop import find_working_box, fit_garment, put_back, resize


class MCVTONPipeline(DiffusionPipeline):
    """Put a garment on a person where a mask allows it.

        pipe = MCVTONPipeline.from_pretrained("mc-vton").to("cuda")
        result = pipe(person, garment, mask, seeds=[7])
        result.images[0].save("out.png")

    The mask comes from `pipelines.tryon.agnostic` and may be edited. FLUX.1-dev's text encoders are
    not needed: the one prompt is kept in `prompt`.

    Args:
        scheduler: FLUX's; its shift by the number of tokens is used.
        vae: FLUX's.
        transformer: FLUX.1-dev.
        prompt: embeddings of "Model".
        person_adapter: MP-LoRA.
        garment_adapter: G-LoRA.
        student_adapter: D-LoRA of the 8-step form; None has only the many steps of FLUX.
        height, width: of the working crop, multiples of a token's pixels (16).
    """

    model_cpu_offload_seq = "transformer->vae"
    _exclude_from_cpu_offload = [  # noqa: RUF012
        "prompt",
        "person_adapter",
        "garment_adapter",
        "student_adapter",
    ]
    _optional_components = ["student_adapter"]  # noqa: RUF012

    def __init__(
        self,
        scheduler: FlowMatchEulerDiscreteScheduler,
        vae: AutoencoderKL,
        transformer: FluxTransformer2DModel,
        prompt: FixedPrompt,
        person_adapter: BranchLoRA,
        garment_adapter: BranchLoRA,
        student_adapter: BranchLoRA | None = None,
        height: int = 1024,
        width: int = 768,
    ) -> None:
        super().__init__()
        self.register_modules(
            scheduler=scheduler,
            vae=vae,
            transformer=transformer,
            prompt=prompt,
            person_adapter=person_adapter,
            garment_adapter=garment_adapter,
            student_adapter=student_adapter,
        )
        self.register_to_config(height=height, width=width)
        self.size_hw = height, width
        self.latent_pixels = 2 ** (len(vae.config["block_out_channels"]) - 1)
        if height % (2 * self.latent_pixels) or width % (2 * self.latent_pixels):
            raise ShapeError(
                f"height and width must be multiples of {2 * self.latent_pixels}",
                found=(height, width),
                needed=2 * self.latent_pixels,
            )
        self.control = MinimalControl(
            transformer, person_adapter, garment_adapter, prompt, student_adapter
        )

    @torch.inference_mode()
    def __call__(
        self,
        person: Image.Image,
        garment: Image.Image,
        mask: np.ndarray,
        *,
        garment_mask: np.ndarray | None = None,
        seeds: Sequence[int] = (0,),
        num_inference_steps: int = 28,
        guidance_scale: float = GUIDANCE,
        few_steps: bool = True,
        on_step: OnStep | None = None,
    ) -> PaintedTryOn:
        """Try a garment on.

        Args:
            person: the wearer's picture.
            garment: the garment's; it is fitted whole into the working size.
            mask: (H, W) of the person's picture, true or above 127 where it may change.
            garment_mask: (h, w) float32 in 0..1, where `garment` shows the garment; all if None.
            seeds: one picture for each; the conditions are looked at once for all.
            num_inference_steps: of FLUX; the student knows its own.
            guidance_scale: FLUX.1-dev's embedded guidance.
            few_steps: use the student, if there is one.
            on_step: called after every step; may return False to stop.

        Raises:
            ShapeError: the mask is empty or not of the picture's size.
            CancelledError: `on_step` stopped it.
        """
        began = time.perf_counter()
        distilled = few_steps and self.student_adapter is not None
        # 1. Cut out what surrounds the mask, and fit both pictures to the working size
        changeable = self.check_mask(person, mask)
        box = find_working_box(changeable, self.size_hw)
        crop = cut(np.asarray(person.convert("RGB")), box)
        hidden = cut(np.uint8(changeable) * 255, box)
        fitted = fit_garment(garment, self.size_hw, garment_mask)
        # 2. Pass the masked person and the garment through the transformer, once
        memory = self.encode_conditions(crop, hidden, fitted)
        # 3. Draw the noise each seed stands for
        noise = self.draw_noise(seeds)
        # 4. Denoise, with both conditions' keys and values in every block
        sigmas = self.choose_sigmas(num_inference_steps, distilled)
        watch = ProgressReporter(len(sigmas), on_step, self._preview)
        latents = noise
        for step in denoise(
            self.control, noise, sigmas, memory, guidance_scale, distilled=distilled
        ):
            latents = step.latents
            watch(step.number, step.picture)
        # 5. Decode, and put what the mask allows back where it came from
        painted = to_float_pixels(decode(self.vae, latents))
        images = [put_back(person, one, changeable, box) for one in painted]
        self.maybe_free_model_hooks()
        seconds = time.perf_counter() - began
        return PaintedTryOn(images, tuple(seeds), changeable, box, seconds)

    @staticmethod
    def check_mask(person: Image.Image, mask: np.ndarray) -> np.ndarray:
        """Return the mask as (H, W) bool.

        Raises:
            ShapeError: it is not of the picture's size, or allows nothing.
        """
        changeable = mask if mask.dtype == bool else np.asarray(mask) > 127
        if changeable.shape != person.size[::-1]:
            raise ShapeError(
                "the mask must have the height and width of the person's picture",
                found=changeable.shape,
                needed=person.size[::-1],
            )
        if not changeable.any():
            raise ShapeError("the mask allows no pixel to change", found=0, needed=1)
        return changeable

    def encode_conditions(self, crop: np.ndarray, hidden: np.ndarray, garment: Tensor) -> Memory:
        """Encode both conditions and pass them through the transformer.

        Args:
            crop: (h, w, 3) uint8 around the mask.
            hidden: (h, w) uint8, 255 where it is to be painted: there the person is grey.
            garment: (1, 3, H, W) at the working size.
        """
        size = self.size_hw
        seen = resize(to_tensor([crop]), size)
        covered = resize(torch.from_numpy(hidden / np.float32(255))[None, None], size) > 0
        latents = encode(self.vae, torch.cat([seen.masked_fill(covered, 0.0), garment]))
        return self.control.remember(*latents.to(self._execution_device).split(1))

    def draw_noise(self, seeds: Sequence[int]) -> Tensor:
        """Return one noise for each seed, (B, C, H, W), the same on every device."""
        rows, columns = (side // self.latent_pixels for side in self.size_hw)
        shape = (self.vae.config["latent_channels"], rows, columns)
        noise = [torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in seeds]
        return torch.stack(noise).to(self._execution_device, self.transformer.dtype)

    def choose_sigmas(self, steps: int, distilled: bool) -> tuple[float, ...]:
        """Return the noise levels: the student's own, or FLUX's for the working size."""
        if distilled:
            return tuple(self.student_adapter.config["sigmas"])
        rows, columns = (side // (2 * self.latent_pixels) for side in self.size_hw)
        return flux_sigmas(self.scheduler, steps, rows * columns)

    def _preview(self, latents: Tensor) -> list[Image.Image]:
        """Decode the present guess at a quarter of its size."""
        return to_images(decode(self.vae, torch.nn.functional.avg_pool2d(latents, 4)))
