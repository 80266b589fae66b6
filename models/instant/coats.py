"""Coats: a product on a place of the face."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from models import regions
from models.errors import ShadeError
from models.instant.drawn_shapes import Zone, zone_mask
from models.instant.face_texture import TEXTURE_SIZE
from models.instant.finish import FINISHES
from models.ops.masks import canonical_regions, smoothstep

PLACES: dict[str, str] = {
    "lips": regions.LIPS,
    "eyes": regions.EYES,
    "lid": regions.EYES,
    "crease": regions.EYES,
    "outer": regions.EYES,
    "inner": regions.EYES,
    "brows": regions.BROWS,
    "cheeks": regions.CHEEKS,
    "skin": regions.SKIN,
}
"""Where a shade can lie -> the makeup region it belongs to."""

USUAL_OPACITY = {
    regions.LIPS: 0.98,
    regions.EYES: 0.8,
    regions.BROWS: 0.6,
    regions.CHEEKS: 0.3,
    regions.SKIN: 0.5,
}
"""How thickly each region is usually made up, 0..1."""

EYE_LAYOUT: tuple[Zone, ...] = ("lid", "crease", "outer", "inner")
"""Where the colours of a palette go on the eye, in turn."""

_HEX = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Coat:
    """One product on one place of the face.

    Attributes:
        color: sRGB hex of the product laid on thick.
        place: one of `PLACES`.
        finish: one of `FINISHES`.
        opacity: 0 (not worn) to 1 (hides the skin); None for what the place and finish usually
            have.

    Raises:
        ShadeError: one of them does not exist.
    """

    color: str
    place: str = "lips"
    finish: str = "matte"
    opacity: float | None = None

    def __post_init__(self) -> None:
        if not _HEX.fullmatch(self.color):
            raise ShadeError("not a colour", found=self.color, needed="#b01030")
        if self.place not in PLACES:
            raise ShadeError("no such place", found=self.place, needed=tuple(PLACES))
        if self.finish not in FINISHES:
            raise ShadeError("no such finish", found=self.finish, needed=tuple(FINISHES))
        if self.opacity is not None and not 0 <= self.opacity <= 1:
            raise ShadeError("opacity is not in 0..1", found=self.opacity, needed=(0, 1))

    @property
    def region(self) -> str:
        """The makeup region it belongs to."""
        return PLACES[self.place]

    @property
    def hiding(self) -> float:
        """Opacity 0..1, the usual one where none was given."""
        usual = USUAL_OPACITY[self.region] * FINISHES[self.finish].opacity
        return usual if self.opacity is None else self.opacity


def laid_out(coats: Sequence[Coat]) -> list[Coat]:
    """Several coats for the eyes spread as an artist does: lid, crease, outer and inner corner.

    Raises:
        ShadeError: there are more colours for the eyes than places.
    """
    eyes = sum(coat.place == regions.EYES for coat in coats)
    if eyes < 2:
        return list(coats)
    if eyes > len(EYE_LAYOUT):
        raise ShadeError("too many eye colours", found=eyes, needed=len(EYE_LAYOUT))
    places = iter(EYE_LAYOUT)
    return [
        replace(coat, place=next(places)) if coat.place == regions.EYES else coat for coat in coats
    ]


@lru_cache(maxsize=16)
def place_mask(place: str, size: int = TEXTURE_SIZE) -> np.ndarray:
    """A place in the canonical map, (S, S) float32 in 0..1, soft at its edge.

    Raises:
        KeyError: there is no such place.
    """
    masks = canonical_regions(size)
    if place == "eyes":
        wash = [zone_mask("lid", size), 0.7 * zone_mask("crease", size)]
        wash += [0.8 * zone_mask("outer", size), 0.4 * zone_mask("lower", size)]
        return np.max(wash, axis=0)
    if place == "lips":  # lipstick goes up to the edge that the mesh cuts a little short
        return smoothstep(0.02, 0.6, masks[regions.LIPS])
    if place == "cheeks":
        return zone_mask("cheekbones", size)
    if place == "skin":
        return np.clip(masks[regions.SKIN] + masks[regions.CHEEKS] + masks[regions.EYES], 0, 1)
    if place in EYE_LAYOUT:
        return zone_mask(place, size)
    return masks[place]
