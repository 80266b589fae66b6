"""Denoise whole squares by FLUX.1-Kontext, as FLUX-Makeup (arXiv 2508.05069) does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.pipelines.flux.pipeline_flux_kontext import FluxKontextPipeline
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from torch import Tensor
from transformers import (
    CLIPImageProcessor,
    CLIPTextModel,
    CLIPTokenizer,
    CLIPVisionModelWithProjection,
    T5EncoderModel,
    T5Tokenizer,
)

from models import seeding
from models.diffusion.few_step import FewStepSampler
from models.diffusion.flux_denoiser import ConditionedDenoiser
from models.diffusion.flux_student import LoRADenoiser
from models.diffusion.flux_tokens import (
    REFERENCE,
    SOURCE,
    TARGET,
    pack,
    position_ids,
    token_means,
    unpack,
)
from models.diffusion.lora import attach
from models.diffusion.negative_attention import FLUX_NAG, NegativeAttention, NegativeGuidance
from models.diffusion.rectified_flow import Conditions, denoise
from models.diffusion.vae import scale_latents, unscale_latents
from models.errors import ShapeError
from models.nano import PatchAutoencoder
from models.ops.flux_student import StudentLoRA
from models.reflora.injector import RefLoRAInjector
from models.reflora.layers import install_reference_attention
from pipelines.makeup.flux_crop import EXPAND
from pipelines.makeup.flux_recipes import TRANSFER, PromptRecipe
from pipelines.steps import OnStep, ProgressReporter, to_images


class FluxSquareGenerator(FluxKontextPipeline):
    """What `FluxMakeupPipeline` does between cutting faces out and putting them back.

    Args:
        scheduler: FLUX's, as are the following up to `transformer`.
        vae: turns pictures into latents and back.
        text_encoder: CLIP.
        tokenizer: CLIP's.
        text_encoder_2: T5.
        tokenizer_2: T5's.
        transformer: FLUX.1-Kontext.
        injector: FLUX-Makeup's own weights. Without them the pipeline is plain Kontext, and a
            reference is shown as tokens of the sequence.
        student: low-rank change of the transformer that makes it paint in the steps of `few_step`;
            `pipelines.flux.load_student` reads one.
        image_encoder: for IP adapters; Kontext's, not used here.
        feature_extractor: likewise.
        default_size: side in pixels a face is generated at; FLUX-Makeup was trained at 1024.
        expand: how far the square around a face reaches beyond it, as a share of the face.
        few_step: `times` and `noise` of a distilled student's sampler; None for a teacher.
    """

    model_cpu_offload_seq = "text_encoder->text_encoder_2->injector->transformer->vae"
    _exclude_from_cpu_offload = ["student"]  # noqa: RUF012
    _optional_components = [  # noqa: RUF012
        "image_encoder",
        "feature_extractor",
        "injector",
        "student",
    ]

    def __init__(
        self,
        scheduler: FlowMatchEulerDiscreteScheduler,
        vae: AutoencoderKL | PatchAutoencoder,
        text_encoder: CLIPTextModel,
        tokenizer: CLIPTokenizer,
        text_encoder_2: T5EncoderModel,
        tokenizer_2: T5Tokenizer,
        transformer: FluxTransformer2DModel,
        injector: RefLoRAInjector | None = None,
        student: StudentLoRA | None = None,
        image_encoder: CLIPVisionModelWithProjection | None = None,
        feature_extractor: CLIPImageProcessor | None = None,
        default_size: int = 1024,
        expand: float = EXPAND,
        few_step: dict[str, object] | None = None,
    ) -> None:
        super().__init__(
            scheduler,
            cast(AutoencoderKL, vae),
            text_encoder,
            tokenizer,
            text_encoder_2,
            tokenizer_2,
            transformer,
            cast(CLIPVisionModelWithProjection, image_encoder),  # Kontext takes None
            cast(CLIPImageProcessor, feature_extractor),
        )
        self.register_modules(injector=injector, student=student)
        self.register_to_config(default_size=default_size, expand=expand, few_step=few_step)
        if injector is not None:
            injector.install(transformer)
        if student is not None:
            attach(transformer, student.layers)

    @torch.no_grad()
    def generate(
        self,
        source: Tensor,
        reference: Tensor | None,
        seeds: Sequence[int],
        recipe: PromptRecipe = TRANSFER,
        *,
        negative_prompt: str | None = None,
        negative_guidance: NegativeGuidance = FLUX_NAG,
        hidden: Tensor | None = None,
        on_step: OnStep | None = None,
    ) -> Tensor:
        """Denoise whole squares; squares in, squares out.

        Args:
            source: (B, 3, S, S) in [-1, 1]; S a multiple of a token's pixels, 16 in FLUX.
            reference: likewise, or None.
            seeds: one for each.
            recipe: prompt, guidance and steps.
            negative_prompt: see `__call__`.
            negative_guidance: likewise.
            hidden: (B, S, S) in 0..1, how much of each of the reference's pixels is hidden; tokens
                that are mostly hidden get no attention (with an injector).
            on_step: see `__call__`.

        Returns:
            (B, 3, S, S) in [-1, 1].

        Raises:
            ShapeError: S is not a multiple of a token's pixels.
        """
        if self.config["few_step"] and len(source) > 1:  # noise that comes in later is each seed's
            return torch.cat(
                [
                    self.generate(
                        source[i : i + 1],
                        None if reference is None else reference[i : i + 1],
                        seeds[i : i + 1],
                        recipe,
                        negative_prompt=negative_prompt,
                        negative_guidance=negative_guidance,
                        hidden=None if hidden is None else hidden[i : i + 1],
                        on_step=on_step,
                    )
                    for i in range(len(source))
                ]
            )
        rows, columns = self.count_tokens(source)
        # 1. Tell it what to do, and what not
        prompt, pooled, attention = self._embed_prompts(
            recipe.prompt, negative_prompt, negative_guidance, len(source)
        )
        # 2. Encode the pictures; the reference's keys and values serve all steps
        context, ids = self._encode_pictures(source, reference, hidden, prompt, attention)
        # 3. Draw the noise these seeds stand for
        noise = self.draw_noise(seeds, rows, columns).to(prompt)
        # 4. Denoise, with the reference in every attention layer
        guidance = recipe.guidance_scale if self.transformer.config["guidance_embeds"] else None
        conditions = Conditions(prompt, pooled, context, ids, guidance, attention)
        few = self.config["few_step"]
        report = ProgressReporter(
            len(few["times"]) if few else recipe.steps,
            on_step,
            lambda x: to_images(self.decode(x, rows, columns)),
        )
        if few:
            latents = self._denoise_in_few_steps(noise, seeds[0], conditions, report)
        else:
            latents = denoise(
                self.transformer, self.scheduler, noise, recipe.steps, conditions, report
            )
        # 5. Decode
        made = self.decode(latents, rows, columns)
        self.maybe_free_model_hooks()
        return made

    def count_tokens(self, pictures: Tensor) -> tuple[int, int]:
        """Rows and columns of tokens that (B, 3, H, W) pictures become.

        Raises:
            ShapeError: a side is not a multiple of a token's pixels.
        """
        height, width = pictures.shape[2:]
        patch = 2 * self.vae_scale_factor
        if height % patch or width % patch:
            raise ShapeError(
                f"the size must be a multiple of {patch}", found=(width, height), needed=patch
            )
        return height // patch, width // patch

    def _embed_prompts(
        self, wanted: str, unwanted: str | None, guidance: NegativeGuidance, batch: int
    ) -> tuple[Tensor, Tensor, dict[str, Any]]:
        """Embeddings of the tokens, of the whole, and what attention is told of the unwanted."""
        prompt, pooled = self.prompt_embeddings(wanted, batch)
        if unwanted is None or guidance.idle:
            return prompt, pooled, {}
        negative, _ = self.prompt_embeddings(unwanted, batch)
        install_reference_attention(self.transformer)  # plain Kontext has no negative attention
        parts = NegativeAttention(guidance, prompt.shape[1], negative.shape[1])
        return torch.cat([prompt, negative], dim=1), pooled, {"negative": parts}

    def _encode_pictures(
        self,
        source: Tensor,
        reference: Tensor | None,
        hidden: Tensor | None,
        prompt: Tensor,
        attention: dict[str, Any],
    ) -> tuple[Tensor, Tensor]:
        """The sequence's tokens beside the noise, and the ids of all; fills `attention`."""
        rows, columns = self.count_tokens(source)
        context = self.encode(source, prompt)
        ids = [position_ids(rows, columns, TARGET), position_ids(rows, columns, SOURCE)]
        if reference is not None and self.injector is not None:
            weights = None
            if hidden is not None:
                weights = (token_means(hidden, rows, columns) <= 0.5).to(prompt)
            latents = self.encode(reference, prompt)
            attention["reference"] = self.injector(latents, rows, columns, weights)
        elif reference is not None:
            context = torch.cat([context, self.encode(reference, prompt)], dim=1)
            ids.append(position_ids(rows, columns, REFERENCE))
        return context, torch.cat(ids).to(prompt)

    def _denoise_in_few_steps(
        self,
        noise: Tensor,
        seed: int,
        conditions: Conditions,
        report: Callable[[int, Tensor], None],
    ) -> Tensor:
        """Follow a student's sampler; noise that comes in later is drawn by the seed."""
        few = self.config["few_step"]
        sampler = FewStepSampler(tuple(few["times"]), few["noise"])
        generator = seeding.generator_for(seed, "fresh")
        latents, painter = noise, ConditionedDenoiser(self.transformer, conditions)
        if self.student is not None:
            painter = LoRADenoiser(painter, self.student)
        for step in sampler.steps(painter, noise, generator=generator):
            latents = step.picture
            report(step.number + 1, latents)
        return latents

    def prompt_embeddings(self, prompt: str, batch: int) -> tuple[Tensor, Tensor]:
        """Embeddings of a prompt's tokens (B, T, D) and of the whole (B, P)."""
        length = min(512, self.tokenizer_2.model_max_length)
        embeddings, pooled, _ = self.encode_prompt(
            prompt, prompt, device=self._execution_device, max_sequence_length=length
        )
        assert embeddings is not None
        assert pooled is not None
        return embeddings.expand(batch, -1, -1), pooled.expand(batch, -1)

    def encode(self, pictures: Tensor, like: Tensor) -> Tensor:
        """(B, 3, H, W) in [-1, 1] to packed latents, (B, N, C), with `like`'s device and dtype.

        The distribution's mean is taken, as diffusers' Kontext does; the released code draws from
        it, so its sources differ a little from run to run.
        """
        pictures = pictures.to(device=self._execution_device, dtype=self.vae.dtype)
        mean = self.vae.encode(pictures).latent_dist.mode()
        return pack(scale_latents(self.vae, mean)).to(like)

    @torch.no_grad()
    def decode(self, tokens: Tensor, rows: int, columns: int) -> Tensor:
        """Packed latents (B, N, C) to pictures, (B, 3, H, W) in about [-1, 1]."""
        latents = unscale_latents(self.vae, unpack(tokens, rows, columns).to(self.vae.dtype))
        return self.vae.decode(latents, return_dict=False)[0]

    def draw_noise(self, seeds: Sequence[int], rows: int, columns: int) -> Tensor:
        """(B, rows * columns, C) float32 on the CPU, the same on every machine."""
        shape = (1, self.latent_channels, 2 * rows, 2 * columns)
        drawn = [torch.randn(shape, generator=torch.Generator().manual_seed(s)) for s in seeds]
        return pack(torch.cat(drawn))
