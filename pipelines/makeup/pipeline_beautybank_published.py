"""BeautyBank as published: whole faces drawn from a bare code and a makeup code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from models.beautybank.psp import PspEncoder
from models.beautybank.published import STRUCTURE_LAYERS, PublishedBeautyBank
from models.beautybank.published_tuning import Judges, demakeup, refine_makeup, refine_unrelated
from models.structures import Face
from pipelines.analysis import FaceAnalyzer, shrink
from pipelines.makeup.beautybank_weights import SAMPLERS, load_networks, save_networks
from pipelines.steps import to_images, to_tensor

ENCODER_SIZE = 256
STRUCTURE_STRENGTH = 0.75
"""How far the makeup's structure counts unless somebody says otherwise; its colours count fully."""
# Points of the face mesh: the irises' middles, the corners of the mouth.
_EYES, _MOUTH = (468, 473), (61, 291)


class PublishedBeautyBankPipeline:
    """The published BeautyBank (arXiv 2411.11231), on weights that somebody brings.

        pipe = PublishedBeautyBankPipeline.from_pretrained()     # the folder MIRRA_BEAUTYBANK names
        pipe(decode("me.jpg"), decode("her.jpg")).save("out.png")

    The result is the aligned square that the generator draws, hair and background included, and not
    the photograph with makeup on it: `BeautyBankPipeline` gives that.

    Args:
        generator: draws codes; in evaluation mode.
        encoder: reads a code of as many layers; in evaluation mode.
        analyzer: finds faces; made on first use when None.
    """

    def __init__(
        self,
        generator: PublishedBeautyBank,
        encoder: PspEncoder,
        analyzer: FaceAnalyzer | None = None,
    ) -> None:
        self.generator, self.encoder = generator, encoder
        self.analyzer = analyzer or FaceAnalyzer()

    @classmethod
    def from_pretrained(cls, folder: str | Path | None = None) -> PublishedBeautyBankPipeline:
        """Read the networks from a folder; see `pipelines.makeup.beautybank_weights`.

        Raises:
            WeightsError: no folder is named, or a file lacks.
            CheckpointError: a file is damaged or holds another network.
        """
        return cls(*load_networks(Path(folder) if folder else None))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the networks as `from_pretrained` reads them."""
        save_networks(Path(folder), self.generator, self.encoder)

    def __call__(self, source: Image.Image, reference: Image.Image) -> Image.Image:
        """Draw the source's face with the reference's makeup, as far as the encoder sees it.

        Raises:
            NoFaceError: there is no face in one of them.
        """
        # 1. Find the faces, and cut the squares the networks know
        wearer, model = self.align(source), self.align(reference)
        # 2. Read both as codes
        bare, makeup = self.encode(wearer), self.encode(model)
        # 3. Draw one with the makeup of the other
        return self.draw(bare, makeup)

    def align(self, picture: Image.Image) -> Tensor:
        """Cut the largest face as FFHQ's pictures show theirs.

        Returns:
            (1, 3, S, S) in -1..1, S the side of what the generator draws.

        Raises:
            NoFaceError: there is none.
        """
        face = self.analyzer.find_largest(picture)
        side = 2 ** (self.generator.n_latent // 2 + 1)
        matrix = ffhq_matrix(face, side)
        square = cv2.warpAffine(
            face.image, matrix, (side, side), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT
        )
        return to_tensor([square])

    @torch.inference_mode()
    def encode(self, aligned: Tensor) -> Tensor:
        """Read a code.

        Args:
            aligned: (B, 3, S, S) in -1..1, as `align` gives it.

        Returns:
            (B, L, D) in Z+.
        """
        pixels = ((aligned + 1) * 127.5).permute(0, 2, 3, 1).numpy()
        small = [shrink(picture, (ENCODER_SIZE, ENCODER_SIZE)) for picture in pixels]
        return self.encoder(to_tensor(small))

    @torch.inference_mode()
    def draw(
        self, bare: Tensor, makeup: Tensor | None, weights: Sequence[float] | None = None
    ) -> Image.Image:
        """Draw a face.

        Args:
            bare: (1, L, D), whose face.
            makeup: (1, L, D), whose makeup; None for the bare face.
            weights: strength of the makeup at each of L layers; as published when None, 0.75 for
                structure and 1 for colour.
        """
        colors = self.generator.n_latent - STRUCTURE_LAYERS
        weights = weights or [STRUCTURE_STRENGTH] * STRUCTURE_LAYERS + [1.0] * colors
        (picture,) = to_images(self.generator(bare, makeup, weights))
        return picture

    @torch.inference_mode()
    def sample(self, samplers: Mapping[str, nn.Module], generator: torch.Generator) -> Tensor:
        """Invent a makeup code.

        Args:
            samplers: from `beautybank_weights.load_samplers`; each part gets noise of its own, so
                that patterns meet colours they were never worn with.
            generator: of the noises.

        Returns:
            (1, L, D) in Z+.
        """
        noises = [torch.randn(1, 128, generator=generator) for _ in SAMPLERS]
        parts = [samplers[part](noise) for part, noise in zip(SAMPLERS, noises, strict=True)]
        return torch.cat(parts, 1).view(1, -1, self.generator.n_style)

    def take_off(
        self, code: Tensor, aligned: Tensor, face: Tensor, judges: Judges, steps: int = 300
    ) -> Tensor:
        """Turn the code of a made-up face into its bare code.

        Args:
            code: (1, L, D), the made-up face's.
            aligned: (1, 3, S, S) in -1..1, that face.
            face: (1, 1, S, S) mask of it in 0..1.
            judges: losses between pictures.
            steps: of the optimisation.

        Returns:
            (1, L, D).
        """

        def draw_bare(own: Tensor) -> Tensor:
            return self.generator(own, None)

        self.generator.requires_grad_(False)
        return demakeup(draw_bare, code.clone(), aligned, face, judges, steps)

    def tune(
        self,
        bare: Tensor,
        makeup: Tensor,
        aligned: Tensor,
        masks: Mapping[str, Tensor],
        judges: Judges,
        steps: int = 300,
    ) -> Tensor:
        """Refine a makeup code until it repeats a photograph, in the published two stages.

        Args:
            bare: (1, L, D), the wearer's bare code.
            makeup: (1, L, D), first guess.
            aligned: (1, 3, S, S), the made-up face.
            masks: (1, 1, S, S) in 0..1: face, eyes, mouth, foreground, background.
            judges: losses between pictures.
            steps: of each stage.

        Returns:
            (1, L, D), the makeup code.
        """
        bare = bare.clone()  # from inference mode
        first = refine_makeup(self.generator, bare, makeup.clone(), aligned, masks, judges, steps)
        with torch.no_grad():
            plain = self.generator(bare, None)
        return refine_unrelated(self.generator, bare, first, plain, masks, judges, steps)


def ffhq_matrix(face: Face, side: int) -> np.ndarray:
    """Picture to the square in which FFHQ shows a face: upright, by eyes and mouth.

    Args:
        face: of a photograph.
        side: of the square in pixels.

    Returns:
        (2, 3) float32, for `cv2.warpAffine`.
    """
    points = face.points_xyz[:, :2]
    eyes, mouth = points[list(_EYES)], points[list(_MOUTH)]
    eye_to_eye = eyes[1] - eyes[0]
    eye_to_mouth = mouth.mean(0) - eyes.mean(0)
    # FFHQ's own figures: half a side, along the eyes and away from the mouth, and its middle
    along = eye_to_eye - eye_to_mouth[::-1] * [-1, 1]
    along = along / np.hypot(*along)
    along *= max(np.hypot(*eye_to_eye) * 2.0, np.hypot(*eye_to_mouth) * 1.8)
    down = along[::-1] * [-1, 1]
    middle = eyes.mean(0) + eye_to_mouth * 0.1
    corners = np.array([middle - along - down, middle - along + down, middle + along + down])
    square = np.array([[0, 0], [0, side], [side, side]])
    return cv2.getAffineTransform(corners.astype(np.float32), square.astype(np.float32))
