"""Wear a product: its colour, finish and opacity on every face of a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from models import regions
from models.instant.coats import Coat, laid_out
from models.instant.face_texture import unfold
from models.instant.layer import blend
from models.instant.shade import Reached, render_coats
from models.structures import Face
from pipelines.makeup.look import Look
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline, select_faces


@dataclass(frozen=True)
class ShadeOutput:
    """Result of the shade pipeline.

    Attributes:
        images: the pictures, RGB, at the source's size.
        reached: index of the face -> colour asked and reached, in the order of the coats.
    """

    images: list[Image.Image]
    reached: Mapping[int, tuple[Reached, ...]]


class ShadePipeline:
    """Put products on faces.

        pipe = ShadePipeline()
        result = pipe(decode("selfie.jpg"), [Coat("#b01030", "lips", "gloss")])
        result.images[0].save("out.png")

    Args:
        makeup: finds faces and wears looks; made when None.
    """

    def __init__(self, makeup: InstantMakeupPipeline | None = None) -> None:
        self.makeup = makeup or InstantMakeupPipeline()

    def __call__(
        self,
        source: Image.Image,
        coats: Sequence[Coat],
        *,
        look: Look | None = None,
        strengths: Mapping[str, float] | None = None,
        faces: Sequence[int] | None = None,
    ) -> ShadeOutput:
        """Put coats on a picture.

        Args:
            source: the wearer's picture.
            coats: one or more; several for the eyes go to lid, crease, outer and inner corner.
            look: other makeup to wear with it; regions that get a coat are left out of it.
            strengths: region -> 0..1, of the coats; 1 when None.
            faces: which faces, 0 the largest; all when None.

        Raises:
            NoFaceError: no face in the source, or not one of those asked for.
            ShadeError: more colours for the eyes than there are places.
        """
        found = self.makeup.find_faces(source)
        return self.wear(found, coats, look=look, strengths=strengths, faces=faces)

    def wear(
        self,
        found: Sequence[Face],
        coats: Sequence[Coat],
        *,
        look: Look | None = None,
        strengths: Mapping[str, float] | None = None,
        faces: Sequence[int] | None = None,
    ) -> ShadeOutput:
        """Put coats on faces already found, all of one picture; otherwise like a call."""
        image, reached = found[0].image, {}
        for number, face in select_faces(found, faces).items():
            image, reached[number] = self.put_on(
                replace(face, image=image), coats, look=look, strengths=strengths
            )
        return ShadeOutput([Image.fromarray(image)], reached)

    def put_on(
        self,
        face: Face,
        coats: Sequence[Coat],
        *,
        look: Look | None = None,
        strengths: Mapping[str, float] | None = None,
    ) -> tuple[np.ndarray, tuple[Reached, ...]]:
        """Put coats on a face already found; the arguments are those of a call.

        Returns:
            The whole picture, (H, W, 3) uint8, in which pixels without makeup are bit-equal to
            the source, and the colours reached: of foundations first, then of the other coats.
        """
        coats = laid_out(coats)
        ground = [coat for coat in coats if coat.region == regions.SKIN]
        others = [coat for coat in coats if coat.region != regions.SKIN]
        # 1. Foundation
        face, below = _coated(face, ground, strengths)
        # 2. The look, but where a coat comes in its place
        if look is not None:
            layers = self.makeup.wear([face], look)
            bare = {coat.region: 0.0 for coat in others}
            image = self.makeup.blend(layers, strengths={**look.strengths, **bare})
            face = replace(face, image=np.asarray(image))
        # 3. Lips, eyes, brows, cheeks
        face, above = _coated(face, others, strengths)
        return face.image, (*below, *above)


def _coated(
    face: Face, coats: Sequence[Coat], strengths: Mapping[str, float] | None
) -> tuple[Face, list[Reached]]:
    """The face wearing coats, and the colours reached."""
    if not coats:
        return face, []
    layer, reached = render_coats(coats, face, unfold(face))
    return replace(face, image=blend(face.image, layer, strengths or {})), reached
