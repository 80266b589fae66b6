"""Shades as the page shows them: a swatch, a caption, and how one came out on a face."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import gradio as gr

from app.language import translate
from app.ui import text
from app.ui.endpoints import UNCHANGED, Update
from app.ui.result_files import save_png
from models.instant.shade import Reached

Shade = dict[str, Any]
"""A row of a catalogue."""


class ShadesUpdates(NamedTuple):
    """Shades to choose from, in the order of the tab's parts."""

    swatches: Update = UNCHANGED
    shades: list[Shade] | Update = UNCHANGED
    line: str | Update = UNCHANGED


def offer_swatches(shades: list[Shade], line: str) -> ShadesUpdates:
    """Shades to choose from, and a line above them."""
    pairs = [(save_swatch(shade), caption_shade(shade)) for shade in shades]
    return ShadesUpdates(gr.update(value=pairs, visible=bool(shades)), shades, line)


def describe_shade(shade: Shade, reached: Reached) -> str:
    """How near the colour on the face came to the one asked for, in a line."""
    if reached.delta_e != reached.delta_e:
        return translate(text.HIDDEN_PLACE)
    return translate(
        text.SHADE_ON,
        title=shade.get("title") or "",
        hex=shade["hex"],
        finish=translate(reached.coat.finish),
        place=translate(reached.coat.place),
        error=f"{reached.delta_e:.1f}",
    )


def save_swatch(shade: Shade) -> str:
    """A picture of the shade in its finish, as a file."""
    from pipelines.makeup.swatch import draw_swatch

    return save_png(draw_swatch(shade["hex"], shade.get("finish") or "matte"), "swatch.png")


def caption_shade(shade: Shade) -> str:
    """Name, finish and distance of a shade, as far as they are known."""
    name = shade.get("name") or translate(shade.get("title") or "") or shade["hex"]
    parts = [name, translate(shade.get("finish") or "")]
    if "delta_e" in shade:
        parts.append(f"ΔE {shade['delta_e']:.1f}")
    return " · ".join(part for part in parts if part)


def to_hex(color: str) -> str:
    """What Gradio's colour picker gives, "#b01030" or "rgba(176.2, 16, 48, 1)", as hex."""
    numbers = re.findall(r"[\d.]+", color)
    if not color.startswith("rgb") or len(numbers) < 3:
        return color
    return "#" + bytes(min(255, round(float(number))) for number in numbers[:3]).hex()
