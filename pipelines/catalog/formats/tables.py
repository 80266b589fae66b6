"""The rows of a result: their schema, and reading and writing them as Parquet, JSONL or CSV."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from models.errors import CatalogError
from pipelines.catalog.extract.attributes import CATEGORIES, FINISHES, KINDS
from pipelines.files import replacing

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = 1
TableRow = dict[str, Any]
"""A row: column -> what `COLUMNS` says of it, or None; a column that is not there is None."""
STATUSES = ("ok", "no_shade", "duplicate", "error")
ROW_GROUP = 10_000  # rows a Parquet file keeps together, and that memory holds while writing


class Column(NamedTuple):
    """One column: `type` is string, number, integer, boolean, or a list such as number[3]."""

    name: str
    type: str
    about: str
    words: tuple[str, ...] = ()


COLUMNS = (
    Column("source", "string", "Path or URL of the picture, as it was given."),
    Column("sku", "string", "The shop's number, or the picture's path without its ending."),
    Column("title", "string", "The shop's words."),
    Column("brand", "string", "The shop's words."),
    Column("price", "number", "In `currency`."),
    Column("currency", "string", "ISO 4217, such as EUR."),
    Column("kind", "string", "What the picture shows.", KINDS),
    Column("category", "string", "The shop's category where it is one of these.", CATEGORIES),
    Column("shade_index", "integer", "Place of the shade in reading order, from 0."),
    Column("shade_count", "integer", "Shades found in this picture."),
    Column("best", "boolean", "Whether this shade stands for the product."),
    Column("hex", "string", "sRGB, such as #b01030."),
    Column("lab", "number[3]", "CIELAB, D65, 2 degrees: L 0..100, a, b."),
    Column("lch", "number[3]", "CIELAB as lightness, chroma, hue in degrees 0..360."),
    Column("name", "string", "Plain English colour name."),
    Column("spread", "number", "Median CIEDE2000 of the shade's pixels to `lab`."),
    Column("finish", "string", "How light plays on it.", FINISHES),
    Column("gloss", "number", "0 no highlight, 1 mirror."),
    Column("sparkle_density", "number", "Share of the area that sparkles, 0..1."),
    Column("sparkle_size", "number", "Diameter of a sparkle over the shade's height, 0..1."),
    Column("hue_shift", "number", "Degrees between the hues of body and highlights, 0..180."),
    Column("opacity", "number", "0 clear, 1 covers fully."),
    Column("bbox_xyxy", "integer[4]", "Box in pixels of the upright picture, end exclusive."),
    Column("confidence", "number", "0..1, that colour and place are right."),
    Column("width", "integer", "Of the picture, in pixels."),
    Column("height", "integer", "Of the picture, in pixels."),
    Column("status", "string", "Whether the picture could be read.", STATUSES),
    Column("error", "string", "A code, such as too_small or missing."),
    Column("message", "string", "The error in a sentence."),
    Column("duplicate_of", "string", "Source of the picture this one repeats."),
    Column("sha256", "string", "Of the picture's bytes."),
    Column("schema_version", "integer", f"Of these columns: {SCHEMA_VERSION}."),
    Column("pipeline_version", "string", "Of the method and weights that read the picture."),
)
NAMES = tuple(column.name for column in COLUMNS)


def make_json_schema() -> dict[str, object]:
    """JSON Schema (2020-12) of one row."""
    properties: dict[str, object] = {}
    for column in COLUMNS:
        base, _, count = column.type.partition("[")
        kind: dict[str, object] = {"type": [base, "null"]}
        if count:
            length = int(count[:-1])
            kind = {
                "type": ["array", "null"],
                "items": {"type": base},
                "minItems": length,
                "maxItems": length,
            }
        if column.words:
            kind["enum"] = [*column.words, None]
        properties[column.name] = {**kind, "description": column.about}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A shade, as `mirra attributes` writes it",
        "version": SCHEMA_VERSION,
        "type": "object",
        "properties": properties,
        "required": ["source", "sku", "status", "schema_version", "pipeline_version"],
        "additionalProperties": False,
    }


def check_suffix(path: Path) -> str:
    """Ending of a table we read and write.

    Raises:
        CatalogError: it is none of .parquet, .jsonl, .csv.
    """
    suffix = path.suffix.lower()
    if suffix not in (".parquet", ".jsonl", ".csv"):
        raise CatalogError(
            f"a table ends in .parquet, .jsonl or .csv, not {suffix or 'nothing'}",
            reason="kind",
            found=suffix,
        )
    return suffix


def import_parquet() -> Any:
    """The module pyarrow.parquet.

    Raises:
        CatalogError: the extra `catalog` is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError:
        raise CatalogError(
            "Parquet needs pyarrow: pip install -e '.[catalog]'", reason="extra", needed="pyarrow"
        ) from None
    return pyarrow.parquet


def make_arrow_schema() -> pa.Schema:
    """The columns as a pyarrow schema."""
    import_parquet()
    import pyarrow as pa

    base = {"string": pa.string(), "number": pa.float64(), "integer": pa.int64()}
    base["boolean"] = pa.bool_()
    fields = []
    for column in COLUMNS:
        name, _, count = column.type.partition("[")
        fields.append((column.name, pa.list_(base[name]) if count else base[name]))
    return pa.schema(fields, metadata={"mirra_schema_version": str(SCHEMA_VERSION)})


def write_rows(rows: Iterable[TableRow], path: Path) -> int:
    """Write rows to a table whose ending names the format, whole or not at all; returns the count.

    The same rows give the same bytes, and no more than `ROW_GROUP` rows are held in memory.

    Raises:
        CatalogError: another ending, or pyarrow is missing.
        OSError: no such folder, no room, no permission.
    """
    suffix = check_suffix(path)
    with replacing(path, synced=True) as temporary:
        if suffix == ".parquet":
            return _write_parquet(iter(rows), temporary)
        with temporary.open("w", encoding="utf-8", newline="") as file:
            if suffix == ".jsonl":
                return sum(
                    bool(file.write(json.dumps(_whole(row), ensure_ascii=False) + "\n"))
                    for row in rows
                )
            writer = csv.writer(file)
            writer.writerow(NAMES)
            return sum(bool(writer.writerow(map(_cell, _whole(row).values()))) for row in rows)


def _write_parquet(rows: Iterator[TableRow], path: Path) -> int:
    schema, count = make_arrow_schema(), 0
    import pyarrow as pa

    with import_parquet().ParquetWriter(path, schema, compression="zstd") as writer:
        while group := [_whole(row) for row in islice(rows, ROW_GROUP)]:
            writer.write_table(pa.Table.from_pylist(group, schema))
            count += len(group)
    return count


def _whole(row: TableRow) -> TableRow:
    return {name: row.get(name) for name in NAMES}


def _cell(value: object) -> object:
    return json.dumps(value) if isinstance(value, (list, tuple, bool)) else value


def read_rows(path: Path) -> Iterator[TableRow]:
    """Rows of a table that `write_rows` wrote, lazily.

    Raises:
        CatalogError: another ending, damaged, not such a table, or pyarrow is missing.
    """
    suffix = check_suffix(path)
    try:
        if suffix == ".parquet":
            for batch in import_parquet().ParquetFile(path).iter_batches(ROW_GROUP):
                yield from map(_checked, batch.to_pylist())
        else:
            with path.open(encoding="utf-8", newline="") as file:
                if suffix == ".jsonl":
                    yield from (_checked(json.loads(line)) for line in file if line.strip())
                else:
                    yield from (_checked(_typed(row)) for row in csv.DictReader(file))
    except (OSError, ValueError, csv.Error) as error:  # pyarrow's and json's are among them
        raise CatalogError(f"cannot read the table {path}: {error}", found=str(path)) from None


def _checked(row: object) -> TableRow:
    if not isinstance(row, dict) or "sku" not in row or "status" not in row:
        raise CatalogError(
            "not a table that `mirra attributes` wrote", reason="columns", needed=("sku", "status")
        )
    return row


_LISTS_AND_NUMBERS = {column.name for column in COLUMNS if column.type != "string"}


def _typed(row: Mapping[str, str]) -> TableRow:
    return {
        name: (json.loads(text) if name in _LISTS_AND_NUMBERS else text) if text else None
        for name, text in row.items()
    }
