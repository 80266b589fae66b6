"""From a shade in a catalogue to a coat on a face."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from models.errors import ShadeError
from models.instant.coats import EYE_LAYOUT, Coat

if TYPE_CHECKING:
    from pipelines.catalog.search.store import CatalogShade

PLACE_OF_CATEGORY = {
    "lipstick": "lips",
    "lip_gloss": "lips",
    "lip_liner": "lips",
    "eyeshadow": "eyes",
    "eyeshadow_palette": "eyes",
    "eyeliner": "lid",
    "brow": "brows",
    "blush": "cheeks",
    "bronzer": "cheeks",
    "highlighter": "cheeks",
    "foundation": "skin",
    "concealer": "skin",
    "powder": "skin",
}
"""Category -> the place of a face it is worn on; what is left out is not worn there."""


def make_coat(shade: CatalogShade, place: str | None = None) -> Coat:
    """A shade as a coat.

    Args:
        shade: a row with `hex`, and `finish` and `category` where they are known.
        place: where to wear it; where its category belongs when None.

    Raises:
        ShadeError: the category is not worn on the face, and no place was given.
    """
    place = place or PLACE_OF_CATEGORY.get(shade.get("category") or "")
    if place is None:
        found = shade.get("category")
        raise ShadeError("not worn on the face", found=found, needed=tuple(PLACE_OF_CATEGORY))
    return Coat(shade["hex"], place, shade.get("finish") or "matte")


def make_coats(shades: Iterable[CatalogShade], place: str | None = None) -> list[Coat]:
    """A product as coats: of a palette the first four shades, of anything else the first.

    Raises:
        ShadeError: as in `make_coat`.
    """
    coats = [make_coat(shade, place) for shade in shades]
    return coats[: len(EYE_LAYOUT) if coats and coats[0].place == "eyes" else 1]
