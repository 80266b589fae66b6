"""What a shop says of its pictures: rows of CSV, JSON lines or Parquet, read and cleaned."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import IO, TypedDict, cast

from models.errors import CatalogError
from pipelines.catalog.extract.attributes import CATEGORIES
from pipelines.catalog.formats.tables import import_parquet

MANIFESTS = (".csv", ".jsonl", ".ndjson", ".parquet")
"""Endings of manifests."""


def open_file(locator: str) -> AbstractContextManager[IO[bytes]]:
    """A file by its path or fsspec URL, as bytes."""
    import fsspec

    if "://" not in locator:
        return open(locator, "rb")  # noqa: PTH123
    return cast("AbstractContextManager[IO[bytes]]", fsspec.open(locator, "rb"))


def _open_text(locator: str) -> AbstractContextManager[IO[str]]:
    import fsspec

    if "://" not in locator:
        return open(locator, encoding="utf-8-sig", newline="")  # noqa: PTH123
    file = fsspec.open(locator, "rt", encoding="utf-8-sig", newline="")
    return cast("AbstractContextManager[IO[str]]", file)


def read_manifest(locator: str, suffix: str) -> Iterator[Mapping[str, object]]:
    """Rows of a manifest, lazily.

    Raises:
        CatalogError: it is damaged.
    """
    try:
        if suffix == ".parquet":
            with open_file(locator) as file:
                for batch in import_parquet().ParquetFile(file).iter_batches(1024):
                    yield from batch.to_pylist()
        else:
            with _open_text(locator) as file:
                yield from (
                    csv.DictReader(file) if suffix == ".csv" else read_json_lines(file, locator)
                )
    except (OSError, ValueError, csv.Error) as error:  # pyarrow's and broken UTF-8 are among them
        raise CatalogError(f"cannot read {locator!r}: {error}", found=locator) from None


def read_json_lines(lines: Iterable[str], name: str) -> Iterator[Mapping[str, object]]:
    """Rows of JSON lines; empty lines are passed over.

    Raises:
        CatalogError: a line is not a JSON object.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise CatalogError(f"line {number} of {name!r} is not a JSON object", found=number)
        yield row


class ShopFacts(TypedDict, total=False):
    """What a shop says of a picture; what it does not say is left out."""

    sku: str
    title: str
    description: str
    brand: str
    category: str
    price: float | None
    currency: str


def read_facts(row: Mapping[str, object]) -> ShopFacts:
    """What a manifest says, cleaned; a category of the shop's own is evidence for the picture's."""
    said = {
        name: escape_name(str(row[name]).strip())
        for name in ("sku", "title", "description", "brand", "category")
        if row.get(name) not in (None, "")
    }
    category = said.pop("category", "")
    slug = re.sub(r"[^a-z]+", "_", category.lower()).strip("_")
    if slug in CATEGORIES:
        said["category"] = slug
    elif category:
        said["description"] = f"{category}. {said.get('description', '')}".strip()
    price, currency = parse_price(row.get("price"))
    currency = currency or str(row.get("currency") or "")
    return cast("ShopFacts", {**said, "price": price, "currency": currency})


def parse_price(value: object) -> tuple[float | None, str]:
    """Price and ISO currency of 12.5, "12.50", "12.50 USD" or "EUR 12,50"; (None, "") if none."""
    text = str(value if value is not None else "").strip()
    number = re.search(r"\d+(?:[.,]\d+)?", text)
    code = re.search(r"\b[A-Z]{3}\b", text)
    price = float(number[0].replace(",", ".")) if number else None
    return price, code[0] if code else ""


def escape_name(name: str) -> str:
    """A file's name as valid text: bytes that are no UTF-8 become backslash escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
