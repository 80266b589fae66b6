"""A makeup result as the page has it: files to show and to take along, and a line about it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.language import translate
from app.ui import text
from app.ui.result_files import save_file, save_png
from pipelines.makeup.look import Look
from pipelines.makeup.look_files import embed
from pipelines.makeup.output import MakeupOutput


def get_look(output: MakeupOutput) -> Look:
    """The look with the strengths it is worn at; on the page all faces wear the same."""
    return next(iter(output.layers.looks.values()))


def save_result(output: MakeupOutput, png_text: Mapping[str, str]) -> tuple[str, str]:
    """Before and after as PNG files; the second carries its look and `png_text`."""
    return save_png(output.layers.image, "before.png"), save_picture(output, png_text)


def save_picture(output: MakeupOutput, png_text: Mapping[str, str]) -> str:
    """The result as a PNG file that carries its look and `png_text`."""
    data = embed(output.images[0], get_look(output), compress_level=1, png_text=png_text)
    return save_file(data, "mirra.png")


def save_draft(output: MakeupOutput) -> tuple[str, str]:
    """Before and after while a slider moves: written fast, without the look."""
    return save_png(output.layers.image, "before.png"), save_png(output.images[0], "mirra.png")


def save_look(look: Look) -> str:
    """A look as a `look.json` file."""
    return save_file(look.to_json(), "look.json")


def describe_result(output: MakeupOutput) -> str:
    """What was measured on the result, in a line; colours on the first face that wears it."""
    from pipelines.makeup.report import count_pixels_changed_outside, measure_color_error

    look = get_look(output)
    face = output.layers.faces[next(iter(output.layers.looks))]
    errors = measure_color_error(face, np.asarray(output.images[0]), look)
    count = len(output.layers.by_face)
    sentence = text.ON_SEVERAL if count > 1 else text.ON_ONE
    return " · ".join(
        [
            translate(sentence, look=translate(look.name), count=count),
            *(
                translate(text.WITHIN, region=translate(text.REGIONS[region]), error=error)
                for region, error in errors.items()
            ),
            translate(text.OUTSIDE, count=count_pixels_changed_outside(output)),
            f"{sum(output.milliseconds.values()):.0f} ms",
        ]
    )
