"""What a try-on pipeline gives back: a plain record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from models.ops.crops import Box
from models.structures import Person
from pipelines.tryon.garment import Garment


@dataclass(frozen=True)
class TryOnOutput:
    """Result of a try-on.

    Attributes:
        image: RGB, at the size of the person's picture.
        changed: (H, W) bool, where `image` may differ from the picture; elsewhere it is equal to
            the last bit.
        person: who wears it, as found in the picture.
        garment: what was cut out.
        network: "student" or "teacher".
        milliseconds: time by stage.
    """

    image: Image.Image
    changed: np.ndarray
    person: Person
    garment: Garment
    network: str
    milliseconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class PaintedTryOn:
    """Result of a try-on that FLUX painted.

    Attributes:
        images: one for each seed, RGB, at the size of the person's picture.
        seeds: what they were drawn from; the same seed gives the same picture.
        mask: (H, W) bool; outside it every picture equals the person's to the last bit.
        box_xyxy: the working crop; may reach beyond the picture.
        seconds: time it took.
    """

    images: list[Image.Image]
    seeds: tuple[int, ...]
    mask: np.ndarray
    box_xyxy: Box
    seconds: float
