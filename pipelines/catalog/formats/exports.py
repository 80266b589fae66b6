"""Export shades as schema.org products, Google's feed, or Shopify's metafields."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from pipelines.catalog.formats.tables import TableRow
from pipelines.catalog.formats.taxonomy import (
    CATEGORY_LEAVES,
    COSMETICS,
    SHOPIFY_FINISHES,
    find_basic_color,
)
from pipelines.files import replacing

_MEASURES = {  # axis -> UN/CEFACT unit: C62 is a plain number, DD a degree
    "gloss": "C62",
    "sparkle_density": "C62",
    "hue_shift": "DD",
    "opacity": "C62",
}


def group_by_product(rows: Iterable[TableRow]) -> Iterator[list[TableRow]]:
    """Shades of one product after the other; rows without a shade are passed over."""
    shades = (row for row in rows if row.get("hex"))
    for _, group in groupby(shades, key=lambda row: (row["sku"], row.get("source"))):
        yield list(group)


def make_shade_id(row: TableRow, shades: int) -> str:
    """Id of a variant: the SKU, and the shade's place where there are several."""
    return f"{row['sku']}-{row['shade_index'] + 1}" if shades > 1 else str(row["sku"])


def format_schema_org(rows: Iterable[TableRow]) -> Iterator[str]:
    """A schema.org ProductGroup (JSON-LD) a line, its shades as variants by colour."""
    for shades in group_by_product(rows):
        first = shades[0]
        group: dict[str, object] = {
            "@context": "https://schema.org/",
            "@type": "ProductGroup",
            "productGroupID": first["sku"],
            "name": first.get("title"),
            "brand": {"@type": "Brand", "name": first["brand"]} if first.get("brand") else None,
            "variesBy": "https://schema.org/color",
            "hasVariant": [_variant(row, len(shades)) for row in shades],
        }
        yield json.dumps(_given(group), ensure_ascii=False) + "\n"


def _variant(row: TableRow, shades: int) -> dict[str, object]:
    leaf = CATEGORY_LEAVES.get(row.get("category") or "")
    light, a, b = row["lab"]
    facts = [
        {"@type": "PropertyValue", "propertyID": "finish", "value": row.get("finish")},
        {"@type": "PropertyValue", "propertyID": "hex", "value": row["hex"]},
        {"@type": "PropertyValue", "propertyID": "CIELAB D65", "value": f"{light} {a} {b}"},
    ]
    facts += [
        {"@type": "PropertyValue", "propertyID": name, "value": row[name], "unitCode": unit}
        for name, unit in _MEASURES.items()
        if row.get(name) is not None
    ]
    offer = {"@type": "Offer", "price": row.get("price"), "priceCurrency": row.get("currency")}
    return _given(
        {
            "@type": "Product",
            "sku": make_shade_id(row, shades),
            "name": " ".join(filter(None, (row.get("title"), row.get("name")))),
            "color": row.get("name"),
            "image": row["source"] if "://" in str(row.get("source")) else None,
            "category": COSMETICS + leaf.google if leaf else None,
            "offers": offer if row.get("price") is not None and row.get("currency") else None,
            "additionalProperty": facts,
        }
    )


GOOGLE_COLUMNS = (
    "id",
    "item_group_id",
    "title",
    "brand",
    "image_link",
    "price",
    "color",
    "google_product_category",
    "product_type",
    "product_detail",
)


def format_google_feed(rows: Iterable[TableRow]) -> Iterator[str]:
    """A supplemental feed, tab-separated: what pictures tell, to join the shop's own by `id`."""
    yield "\t".join(GOOGLE_COLUMNS) + "\n"
    for shades in group_by_product(rows):
        for row in shades:
            leaf = CATEGORY_LEAVES.get(row.get("category") or "")
            price = f"{row['price']:.2f} {row['currency']}" if _priced(row) else ""
            link = row["source"] if "://" in str(row.get("source")) else ""
            yield _line(
                make_shade_id(row, len(shades)),
                row["sku"] if len(shades) > 1 else "",
                row.get("title"),
                row.get("brand"),
                link,
                price,
                row.get("name"),
                COSMETICS + leaf.google if leaf else "",
                (row.get("category") or "").replace("_", " "),
                f"Shade:Finish:{row['finish']}" if row.get("finish") else "",
            )


def _line(*cells: object) -> str:
    """Cells as one line of a feed; tabs and line breaks within them become spaces."""
    text = io.StringIO()
    clean = [" ".join(str(cell).split()) if cell is not None else "" for cell in cells]
    csv.writer(text, delimiter="\t", lineterminator="\n").writerow(clean)
    return text.getvalue()


def format_shopify(rows: Iterable[TableRow]) -> Iterator[str]:
    """A product a line: taxonomy category, then metafields of the product and its variants.

    `shopify.color-pattern` and `shopify.cosmetic-finish` take the taxonomy's values (attributes 1
    and 1614); what has no place there is under the namespace `mirra`.
    """
    for shades in group_by_product(rows):
        first = shades[0]
        leaf = CATEGORY_LEAVES.get(first.get("category") or "")
        finishes = {SHOPIFY_FINISHES[row["finish"]]: None for row in shades if row.get("finish")}
        product = {
            "sku": first["sku"],
            "title": first.get("title"),
            "vendor": first.get("brand"),
            "category": f"gid://shopify/TaxonomyCategory/{leaf.shopify}" if leaf else None,
            "attributes": [
                {
                    "id": "gid://shopify/TaxonomyAttribute/1614",
                    "handle": "cosmetic-finish",
                    "values": list(finishes),
                },
                {
                    "id": "gid://shopify/TaxonomyAttribute/1",
                    "handle": "color",
                    "values": list(
                        {f"color__{find_basic_color(row['lch'])}": None for row in shades}
                    ),
                },
            ],
            "variants": [_shopify_variant(row, len(shades)) for row in shades],
        }
        yield json.dumps(_given(product), ensure_ascii=False) + "\n"


def _shopify_variant(row: TableRow, shades: int) -> dict[str, object]:
    values = {
        "hex": ("color", row["hex"]),
        "lab": ("list.number_decimal", json.dumps(row["lab"])),
        "finish": ("single_line_text_field", row.get("finish")),
        **{
            name: ("number_decimal", str(row[name]))
            for name in _MEASURES
            if row.get(name) is not None
        },
    }
    return {
        "sku": make_shade_id(row, shades),
        "option": row.get("name"),
        "metafields": [
            {"namespace": "mirra", "key": key, "type": kind, "value": value}
            for key, (kind, value) in values.items()
            if value is not None
        ],
    }


def _priced(row: TableRow) -> bool:
    return row.get("price") is not None and bool(row.get("currency"))


def _given(record: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in record.items() if value not in (None, "")}


EXPORTS: dict[str, Callable[[Iterable[TableRow]], Iterator[str]]] = {
    "schemaorg": format_schema_org,
    "google-feed": format_google_feed,
    "shopify": format_shopify,
}


def write_export(lines: Iterable[str], out: Path) -> int:
    """Write lines, whole or not at all; returns how many.

    Raises:
        CatalogError: the table they come from cannot be read.
        OSError: no such folder, no room, no permission.
    """
    with (
        replacing(out, synced=True) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        count = sum(bool(file.write(line)) for line in lines)
        file.flush()
    return count
