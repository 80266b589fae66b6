"""A worn look as the files that the page shows and a visitor takes along."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gradio.processing_utils import save_bytes_to_cache

from app.service import Studio
from app.ui.files import as_png
from models.regions import MAKEUP_REGIONS
from pipelines.makeup.looks import Look

Levels = tuple[float, ...]
"""Strengths as the sliders have them: overall, then each region of `MAKEUP_REGIONS`."""


def levels_of(look: Look) -> Levels:
    """The strengths a look brings along."""
    return (look.strength, *(look.strengths.get(region, 1.0) for region in MAKEUP_REGIONS))


def as_worn(worn: Any, levels: Levels) -> Look:
    """The look as it is worn now, to be kept in the file."""
    look = next(iter(worn.looks.values()))
    return replace(
        look, strength=levels[0], strengths=dict(zip(MAKEUP_REGIONS, levels[1:], strict=True))
    )


def saved(
    studio: Studio, worn: Any, levels: Levels, cache: str, *, draft: bool = False
) -> tuple[str, str]:
    """Before and after as PNG files in the visit's folder."""
    return (
        as_png(worn.image, "before.png", cache),
        after(studio, worn, levels, cache, draft=draft),
    )


def after(studio: Studio, worn: Any, levels: Levels, cache: str, *, draft: bool = False) -> str:
    """The result as a PNG file; lossless, look inside.

    A draft, shown while a slider moves, is written fast and without its look.
    """
    from pipelines.makeup.looks import embed

    strengths: dict[str, float] = dict(zip(MAKEUP_REGIONS, levels[1:], strict=True))
    image = studio.makeup.blend(worn, strengths=strengths, strength=levels[0])
    if draft:
        return as_png(image, "mirra.png", cache)
    data = embed(image, as_worn(worn, levels), compress_level=1, marks=studio.marks)
    return save_bytes_to_cache(data, "mirra.png", cache)


def as_file(look: Look, cache: str) -> str:
    """A look as a file in the visit's folder."""
    return save_bytes_to_cache(look.to_json(), "look.json", cache)
