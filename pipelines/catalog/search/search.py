"""Find shades by colour, exactly: all within a CIEDE2000 radius, or the nearest few."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.ops.color import delta_e
from pipelines.catalog.extract.attributes import Shade
from pipelines.catalog.search.filters import EVERYTHING, Filters
from pipelines.catalog.search.store import AXES, Catalog, CatalogShade, make_appearance_vector

_FIRST_RADIUS = 2.0
_NO_BOX = 16.0  # radius from which on a box would hold most of all colours


@dataclass(frozen=True)
class Match:
    """A shade that was found.

    Attributes:
        shade: sku, shade_index, title, brand, price, hex, lab, name, finish and so on.
        delta_e: CIEDE2000 to the colour asked for.
        reason: why it is proposed, in words, or "".
    """

    shade: CatalogShade
    delta_e: float
    reason: str = ""


def find_within(
    catalog: Catalog, lab: Sequence[float], radius: float, filters: Filters = EVERYTHING
) -> list[Match]:
    """All shades whose CIEDE2000 to `lab` is at most `radius`, the nearest first."""
    ids, differences = _ranked(catalog, lab, radius, filters)
    return _matches(catalog, ids, differences)


def find_nearest(
    catalog: Catalog, lab: Sequence[float], limit: int = 10, filters: Filters = EVERYTHING
) -> list[Match]:
    """The `limit` shades nearest to `lab` in CIEDE2000, the nearest first; ties by row."""
    radius = _FIRST_RADIUS
    while True:
        ids, differences = _ranked(catalog, lab, radius, filters)
        if len(ids) >= limit or math.isinf(radius):
            return _matches(catalog, ids[:limit], differences[:limit])
        radius = radius * 2 if radius < _NO_BOX else math.inf


def find_similar(
    catalog: Catalog, shade: Shade, limit: int = 10, filters: Filters = EVERYTHING
) -> list[Match]:
    """Shades like a swatch: nearest in colour and finish together (`make_appearance_vector`)."""
    point = make_appearance_vector(shade.lab, [getattr(shade, name) for name in AXES])
    query = catalog.search_exactly(point)
    if conditions := filters.sql():
        query = query.where(" AND ".join(conditions), prefilter=True)
    columns = ["L", "a", "b", "_distance"]
    found = query.with_row_id(True).select(columns).limit(limit).to_list()
    labs = np.array([[row["L"], row["a"], row["b"]] for row in found]).reshape(-1, 3)
    differences = delta_e(labs, np.asarray(shade.lab))
    return _matches(catalog, np.array([row["_rowid"] for row in found], int), differences)


def _ranked(
    catalog: Catalog, lab: Sequence[float], radius: float, filters: Filters
) -> tuple[np.ndarray, np.ndarray]:
    """Row ids and differences of all within the radius, sorted by difference, then row id."""
    index = catalog.load_color_index()
    places = index.find_places(make_lab_box(lab, radius) if radius < _NO_BOX else [], filters)
    differences = delta_e(index.labs[:, places].T, np.asarray(lab))
    order = np.argsort(differences, kind="stable")
    order = order[differences[order] <= radius]
    return index.ids[places[order]], differences[order]


def make_lab_box(lab: Sequence[float], radius: float) -> list[tuple[float, float]]:
    """A box in CIELAB, (low, high) of L, a, b, that holds every colour within a CIEDE2000 radius.

    With x = dC'/SC and y = dH'/SH, CIEDE2000 squared is (dL/SL)^2 + x^2 + y^2 + RT x y (kL = kC =
    kH = 1). As |RT| < 2 the last three terms are a positive form, so
    |dL| <= r SL, with SL <= 1.747 (at L = 0 and 100), and
    x^2 + y^2 <= r^2 / (1 - |RT|/2), its smaller eigenvalue.
    The distance of two colors in the (a', b) plane is sqrt(dC'^2 + dH'^2), so it is at most
    r max(SC, SH) / sqrt(1 - |RT|/2); a' = (1 + G) a with G >= 0, so |da| and |db| are no larger.
    SH <= 1 + 0.015 * 1.93 C' < SC = 1 + 0.045 C', where C' is the mean chroma, which |x| <= 2 r
    bounds; |RT| <= sin(2 dtheta) RC, where dtheta falls off from hue 275: a first, loose distance
    bounds the hues, and with them a second, closer one. (Sharma, Wu and Dalal, 2005.)

    Args:
        lab: the colour asked for.
        radius: CIEDE2000, below 22.
    """
    lightness, a, b = (float(value) for value in lab)
    chroma = math.hypot(a, b)
    stretch = 1 + 0.5 * (1 - _saturation(chroma / 2))  # 1 + G, G falls with the mean chroma
    own = stretch * chroma
    farthest = (own * (1 + 0.045 * radius) + 2 * radius) / (1 - 0.045 * radius)
    mean = (own + farthest) / 2
    longest = radius * (1 + 0.045 * mean)
    rotation = math.sin(math.radians(60)) * 2 * _saturation(mean)
    reach = longest / math.sqrt(1 - rotation / 2)
    if reach < chroma:  # else any hue may be met
        hues = [math.degrees(math.atan2(b, factor * a)) for factor in (1, stretch)]
        angle = math.degrees(math.asin(reach / chroma))
        away = min(abs((hue - 275 + 180) % 360 - 180) for hue in hues)
        away -= angle + abs(hues[0] - hues[1])
        turn = 30 * math.exp(-((max(0.0, away) / 25) ** 2))
        rotation = math.sin(math.radians(2 * turn)) * 2 * _saturation(mean)
        reach = longest / math.sqrt(1 - rotation / 2)
    sides = (1.747 * radius + 1e-3, reach + 1e-3, reach + 1e-3)  # the last for float32
    return [(v - side, v + side) for v, side in zip((lightness, a, b), sides, strict=True)]


def _saturation(chroma: float) -> float:
    """The root sqrt(C^7 / (C^7 + 25^7)) that G and RC share."""
    return math.sqrt(chroma**7 / (chroma**7 + 25.0**7))


def _matches(catalog: Catalog, ids: np.ndarray, differences: np.ndarray) -> list[Match]:
    shades = catalog.read_shades(ids.tolist())
    return [Match(s, round(float(d), 2)) for s, d in zip(shades, differences, strict=True)]
