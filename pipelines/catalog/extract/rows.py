"""From what one picture shows to the rows of the result."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from typing import Any

from pipelines.catalog.formats.tables import SCHEMA_VERSION, TableRow
from pipelines.catalog.run.duplicates import Duplicates
from pipelines.catalog.run.inputs import CatalogItem

# Digits kept: less than any eye sees, and the last bits of a sum do not show.
_DIGITS = {
    "spread": 2,
    "gloss": 3,
    "sparkle_density": 3,
    "sparkle_size": 3,
    "hue_shift": 1,
    "opacity": 3,
    "confidence": 3,
}


def make_rows(item: CatalogItem, payload: dict[str, Any], version: str) -> list[TableRow]:
    """Rows of one picture: one a shade, or a single one that says why there is none.

    Of a palette the shades stay in reading order; of anything else the best comes first, for the
    picture shows one product.
    """
    said = {name: getattr(item, name) or None for name in ("title", "brand", "currency")}
    width, height = payload.get("size_wh", (None, None))
    shades = payload.get("shades", [])
    row = {
        **said,
        "source": item.source,
        "sku": item.sku,
        "price": item.price,
        "kind": payload.get("kind"),
        "category": item.category or payload.get("category"),
        "shade_count": len(shades) if "shades" in payload else None,
        "width": width,
        "height": height,
        "status": payload["status"],
        "error": payload.get("error"),
        "message": payload.get("message"),
        "sha256": payload.get("sha256"),
        "schema_version": SCHEMA_VERSION,
        "pipeline_version": version,
    }
    if not shades:
        return [row]
    best = payload["best"]
    ordered = list(range(len(shades)))
    if payload["kind"] != "palette":
        ordered.sort(key=lambda place: (place != best, place))
    return [{**row, **_shade(shades[place]), "best": place == best} for place in ordered]


def _shade(shade: dict[str, Any]) -> TableRow:
    light, a, b = (round(float(value), 2) for value in shade["lab"])
    hue = math.degrees(math.atan2(b, a)) % 360
    return {
        **{name: round(float(shade[name]), digits) for name, digits in _DIGITS.items()},
        "shade_index": shade["index"],
        "hex": shade["hex"],
        "lab": [light, a, b],
        "lch": [light, round(math.hypot(a, b), 2), round(hue, 1)],
        "name": shade["name"],
        "finish": shade["finish"],
        "bbox_xyxy": list(shade["bbox_xyxy"]),
    }


def make_all_rows(
    pictures: Iterable[tuple[CatalogItem, str]], version: str, dedupe: int | None = None
) -> Iterator[TableRow]:
    """Rows of all pictures in order.

    Args:
        pictures: each with its payload as JSON.
        version: of the pipeline.
        dedupe: bits of shape that may differ in a repeated picture, see `duplicates`; such a
            picture gives one row with the status "duplicate". None keeps them all.
    """
    seen = None if dedupe is None else Duplicates(dedupe)
    sources: list[str] = []
    for item, text in pictures:
        payload = json.loads(text)
        mark = payload.get("print")
        if seen is not None and mark:
            first = seen.find_first(mark)
            if first is not None:
                payload = {**payload, "status": "duplicate", "shades": []}
                (row,) = make_rows(item, payload, version)
                yield {**row, "shade_count": None, "duplicate_of": sources[first]}
                continue
            sources.append(item.source)
        yield from make_rows(item, payload, version)
