"""Instant makeup: geometric transfer on a CPU, no weights to download."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import numpy as np
from PIL import Image

from models.errors import NoFaceError
from models.instant.face_texture import unfold
from models.instant.layer import blend, render
from models.instant.makeup import extract, mix
from models.structures import Face
from pipelines.analysis import FaceAnalyzer
from pipelines.makeup.look import Look, quantize_makeup
from pipelines.makeup.output import MakeupLayers, MakeupOutput
from pipelines.steps import timed


class InstantMakeupPipeline:
    """Put the makeup of a photograph, or a named look, on every face of a picture.

        pipe = InstantMakeupPipeline()
        result = pipe(source=decode("selfie.jpg"), look=pipe.read_look(decode("look.jpg")))
        result.images[0].save("out.png")

    Args:
        analyzer: finds faces; made on first use when None. One may serve many pipelines.
    """

    def __init__(self, analyzer: FaceAnalyzer | None = None) -> None:
        self.analyzer = analyzer or FaceAnalyzer()

    def __call__(
        self,
        source: Image.Image,
        look: Look,
        *,
        parts: Mapping[str, Look] | None = None,
        strengths: Mapping[str, float] | None = None,
        strength: float | None = None,
        faces: Sequence[int] | None = None,
    ) -> MakeupOutput:
        """Put a look on a picture.

        Args:
            source: the wearer's picture.
            look: from `read_look`, or a named or saved one.
            parts: region -> another look to take that region from.
            strengths: region -> 0..1; those of the look when None.
            strength: overall 0..1; that of the look when None.
            faces: which faces, 0 the largest; all when None.

        Raises:
            NoFaceError: no face in the source, or not one of those asked for.
        """
        milliseconds: dict[str, float] = {}
        # 1. Look at the picture
        with timed(milliseconds, "analyse"):
            found = self.find_faces(source)
        # 2. Put the look on each face, at full strength
        with timed(milliseconds, "render"):
            layers = self.wear(found, combine(look, parts), faces=faces)
        # 3. Weight the regions
        with timed(milliseconds, "blend"):
            layers = layers.with_strengths(strengths, strength)
            image = self.blend(layers)
        return MakeupOutput([image], layers, milliseconds)

    def adjust(
        self,
        output: MakeupOutput,
        *,
        strengths: Mapping[str, float] | None = None,
        strength: float | None = None,
    ) -> MakeupOutput:
        """The result at other strengths: picture and looks in step, as `measure` needs them.

        Args:
            output: a result.
            strengths: region -> 0..1; those it is worn at when None.
            strength: overall 0..1; that it is worn at when None.
        """
        milliseconds = dict(output.milliseconds)
        with timed(milliseconds, "blend"):
            layers = output.layers.with_strengths(strengths, strength)
            image = self.blend(layers)
        return MakeupOutput([image], layers, milliseconds)

    def find_faces(self, image: Image.Image) -> list[Face]:
        """Every face of a picture, the largest first.

        Raises:
            NoFaceError: there is none.
        """
        faces = self.analyzer(image)
        if not faces:
            raise NoFaceError("no face found in the picture", found=0, needed=1)
        return faces

    def read_look(
        self, reference: Image.Image, name: str = "look from a photo", face: int = 0
    ) -> Look:
        """Take the makeup off a photograph.

        Args:
            reference: a picture of someone wearing makeup.
            name: what to call the look.
            face: which face, 0 the largest.

        Raises:
            NoFaceError: the picture has no such face.
        """
        faces = self.find_faces(reference)
        if face >= len(faces):
            raise NoFaceError(
                f"the reference has {len(faces)} faces, number {face} was asked for",
                found=len(faces),
                needed=face + 1,
            )
        pixels = faces[face].image
        origin = hashlib.sha256(pixels.tobytes() + str(pixels.shape).encode()).hexdigest()
        return Look(name, quantize_makeup(extract(unfold(faces[face]))), origin=origin)

    def wear(
        self, found: Sequence[Face], look: Look, *, faces: Sequence[int] | None = None
    ) -> MakeupLayers:
        """Put a look on faces already found; nothing is blended yet.

        Args:
            found: all faces of one picture, from `find_faces`.
            look: the look.
            faces: which of them, all when None.

        Raises:
            NoFaceError: an index that no face has.
        """
        by_face = {
            index: render(look.makeup, face, unfold(face))
            for index, face in select_faces(found, faces).items()
        }
        image = Image.fromarray(found[0].image)
        return MakeupLayers(image, tuple(found), by_face, dict.fromkeys(by_face, look))

    def blend(
        self,
        layers: MakeupLayers,
        *,
        strengths: Mapping[str, float] | None = None,
        strength: float | None = None,
    ) -> Image.Image:
        """Weight the regions of makeup already rendered; this is all a slider needs.

        Args:
            layers: from `wear` or a result.
            strengths: region -> 0..1; those of each look when None.
            strength: overall 0..1; that of each look when None.

        Returns:
            A new picture; pixels without makeup are bit-equal to the source.
        """
        looks = layers.with_strengths(strengths, strength).looks
        pixels = np.asarray(layers.image)
        for index, layer in layers.by_face.items():
            pixels = blend(pixels, layer, looks[index].strengths, looks[index].strength)
        return Image.fromarray(pixels)


def select_faces(found: Sequence[Face], faces: Sequence[int] | None) -> dict[int, Face]:
    """The faces asked for by number; all when None.

    Raises:
        NoFaceError: a number that no face has.
    """
    numbers = range(len(found)) if faces is None else faces
    for number in numbers:
        if not 0 <= number < len(found):
            raise NoFaceError(
                f"the picture has {len(found)} faces, number {number} was asked for",
                found=len(found),
                needed=number + 1,
            )
    return {number: found[number] for number in numbers}


def combine(look: Look, parts: Mapping[str, Look] | None) -> Look:
    """A look with some regions taken from others: lips from A, eyes from B.

    Raises:
        KeyError: a key of `parts` is not a makeup region.
    """
    if not parts:
        return look
    makeup = quantize_makeup(
        mix(look.makeup, {region: part.makeup for region, part in parts.items()})
    )
    name = " + ".join(dict.fromkeys([look.name, *(other.name for other in parts.values())]))
    return Look(name[:80], makeup, look.strengths, look.strength, "mixed")
