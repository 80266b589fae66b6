"""The nano FLUX: another face's makeup, painted at 64 pixels by a FLUX that fits a laptop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import torch
from diffusers.models.transformers.transformer_flux import FluxTransformer2DModel
from PIL import Image
from safetensors.torch import load_file
from torch import Tensor

from models import nano, seeding
from models.analysis.face_classes import FACE_CLASSES, parse_map
from models.diffusion.few_step import FewStepSampler, euler_sample
from models.diffusion.flux_tokens import pack, unpack
from models.diffusion.vae import decode, encode
from models.errors import CheckpointError
from models.instant.layer import MakeupLayer, blend, region_weights
from models.lazy import locked_cached_property
from models.reflora.denoiser import MakeupDenoiser
from models.reflora.injector import RefLoRAInjector
from models.regions import MAKEUP_REGIONS
from models.structures import Face
from pipelines.analysis import FaceAnalyzer, load_network
from pipelines.makeup.flux_crop import Square, resize_square
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
        folder: what `python -m training.prepare.nano_flux finish` wrote, by default Mirra's own.
    """

    def __init__(
        self,
        network: NanoName = "student",
        analyzer: FaceAnalyzer | None = None,
        folder: Path | None = None,
    ) -> None:
        self.folder = folder or WEIGHTS / "nano-flux" / network
        self.analyzer = analyzer or FaceAnalyzer()

    @locked_cached_property
    def autoencoder(self) -> nano.PatchAutoencoder:
        """Turns pictures into latents and back."""
        return load_network(nano.PatchAutoencoder, self.folder / "vae")

    @locked_cached_property
    def denoiser(self) -> MakeupDenoiser:
        """Transformer and injector.

        Raises:
            CheckpointError: weights are missing or damaged.
        """
        transformer = load_network(FluxTransformer2DModel, self.folder / "transformer")
        injector = load_network(RefLoRAInjector, self.folder / "injector")
        try:
            embeddings = load_file(self.folder / "prompt.safetensors")
        except OSError as error:
            raise CheckpointError(f"{self.folder}: {error}", needed="prompt.safetensors") from None
        side = nano.SIZE // (2 * nano.PATCH)
        prompt, pooled = embeddings["prompt"][None].float(), embeddings["pooled"][None].float()
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
        weights = {region: (strengths or {}).get(region, 1.0) for region in MAKEUP_REGIONS}
        face, look = self.analyzer.find_largest(source), self.analyzer.find_largest(reference)
        square = Square.around(face, nano.EXPAND)
        before = square.cut(face.image, nano.SIZE)
        shown = align_reference(look, face, square)
        after = to_float_pixels(self.generate(to_tensor([before]), to_tensor([shown]), seed))[0]
        layer = make_region_layer(face, square, after - before)
        made = GeneratedMakeup(source, face, layer, seed)
        image = Image.fromarray(blend(face.image, layer, weights, strength))
        return GeneratedMakeupOutput([image], [made])

    def generate(self, source: Tensor, reference: Tensor, seed: int = 0) -> Tensor:
        """Denoise squares: (B, 3, 64, 64) each in [-1, 1], to the same."""
        cond = torch.cat([pack(encode(self.autoencoder, x)) for x in (source, reference)], dim=1)
        generator = seeding.generator_for(seed, "noise")
        noise = seeding.noise_like(cond[:, : cond.shape[1] // 2], generator)
        few = self.folder / "sampler.json"
        if few.exists():
            latents = FewStepSampler.from_file(few).sample(self.denoiser, noise, cond, generator)
        else:
            latents = euler_sample(self.denoiser, noise, TEACHER_STEPS, cond)
        side = nano.SIZE // (2 * nano.PATCH)
        return decode(self.autoencoder, unpack(latents, side, side))


def align_reference(look: Face, face: Face, square: Square) -> np.ndarray:
    """A reference's face on black, brought to where the wearer's is: (64, 64, 3) uint8.

    Networks this small look for eyes and mouth about where the wearer has them; the affine map is
    the best between both meshes.

    Args:
        look: the reference's face.
        face: the wearer's.
        square: cut out around the wearer's face.
    """
    fine = 4 * nano.SIZE  # averaged afterwards
    there = np.c_[look.points_xyz[:, :2], np.ones(len(look.points_xyz))]
    here = (face.points_xyz[:, :2] - (square.x0, square.y0)) * (fine / square.side)
    matrix, *_ = np.linalg.lstsq(there, here, rcond=None)
    shown = look.image * np.isin(parse_map(look), FACE_CLASSES)[..., None].astype(np.uint8)
    return resize_square(
        cv2.warpAffine(shown, matrix.T, (fine, fine), flags=cv2.INTER_AREA), nano.SIZE
    )


def make_region_layer(face: Face, square: Square, change: np.ndarray) -> MakeupLayer:
    """What changed on a face, as a layer whose regions do not run into each other.

    Each region's change is averaged over its own pixels only, and cut out at the photograph's size.

    Args:
        face: the wearer's.
        square: where the crop was cut.
        change: (64, 64, 3) float32, in code values.
    """
    weights = region_weights(face)
    x0, y0, x1, y1 = face.box_xyxy
    part = np.s_[y0 - square.y0 : y1 - square.y0, x0 - square.x0 : x1 - square.x0]
    found = np.zeros((y1 - y0, x1 - x0, 3), np.float32)
    for weight in weights.values():
        mask = np.zeros((square.side, square.side), np.float32)
        mask[part] = weight
        small = resize_square(mask, nano.SIZE)[..., None] + 1e-4
        share = cv2.GaussianBlur(small, (0, 0), 1)[..., None]
        own = cv2.GaussianBlur(small * change, (0, 0), 1) / share
        found += weight[..., None] * resize_square(own.astype(np.float32), square.side)[part]
    covered = np.sum(list(weights.values()), axis=0)[..., None]
    return MakeupLayer(face.box_xyxy, found / np.maximum(covered, 1e-3), weights)
