"""FLUX-Makeup (arXiv 2508.05069): another face's makeup, painted by FLUX.1-Kontext."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from secrets import randbelow
from typing import TypeVar, cast

import numpy as np
import torch
from PIL import Image

from models.diffusion.negative_attention import FLUX_NAG, NegativeGuidance
from models.errors import ShapeError
from models.instant.layer import blend
from models.lazy import locked_cached_property
from models.regions import MAKEUP_REGIONS
from pipelines.analysis import FaceAnalyzer
from pipelines.makeup.flux_crop import Square, cut_painted_parts, make_layer
from pipelines.makeup.flux_generator import FluxSquareGenerator
from pipelines.makeup.flux_recipes import TRANSFER, PromptRecipe
from pipelines.makeup.output import GeneratedMakeup, GeneratedMakeupOutput
from pipelines.steps import OnStep, to_float_pixels, to_tensor

T = TypeVar("T")


class FluxMakeupPipeline(FluxSquareGenerator):
    """Put the makeup of one photograph on the face of another.

        pipe = FluxMakeupPipeline.from_pretrained(folder)
        look = pipe(source=decode("face.jpg"), reference=decode("red_lips.jpg"), seed=7)
        softer = pipe.blend(look.layers[0], strengths={"lips": 0.5})   # nothing is generated again
        matte = pipe(source, reference, negative_prompt="shiny skin")   # whatever the steps

    Components and settings are those of `FluxSquareGenerator`.
    """

    @locked_cached_property
    def analyzer(self) -> FaceAnalyzer:
        """Finds the faces."""
        return FaceAnalyzer()

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
            recipe: what the weights in this pipeline were trained to be told, from `flux_recipes`.
            negative_prompt: what is not wanted; works with any number of steps, also with one.
            negative_guidance: how attention is guided away from it, NAG or NASA; see
                `models.diffusion.negative_attention`.
            size: side in pixels the face is generated at; `default_size` when None.
            on_step: called after every step; may return False to stop.

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


def _for_each(given: T | Sequence[T] | None, count: int, what: str) -> list[T] | None:
    """One thing for each of `count` pictures, from one for all or a list."""
    if given is None:
        return None
    one_each = isinstance(given, Sequence)
    listed = list(cast("Sequence[T]", given)) if one_each else [cast("T", given)] * count
    if len(listed) != count:
        raise ShapeError(
            f"{count} sources and {len(listed)} {what}; give one, or as many as sources",
            found=len(listed),
            needed=count,
        )
    return listed


def _seed(seed: int | Sequence[int] | None) -> int | Sequence[int]:
    return randbelow(2**31) if seed is None else seed
