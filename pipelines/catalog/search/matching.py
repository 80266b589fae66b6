"""Find in a catalogue what suits a person's skin, and what a person is wearing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from models.attributes.skin import skin_tone
from pipelines.catalog.search.search import EVERYTHING, Match, find_nearest
from pipelines.catalog.search.store import Catalog, Filters

if TYPE_CHECKING:
    from pipelines.makeup.face_makeup import MakeupColor

CATEGORIES_OF_REGION = {
    "lips": ("lipstick", "lip_gloss", "lip_liner"),
    "eyes": ("eyeshadow", "eyeshadow_palette", "eyeliner"),
    "cheeks": ("blush", "bronzer", "highlighter"),
}
"""Region of a face -> categories of products for it."""
_OTHER_FINISH = 3.0  # CIEDE2000 that a shade of another finish must be nearer to come first


def match_skin(
    catalog: Catalog, lab: Sequence[float], limit: int = 10, filters: Filters = EVERYTHING
) -> list[Match]:
    """Foundations nearest to a skin, with what differs in words.

    Args:
        catalog: where to look.
        lab: CIELAB of the skin; from an uncalibrated photograph it is an estimate.
        limit: how many.
        filters: their categories are replaced by foundation.
    """
    skin = skin_tone(np.asarray(lab))
    foundations = replace(filters, categories=("foundation",))
    matches = []
    for match in find_nearest(catalog, lab, limit, foundations):
        own = skin_tone(np.asarray(match.shade["lab"]))
        lighter = match.shade["lab"][0] - lab[0]
        depth = "as light" if abs(lighter) < 1.5 else "lighter" if lighter > 0 else "darker"
        tone = "the same" if own.undertone == skin.undertone else f"a {own.undertone}"
        reason = f"{depth}, {tone} undertone, ITA {own.ita:.0f} for {skin.ita:.0f} degrees"
        matches.append(replace(match, reason=reason))
    return matches


def match_makeup(
    catalog: Catalog,
    colors: Iterable[MakeupColor],
    limit: int = 3,
    filters: Filters = EVERYTHING,
    at_least: float = 0.3,
) -> list[tuple[MakeupColor, list[Match]]]:
    """Products like those a person wears: by colour, and among near equals by finish.

    Args:
        catalog: where to look.
        colors: from `pipelines.makeup.face_makeup.read_makeup`.
        limit: how many for each.
        filters: their categories are replaced by what the region wears.
        at_least: strength from which on a colour counts as makeup.
    """
    found = []
    for color in colors:
        if color.strength < at_least:
            continue
        here = replace(filters, categories=CATEGORIES_OF_REGION[color.region])
        near = find_nearest(catalog, color.lab, 8 * limit, here)
        near.sort(
            key=lambda match, finish=color.finish: (
                match.delta_e + _OTHER_FINISH * (match.shade["finish"] not in (None, finish))
            )
        )
        found.append((color, near[:limit]))
    return found
