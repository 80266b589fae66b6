"""The nano FLUX: another face's makeup, painted at 64 pixels by a FLUX that fits a laptop."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from models import nano, seeding
from models.errors import CheckpointError, NoFaceError
from models.instant.layer import blend
from models.ops.few_step import FewStepSampler, follow_flow
from models.ops.flux_tokens import pack, unpack
from models.ops.vae import decode, encode
from models.reflora.denoiser import MakeupDenoiser
from models.reflora.injector import RefLoRAInjector
from models.regions import MAKEUP_REGIONS
from models.structures import Face
from pipelines.analysis import FaceAnalyzer, load_network
from pipelines.makeup.flux_crop import Square, layer_of, painted_parts
from pipelines.makeup.output import GeneratedMakeup, GeneratedMakeupOutput
from pipelines.registry import WEIGHTS
from pipelines.steps import to_float_pixels, to_tensor

NanoName = Literal["student", "teacher"]
TEACHER_STEPS = 25


class NanoMakeupPipeline:
    """Put the makeup of one photograph on the face of another, as `FluxMakeupPipeline` does.

        pipe = NanoMakeupPipeline()
        look = pipe(decode("face.jpg"), decode("red_lips.jpg"))

    A research model: what it paints on 64 x 64 pixels is laid over the photograph as a change of
    colour, so detail stays the wearer's and edges are soft.

    Args:
        network: the distilled "student", or the "teacher", which takes 25 steps.
        analyzer: finds faces; made when None.
        folder: what `python -m app.assemble_nano finish` wrote, by default Mirra's own.
    """

    def __init__(
        self,
        network: NanoName = "student",
        analyzer: FaceAnalyzer | None = None,
        folder: Path | None = None,
    ) -> None:
        self.folder = folder or WEIGHTS / "nano-flux" / network
        self.analyzer = analyzer or FaceAnalyzer()

    @cached_property
    def autoencoder(self) -> nano.PatchAutoencoder:
        """Turns pictures into latents and back."""
        return load_network(nano.PatchAutoencoder, self.folder / "vae")

    @cached_property
    def denoiser(self) -> MakeupDenoiser:
        """Transformer and injector.

        Raises:
            CheckpointError: weights are missing or damaged.
        """
        transformer = load_network(FluxTransformer2DModel, self.folder / "transformer")
        injector = load_network(RefLoRAInjector, self.folder / "injector")
        try:
            told = load_file(self.folder / "prompt.safetensors")
        except OSError as error:
            raise CheckpointError(f"{self.folder}: {error}", needed="prompt.safetensors") from None
        side = nano.SIZE // (2 * nano.PATCH)
        prompt, pooled = told["prompt"][None].float(), told["pooled"][None].float()
        return MakeupDenoiser(transformer, injector, prompt, pooled, (side, side)).eval()

    @torch.inference_mode()
    def __call__(
        self,
        source: Image.Image,
        reference: Image.Image,
        *,
        strengths: Mapping[str, float] | None = None,
        strength: float = 1.0,
        seed: int = 0,
    ) -> GeneratedMakeupOutput:
        """Paint makeup.

        Args:
            source: who wears it; the largest face does.
            reference: whose makeup.
            strengths: region -> 0..1; 1 for those not named.
            strength: overall, 0..1.
            seed: of the noise it grows from.

        Returns:
            One picture at the source's size; pixels outside the regions are bit-equal.

        Raises:
            NoFaceError: a picture shows no face.
            CheckpointError: weights are missing or damaged.
        """
        worn = {region: (strengths or {}).get(region, 1.0) for region in MAKEUP_REGIONS}
        face, look = self.find_face(source), self.find_face(reference)
        square = Square.around(face, nano.EXPAND)
        before = square.cut(face.image, nano.SIZE)
        shown, _ = painted_parts(look, {}, nano.SIZE, nano.EXPAND)
        after = self.generate(to_tensor([before]), to_tensor([shown]), seed)
        layer = layer_of(face, square, before, to_float_pixels(after)[0])
        made = GeneratedMakeup(source, face, layer, seed)
        image = Image.fromarray(blend(face.image, layer, worn, strength))
        return GeneratedMakeupOutput([image], [made])

    def find_face(self, image: Image.Image) -> Face:
        """The largest face of a picture.

        Raises:
            NoFaceError: there is none.
        """
        faces = self.analyzer(image)
        if not faces:
            raise NoFaceError("no face found in the picture", found=0, needed=1)
        return faces[0]

    def generate(self, source: Tensor, reference: Tensor, seed: int = 0) -> Tensor:
        """Denoise squares: (B, 3, 64, 64) each in [-1, 1], to the same."""
        cond = torch.cat([pack(encode(self.autoencoder, x)) for x in (source, reference)], dim=1)
        generator = seeding.generator_for(seed, "noise")
        noise = seeding.noise_like(cond[:, : cond.shape[1] // 2], generator)
        few = self.folder / "sampler.json"
        if few.exists():
            latents = FewStepSampler.from_file(few).sample(self.denoiser, noise, cond, generator)
        else:
            latents = follow_flow(self.denoiser, noise, TEACHER_STEPS, cond)
        side = nano.SIZE // (2 * nano.PATCH)
        return decode(self.autoencoder, unpack(latents, side, side))
