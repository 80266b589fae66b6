"""A contact sheet of shades on faces, with the colour error under each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from models.instant.shade import Reached
from models.structures import Face

_SIDE, _CAPTION, _MARGIN = 260, 46, 8
_INK, _PAPER = (44, 38, 35), (251, 248, 245)


@dataclass(frozen=True)
class Cell:
    """One picture of a sheet.

    Attributes:
        face: whose face to cut out.
        image: (H, W, 3) uint8, the picture it is cut from.
        reached: what it wears; empty for a bare face.
        title: what stands above the error.
    """

    face: Face
    image: np.ndarray
    reached: Sequence[Reached]
    title: str


def draw_sheet(rows: Sequence[Sequence[Cell]]) -> Image.Image:
    """Draw cells in rows: each face cut out square, a swatch of the product, title and error."""
    width = max(map(len, rows)) * (_SIDE + _MARGIN) + _MARGIN
    height = len(rows) * (_SIDE + _CAPTION + _MARGIN) + _MARGIN
    sheet = Image.new("RGB", (width, height), _PAPER)
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            place = (
                _MARGIN + column * (_SIDE + _MARGIN),
                _MARGIN + row * (_SIDE + _CAPTION + _MARGIN),
            )
            sheet.paste(_cut_out(cell), place)
            _caption(sheet, cell, (place[0], place[1] + _SIDE + 6))
    return sheet


def describe_error(reached: Sequence[Reached]) -> str:
    """The colour error in words; the largest where several coats are worn."""
    errors = [one.delta_e for one in reached if np.isfinite(one.delta_e)]
    return f"dE {max(errors):.1f}" if errors else "hidden"


def _cut_out(cell: Cell) -> Image.Image:
    x0, y0, x1, y1 = cell.face.box_xyxy
    side = 1.06 * max(x1 - x0, y1 - y0)
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    left, top = round(x - side / 2), round(y - side / 2)
    square = Image.fromarray(cell.image).crop((left, top, left + round(side), top + round(side)))
    return square.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)


def _caption(sheet: Image.Image, cell: Cell, place: tuple[int, int]) -> None:
    draw = ImageDraw.Draw(sheet)
    x, y = place
    for one in cell.reached:
        draw.rounded_rectangle((x, y, x + 28, y + 32), 5, fill=one.coat.color)
        x += 34
    draw.text((x, y - 1), cell.title, _INK, ImageFont.load_default(14))
    if cell.reached:
        draw.text((x, y + 17), describe_error(cell.reached), _INK, ImageFont.load_default(14))
