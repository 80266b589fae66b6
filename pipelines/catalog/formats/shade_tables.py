"""Public shade tables as rows of a catalogue; a user imports what they downloaded themselves."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from models.attributes.color_names import color_name
from models.errors import CatalogError
from models.ops.color import hex_to_lab
from pipelines.catalog.formats.tables import TableRow

VERSION = "table"  # pipeline version of rows that no picture was read for


def read_shade_table(path: Path) -> Iterator[TableRow]:
    """Shades of a table, one row each.

    Two layouts are known. Foundations (CSV): columns brand, product, name, specific, hex, and
    optionally imgSrc; from The Pudding's "naked truth" tables. Lipsticks (JSON): brands, each with
    series, each with lipsticks of color, id and name.

    Raises:
        CatalogError: it is damaged or has another layout.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix.lower() == ".json":
            return _numbered(_lipsticks(json.loads(text)))
        if path.suffix.lower() == ".csv":
            return _numbered(_foundations(csv.DictReader(text.splitlines())))
    except (OSError, ValueError, csv.Error) as error:
        raise CatalogError(f"cannot read {path}: {error}", found=str(path)) from None
    raise CatalogError(
        f"shade tables end in .csv or .json, not {path.suffix or 'nothing'}",
        reason="kind",
        found=path.suffix,
    )


def _foundations(rows: Iterable[Mapping[str, str]]) -> Iterator[TableRow]:
    for row in rows:
        try:
            parts = [row["brand"], row["product"], row["specific"], row["name"]]
            shade = " ".join(part for part in parts[2:] if part != "NA") or row["hex"]
            yield {
                "brand": parts[0],
                "product": parts[1],
                "shade": shade,
                "hex": row["hex"],
                "category": "foundation",
                "source": row.get("imgSrc"),
            }
        except KeyError as missing:
            raise CatalogError(
                f"the table has no column {missing}", reason="columns", found=tuple(row)
            ) from None


def _lipsticks(data: Any) -> Iterator[TableRow]:
    try:
        for brand in data["brands"]:
            for series in brand["series"]:
                for stick in series["lipsticks"]:
                    yield {
                        "brand": brand["name"],
                        "product": series["name"],
                        "shade": f"{stick['id']} {stick['name']}".strip(),
                        "hex": stick["color"],
                        "category": "lipstick",
                        "source": None,
                    }
    except (KeyError, TypeError) as error:
        raise CatalogError(f"not a table of lipsticks: {error!r}", reason="columns") from None


def _numbered(shades: Iterable[TableRow]) -> Iterator[TableRow]:
    """Rows with a SKU of brand, product and shade; repeats of a SKU are numbered."""
    seen: dict[str, int] = {}
    for shade in shades:
        try:
            lab = [round(float(value), 2) for value in hex_to_lab(shade["hex"])]
        except ValueError:
            raise CatalogError(
                f"{shade['hex']!r} is not a colour such as #b01030", reason="query"
            ) from None
        sku = " / ".join((shade["brand"], shade["product"], shade["shade"]))
        seen[sku] = seen.get(sku, 0) + 1
        yield {
            "sku": sku if seen[sku] == 1 else f"{sku} ({seen[sku]})",
            "title": f"{shade['product']} {shade['shade']}",
            "brand": shade["brand"],
            "category": shade["category"],
            "shade_index": 0,
            "hex": shade["hex"].lower(),
            "lab": lab,
            "name": color_name(np.array(lab)),
            "source": shade["source"],
            "status": "ok",
            "pipeline_version": VERSION,
        }
