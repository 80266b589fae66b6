"""What a makeup pipeline gives back: plain records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from PIL import Image

from models.instant.layer import MakeupLayer
from models.structures import Face
from pipelines.makeup.look import Look


@dataclass(frozen=True)
class MakeupLayers:
    """A look put on the faces of one picture: blend it again at other strengths without analysis.

    Attributes:
        image: the source picture.
        faces: every face found in it, the largest first.
        by_face: index into `faces` -> that face's editable layer.
        looks: index into `faces` -> the look it wears, with the strengths it is worn at.
    """

    image: Image.Image
    faces: tuple[Face, ...]
    by_face: Mapping[int, MakeupLayer]
    looks: Mapping[int, Look]

    def with_strengths(
        self, strengths: Mapping[str, float] | None, strength: float | None
    ) -> MakeupLayers:
        """The same makeup, worn as strongly as said; what is None stays that of each look."""
        looks = {
            index: look.with_strengths(
                look.strengths if strengths is None else strengths,
                look.strength if strength is None else strength,
            )
            for index, look in self.looks.items()
        }
        return replace(self, looks=looks)


@dataclass(frozen=True)
class MakeupOutput:
    """Result of a makeup pipeline.

    Attributes:
        images: the pictures, RGB, at the source's size.
        layers: the editable layers behind `images`, at the strengths `images` show them;
            `pipeline.blend` weights them again.
        milliseconds: time by stage.
    """

    images: list[Image.Image]
    layers: MakeupLayers
    milliseconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class GeneratedMakeup:
    """Makeup a generator painted on one face.

    Attributes:
        image: the source picture.
        face: the face that wears it.
        layer: what changed; `pipeline.blend` weights it again without generating anew.
        seed: the noise it grew from: the same seed gives the same picture.
    """

    image: Image.Image
    face: Face
    layer: MakeupLayer
    seed: int


@dataclass(frozen=True)
class GeneratedMakeupOutput:
    """Result of a generating makeup pipeline.

    Attributes:
        images: the pictures, RGB, each at its source's size.
        layers: what is behind each picture.
    """

    images: list[Image.Image]
    layers: list[GeneratedMakeup]

    @property
    def seeds(self) -> list[int]:
        """The seed of each picture."""
        return [each.seed for each in self.layers]
