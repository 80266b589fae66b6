"""Find in a catalogue what suits a person: the skin, the makeup on the face, the outfit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from models.attributes.skin import skin_tone
from models.errors import CatalogError
from models.ops.color import delta_e
from pipelines.catalog.search.filters import EVERYTHING, Filters
from pipelines.catalog.search.outfit import OutfitColor
from pipelines.catalog.search.search import Match, find_nearest
from pipelines.catalog.search.store import Catalog, CatalogShade
from pipelines.makeup.face_makeup import CERTAIN_MAKEUP, MakeupColor

CATEGORIES_OF_REGION = {
    "lips": ("lipstick", "lip_gloss", "lip_liner"),
    "eyes": ("eyeshadow", "eyeshadow_palette", "eyeliner"),
    "cheeks": ("blush", "bronzer", "highlighter"),
}
"""Region of a face -> categories of products for it."""
_OTHER_FINISH = 3.0  # CIEDE2000 that a shade of another finish must be nearer to come first
NEUTRAL = 12.0
"""Chroma below which a colour has no hue to speak of."""


class Relation(NamedTuple):
    """Two hues so many degrees apart (either way) go together; `weight` is our taste."""

    degrees: float
    weight: float
    words: str


RELATIONS = (
    Relation(0, 1.0, "tones with the outfit's {outfit}"),
    Relation(30, 0.85, "lies beside the outfit's {outfit} on the colour circle"),
    Relation(180, 0.8, "stands opposite the outfit's {outfit}, so each makes the other glow"),
    Relation(120, 0.65, "makes a triad with the outfit's {outfit}"),
)
QUIET = Relation(0, 0.5, "is neutral and leaves the stage to the outfit's {outfit}")
ACCENT = Relation(0, 0.8, "is the accent that {outfit} leaves room for")
_RULES = (*RELATIONS, QUIET, ACCENT)
_REPEATS = 12.0  # CIEDE2000 up to which a shade of the same hue repeats the colour itself
_MISS = 5.0  # CIEDE2000-like distance from the ideal hue at which harmony has fallen to 1/e
_LIPS_AND_CHEEKS = ("lipstick", "lip_gloss", "lip_liner", "blush", "bronzer")
_NATURAL = (-40.0, 70.0)  # hue angles that lips and cheeks wear outside a carnival
_UNLIKE = 5.0  # CIEDE2000 that two proposals of one category must differ by


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
    at_least: float = CERTAIN_MAKEUP,
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


def offer_shades(
    colors: Iterable[MakeupColor], catalog: Catalog | None, limit: int = 5
) -> list[CatalogShade]:
    """Shades to wear after a face: each colour as it was read, then what comes nearest to it.

    Args:
        colors: from `pipelines.makeup.face_makeup.read_makeup`.
        catalog: where to look; without one only the colours themselves are offered.
        limit: how many for each.
    """
    offers: list[CatalogShade] = []
    for color in colors:
        category = CATEGORIES_OF_REGION[color.region][0]
        offers.append(
            {"title": color.region, "hex": color.hex, "finish": color.finish, "category": category}
        )
        if catalog is not None:
            for _, matches in match_makeup(catalog, [color], limit):
                offers += [{**match.shade, "delta_e": match.delta_e} for match in matches]
    return offers


def match_outfit(
    catalog: Catalog,
    outfit: Sequence[OutfitColor],
    per_category: int = 3,
    filters: Filters = EVERYTHING,
) -> list[Match]:
    """Shades of every category that go with an outfit, the best of each category first.

    A shade's score is its best relation with one of the outfit's colours, weighed with the root of
    that colour's share. `Match.delta_e` is to that colour. Foundations and concealers follow the
    skin and are left out, and so is what nobody knows how to wear.

    Args:
        catalog: where to look.
        outfit: its colours, from `outfit_colors`.
        per_category: how many of each category; they differ visibly from each other.
        filters: as in every search.

    Raises:
        CatalogError: nothing in the catalogue meets the filters.
    """
    left_out = "category NOT IN ('foundation', 'concealer', 'unknown')"
    found = catalog.select([left_out, *filters.sql()], ["L", "a", "b", "category", "confidence"])
    if not found.num_rows:
        raise CatalogError("no shade meets these filters", reason="query")
    labs = np.stack([found[name].to_numpy() for name in "Lab"], 1).astype(np.float64)
    categories = np.asarray(found["category"].to_pylist(), object)
    scores, relations, colors = _score_harmony(labs, categories, outfit)
    ids, matches = found["_rowid"].to_numpy(), []
    for category in sorted(set(categories.tolist())):
        mine = np.flatnonzero(categories == category)
        mine = mine[np.lexsort((ids[mine], -scores[mine]))][:500]
        picked: list[int] = []
        for place in mine:
            apart = delta_e(labs[picked], labs[place])
            if not len(apart) or apart.min() > _UNLIKE:
                picked.append(int(place))
            if len(picked) == per_category:
                break
        for place, shade in zip(picked, catalog.read_shades(ids[picked].tolist()), strict=True):
            color = outfit[colors[place]]
            difference = float(delta_e(labs[place], np.asarray(color.lab)))
            rule = _RULES[relations[place]]
            repeats = rule is RELATIONS[0] and difference < _REPEATS
            words = "repeats the outfit's {outfit}" if repeats else rule.words
            reason = f"{shade['name']} {words.format(outfit=color.name)}"
            matches.append(Match(shade, round(difference, 2), reason))
    return matches


def _score_harmony(
    labs: np.ndarray, categories: np.ndarray, outfit: Sequence[OutfitColor]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Best score of each shade, and the numbers of its rule and of the outfit's colour."""
    chroma = np.hypot(labs[:, 1], labs[:, 2])
    hue = np.degrees(np.arctan2(labs[:, 2], labs[:, 1]))
    quiet = chroma < NEUTRAL
    best = np.full(len(labs), -1.0)
    relation = np.zeros(len(labs), int)
    with_color = np.zeros(len(labs), int)
    for number, color in enumerate(outfit):
        own = np.hypot(*color.lab[1:])
        options = [(QUIET, np.where(quiet, 1.0, 0.0))]
        if own < NEUTRAL:
            options.append((ACCENT, np.where(quiet, 0.0, np.minimum(1.0, chroma / 60))))
        else:
            apart = np.abs((hue - np.degrees(np.arctan2(color.lab[2], color.lab[1]))) % 360)
            apart = np.minimum(apart, 360 - apart)
            for rule in RELATIONS:
                off = np.radians(np.abs(apart - rule.degrees))
                miss = 2 * chroma * np.sin(off / 2) / (1 + 0.015 * chroma)  # CIEDE2000's hue term
                options.append((rule, np.where(quiet, 0.0, np.exp(-((miss / _MISS) ** 2)))))
        for rule, closeness in options:
            score = rule.weight * closeness * np.sqrt(color.share)
            better = score > best
            best[better], with_color[better] = score[better], number
            relation[better] = _RULES.index(rule)
    odd = np.isin(categories, _LIPS_AND_CHEEKS) & ~quiet
    odd &= (hue < _NATURAL[0]) | (hue > _NATURAL[1])
    best[odd] *= 0.4
    return best, relation, with_color
