"""A picture of a garment -> the garment: flat on anything, or worn by somebody."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from models.analysis.human_parsing import Part
from models.errors import GarmentError, NoPersonError
from models.ops.crops import cut, inside
from models.structures import Person
from models.tryon.garments import (
    SMALLEST,
    extend_colors,
    is_a_pair,
    looks_like_trousers,
    to_training_geometry,
)
from pipelines.analysis import BodyAnalyzer, load_network, shrink
from pipelines.registry import WEIGHTS

if TYPE_CHECKING:
    from models.analysis.garment_cutout import GarmentCutter

# A picture shows somebody wearing the garment if so much of the crop is face, and top.
_LEAST_FACE, _LEAST_UPPER = 0.012, 0.06
_AGREED = 0.8  # of what the cutter found must lie within what is not the plain ground
_MOST_HELD = 0.15  # the cutter's share of the picture's edge beyond which a garment is cut off


@dataclass(frozen=True)
class Garment:
    """A garment cut out of its picture, centred as the networks know garments.

    Attributes:
        image: (h, w, 3) uint8, sRGB, 3:4; colours go on beyond the outline.
        mask: (h, w) float32 in 0..1, where the garment is.
        on_body: whether somebody wears it in the picture; else it lies or hangs.
        cut_off: whether it reaches beyond its picture.
    """

    image: np.ndarray
    mask: np.ndarray
    on_body: bool
    cut_off: bool = False

    def on_white(self) -> Image.Image:
        """The cut-out as people like to see it."""
        share = self.mask[..., None]
        return Image.fromarray(np.rint(self.image * share + 255 * (1 - share)).astype(np.uint8))


class GarmentAnalyzer:
    """Cuts garments out of pictures. One object may be shared by threads.

    Args:
        analyzer: looks for a person who wears the garment.
    """

    def __init__(self, analyzer: BodyAnalyzer) -> None:
        self.analyzer = analyzer
        self._lock = threading.Lock()
        self._cutter: GarmentCutter | None = None

    def load(self) -> None:
        """Load the models now rather than with the first picture.

        Raises:
            CheckpointError: weights are not here.
        """
        self.analyzer.load()
        with self._lock:
            if self._cutter is None:
                from models.analysis.garment_cutout import GarmentCutter

                self._cutter = load_network(GarmentCutter, WEIGHTS / "garment-cutter")

    def __call__(self, picture: Image.Image) -> Garment:
        """Cut the garment out of a picture.

        Raises:
            GarmentError: there is none, or it is no top.
            CheckpointError: weights are not here.
        """
        self.load()
        # 1. Does somebody wear it?
        try:
            person = self.analyzer(picture)
        except NoPersonError:
            person = None
        if person is not None and _is_somebody(person):
            return _take_off(person)
        # 2. It lies or hangs somewhere
        return self._cut_out(np.ascontiguousarray(picture.convert("RGB")))

    def _cut_out(self, pixels: np.ndarray) -> Garment:
        from models.analysis.garment_cutout import find_garment, on_plain_ground, refine_outline

        assert self._cutter is not None
        likely = find_garment(self._cutter, pixels)
        if (likely > 0.5).mean() < SMALLEST:
            raise GarmentError("no garment found", reason="none", found=0, needed=1)
        if is_a_pair(likely > 0.5):
            raise GarmentError("two things of like size", reason="pair")
        mask = on_plain_ground(pixels)
        if mask is None or mask[likely > 0.5].mean() < _AGREED:
            mask = refine_outline(pixels, likely)
        if (mask > 0.5).mean() < SMALLEST:
            raise GarmentError("no garment found", reason="none", found=0, needed=1)
        if looks_like_trousers(mask > 0.5):
            raise GarmentError("two legs", reason="trousers")
        edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        cut_off = bool((edge > 0.5).mean() > _MOST_HELD)
        return Garment(*to_training_geometry(pixels, mask), on_body=False, cut_off=cut_off)


def _is_somebody(person: Person) -> bool:
    """Whether the pose model saw a person, and not a shirt that looks like one."""
    face = person.share_of(Part.FACE).mean()
    return bool(face > _LEAST_FACE and person.share_of(Part.UPPER).mean() > _LEAST_UPPER)


def _take_off(person: Person) -> Garment:
    """The upper garment of a person, with what hair and arms hide of it filled in."""
    from models.analysis.garment_cutout import filled, largest

    pixels = cut(person.image, person.box_xyxy)
    height, width = pixels.shape[:2]
    upper = shrink(person.share_of(Part.UPPER), (height, width))
    whole = filled(largest(upper > 0.5))
    mask = np.maximum(upper, whole) * whole
    if (mask > 0.5).mean() < SMALLEST:
        raise GarmentError("the person wears no top that shows", reason="none", found=0, needed=1)
    x0, y0 = person.box_xyxy[:2]
    left, top, right, bottom = inside(person.box_xyxy, person.image.shape)
    within = np.zeros((height, width), bool)
    within[top - y0 : bottom - y0, left - x0 : right - x0] = True
    beyond = mask.copy()
    mask = mask * within
    if not (mask > 0.5).any():
        raise GarmentError("the top is outside the picture", reason="none", found=0, needed=1)
    cut_off = bool((beyond > 0.5).sum() > 1.05 * (mask > 0.5).sum())
    pixels = extend_colors(pixels, (upper > 0.5) & within)
    return Garment(
        *to_training_geometry(pixels, mask.astype(np.float32)), on_body=True, cut_off=cut_off
    )
