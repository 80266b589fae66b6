"""A worn look as the files that the page shows and a visitor takes along."""

from __future__ import annotations

from app.service import Studio
from app.ui.result_files import save_file, save_png
from models.regions import MAKEUP_REGIONS
from pipelines.makeup.look import Look
from pipelines.makeup.output import MakeupOutput

Levels = tuple[float, ...]
"""Strengths as the sliders have them: overall, then each region of `MAKEUP_REGIONS`."""


def levels_of(look: Look) -> Levels:
    """The strengths a look brings along."""
    return (look.strength, *(look.strengths.get(region, 1.0) for region in MAKEUP_REGIONS))


def adjust_to(studio: Studio, output: MakeupOutput, levels: Levels) -> MakeupOutput:
    """The result as the sliders have it: what is shown, measured and saved is this one."""
    strengths: dict[str, float] = dict(zip(MAKEUP_REGIONS, levels[1:], strict=True))
    return studio.makeup.adjust(output, strengths=strengths, strength=levels[0])


def look_of(output: MakeupOutput) -> Look:
    """The look as it is worn, to be kept in the file; on the page all faces wear the same."""
    return next(iter(output.layers.looks.values()))


def save_result(studio: Studio, output: MakeupOutput, *, draft: bool = False) -> tuple[str, str]:
    """Before and after as PNG files in the session's folder."""
    return (
        save_png(output.layers.image, "before.png"),
        save_picture(studio, output, draft=draft),
    )


def save_picture(studio: Studio, output: MakeupOutput, *, draft: bool = False) -> str:
    """The result as a PNG file; lossless, look inside.

    A draft, shown while a slider moves, is written fast and without its look.
    """
    from pipelines.makeup.look_files import embed

    image = output.images[0]
    if draft:
        return save_png(image, "mirra.png")
    data = embed(image, look_of(output), compress_level=1, png_text=studio.png_text)
    return save_file(data, "mirra.png")


def save_look(look: Look) -> str:
    """A look as a file in the session's folder."""
    return save_file(look.to_json(), "look.json")
