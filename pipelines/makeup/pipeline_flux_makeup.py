"""FLUX-Makeup (arXiv 2508.05069): another face's makeup, painted by FLUX.1-Kontext."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from secrets import randbelow
from typing import Any, cast

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from diffusers.pipelines.flux.pipeline_flux_kontext import FluxKontextPipeline
from diffusers.schedulers.scheduling_flow_match_euler_discrete import (
    FlowMatchEulerDiscreteScheduler,
)
from PIL import Image
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer, T5EncoderModel, T5Tokenizer

from models import seeding
from models.diffusion.few_step import FewStepSampler
from models.diffusion.flux_denoiser import ConditionedDenoiser
from models.diffusion.flux_student import LoRADenoiser, StudentLoRA
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
from models.instant.layer import blend
from models.nano import PatchAutoencoder
from models.reflora.injector import RefLoRAInjector
from models.reflora.layers import install_reference_attention
from models.regions import MAKEUP_REGIONS
from pipelines.analysis import FaceAnalyzer
from pipelines.makeup.flux_crop import EXPAND, Square, cut_painted_parts, make_layer
from pipelines.makeup.flux_recipes import TRANSFER, PromptRecipe
from pipelines.makeup.output import GeneratedMakeup, GeneratedMakeupOutput
from pipelines.steps import OnStep, ProgressReporter, to_float_pixels, to_images, to_tensor


class FluxMakeupPipeline(FluxKontextPipeline):
    """Put the makeup of one photograph on the face of another.

        pipe = FluxMakeupPipeline.from_pretrained(folder)
        look = pipe(source=decode("face.jpg"), reference=decode("red_lips.jpg"), seed=7)
        softer = pipe.blend(look.layers[0], strengths={"lips": 0.5})   # nothing is generated again
        matte = pipe(source, reference, negative_prompt="shiny skin")   # whatever the steps

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
        image_encoder: Any = None,
        feature_extractor: Any = None,
        default_size: int = 1024,
        expand: float = EXPAND,
        few_step: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            scheduler,
            cast(AutoencoderKL, vae),
            text_encoder,
            tokenizer,
            text_encoder_2,
            tokenizer_2,
            transformer,
            image_encoder,
            feature_extractor,
        )
        self.register_modules(injector=injector, student=student)
        self.register_to_config(default_size=default_size, expand=expand, few_step=few_step)
        if injector is not None:
            injector.install(transformer)
        if student is not None:
            attach(transformer, student.layers)
        self.analyzer = FaceAnalyzer()

    @torch.no_grad()
    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        source: Image.Image | Sequence[Image.Image],
        reference: Image.Image | Sequence[Image.Image] | None = None,
        *,
        regions: Sequence[str] = MAKEUP_REGIONS,
        strengths: Mapping[str, float] | None = None,
        strength: float = 1.0,
        seed: int | Sequence[int] | None = None,
        recipe: PromptRecipe = TRANSFER,
        negative_prompt: str | None = None,
        negative_guidance: NegativeGuidance = FLUX_NAG,
        size: int | None = None,
        on_step: OnStep | None = None,
    ) -> GeneratedMakeupOutput:
        """Paint makeup.

        Args:
            source: who wears it: a picture, or several to be worked on together.
            reference: whose makeup: one for all, one for each, or None for recipes without one.
            regions: what to take from the reference; elsewhere the source stays as it is.
            strengths: region -> 0..1; 1 for those not named.
            strength: overall, 0..1.
            seed: one for all, one for each, or None for a new one; the output tells it.
            recipe: what the weights in this pipeline were trained to be told.
            negative_prompt: what is not wanted; works with any number of steps, also with one.
            negative_guidance: how attention is guided away from it, NAG or NASA; see
                `models.diffusion.negative_attention`.
            size: side in pixels the face is generated at; `default_size` when None.
            on_step: told about every step; may return False to stop.

        Returns:
            Pictures at their sources' sizes; pixels outside the regions are bit-equal.

        Raises:
            NoFaceError: a picture shows no face.
            ShapeError: the numbers of sources, references and seeds do not go together.
            CancelledError: `on_step` stopped it.
        """
        sources = [source] if isinstance(source, Image.Image) else list(source)
        references = _for_each(reference, len(sources), "references")
        seeds = [int(each) for each in _for_each(_seed(seed), len(sources), "seeds") or []]
        weights = {
            r: (strengths or {}).get(r, 1.0) if r in regions else 0.0 for r in MAKEUP_REGIONS
        }
        size = size or int(self.config["default_size"])
        # 1. Look at the faces
        faces = [self.analyzer.find_largest(picture) for picture in sources]
        looks = [self.analyzer.find_largest(picture) for picture in references or []]
        # 2. Cut out the square around each face, and of the reference what is painted
        expand = float(self.config["expand"])
        squares = [Square.around(face, expand) for face in faces]
        before = [square.cut(f.image, size) for square, f in zip(squares, faces, strict=True)]
        shown = [cut_painted_parts(face, weights, size, expand) for face in looks]
        hidden = torch.from_numpy(np.stack([mask for _, mask in shown])) if shown else None
        # 3. Generate
        after = self.generate(
            to_tensor(before),
            to_tensor([picture for picture, _ in shown]) if shown else None,
            seeds,
            recipe,
            negative_prompt=negative_prompt,
            negative_guidance=negative_guidance,
            hidden=hidden,
            on_step=on_step,
        )
        # 4. Lay over each picture, at its own size, what was changed
        pixels = to_float_pixels(after)
        layers = [make_layer(*each) for each in zip(faces, squares, before, pixels, strict=True)]
        made = [GeneratedMakeup(*each) for each in zip(sources, faces, layers, seeds, strict=True)]
        images = [self.blend(each, strengths=weights, strength=strength) for each in made]
        return GeneratedMakeupOutput(images, made)

    def blend(
        self,
        makeup: GeneratedMakeup,
        *,
        strengths: Mapping[str, float] | None = None,
        strength: float = 1.0,
    ) -> Image.Image:
        """Weight the regions of makeup already painted; this is all a slider needs.

        Args:
            makeup: from an output.
            strengths: region -> 0..1; 1 for those not named.
            strength: overall, 0..1.
        """
        return Image.fromarray(blend(makeup.face.image, makeup.layer, strengths or {}, strength))

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
        """Denoise whole squares; `__call__` without faces.

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
        batch, _, height, width = source.shape
        patch = 2 * self.vae_scale_factor
        if height % patch or width % patch:
            raise ShapeError(
                f"the size must be a multiple of {patch}", found=(width, height), needed=patch
            )
        rows, columns = height // patch, width // patch
        few = self.config["few_step"]
        if few and batch > 1:  # noise that comes in later is each seed's own
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
                    for i in range(batch)
                ]
            )
        # 1. Tell it what to do, and what not
        prompt, pooled = self.prompt_embeddings(recipe.prompt, batch)
        attention: dict[str, Any] = {}
        if negative_prompt is not None and not negative_guidance.idle:
            unwanted, _ = self.prompt_embeddings(negative_prompt, batch)
            attention["negative"] = NegativeAttention(
                negative_guidance, prompt.shape[1], unwanted.shape[1]
            )
            prompt = torch.cat([prompt, unwanted], dim=1)
            install_reference_attention(self.transformer)  # plain Kontext has no negative attention
        # 2. Encode the pictures; the reference's keys and values serve all steps
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
        # 3. Draw the noise these seeds stand for
        noise = self.draw_noise(seeds, rows, columns).to(prompt)
        # 4. Denoise, with the reference in every attention layer
        guided = self.transformer.config["guidance_embeds"]
        conditions = Conditions(
            prompt,
            pooled,
            context,
            torch.cat(ids).to(prompt),
            recipe.guidance_scale if guided else None,
            attention,
        )
        steps = len(few["times"]) if few else recipe.steps
        watch = ProgressReporter(steps, on_step, lambda x: to_images(self.decode(x, rows, columns)))
        if few:
            sampler = FewStepSampler(tuple(few["times"]), few["noise"])
            generator = seeding.generator_for(seeds[0], "fresh")
            latents, painter = noise, ConditionedDenoiser(self.transformer, conditions)
            if self.student is not None:
                painter = LoRADenoiser(painter, self.student)
            for step in sampler.steps(painter, noise, generator=generator):
                latents = step.picture
                watch(step.number + 1, latents)
        else:
            latents = denoise(self.transformer, self.scheduler, noise, steps, conditions, watch)
        # 5. Decode
        made = self.decode(latents, rows, columns)
        self.maybe_free_model_hooks()
        return made

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


def _for_each(given: Any, count: int, what: str) -> list[Any] | None:
    """One thing for each of `count` pictures, from one for all or a list."""
    if given is None:
        return None
    listed = list(given) if isinstance(given, Sequence) else [given] * count
    if len(listed) != count:
        raise ShapeError(
            f"{count} sources and {len(listed)} {what}; give one, or as many as sources",
            found=len(listed),
            needed=count,
        )
    return listed


def _seed(seed: int | Sequence[int] | None) -> int | Sequence[int]:
    return randbelow(2**31) if seed is None else seed
