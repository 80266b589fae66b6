"""A catalogue of shades on disk: LanceDB, one table, written in transactions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.catalog.formats.tables import TableRow
from pipelines.catalog.search.color_index import INDEXED_COLUMNS, ColorIndex
from pipelines.catalog.search.filters import quote_words
from pipelines.lance_table import LanceTable

if TYPE_CHECKING:
    import pyarrow as pa

CatalogShade = dict[str, Any]
"""A shade as people see it: `sku`, `shade_index`, `lab`, and what `WORDS` and `NUMBERS` name."""
TABLE = "shades"
WORDS = ("sku", "title", "brand", "currency", "category", "kind", "finish", "hex", "name", "source")
AXES = ("gloss", "sparkle_density", "sparkle_size", "hue_shift", "opacity")
NUMBERS = ("price", "confidence", "spread", *AXES)
_SCALES = np.array([1, 1, 1, 25, 40, 20, 0.2, 15])
"""How many units of CIELAB a whole step of each axis is worth to the eye; a choice of ours."""


class Catalog(LanceTable):
    """Shades by SKU.

    Args:
        path: folder of the catalogue; it is made by the first `upsert`.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path, TABLE, "catalogue")
        self._index: tuple[int, ColorIndex] | None = None

    def upsert(self, rows: Iterable[TableRow]) -> int:
        """Add products, or replace them with all their shades; returns the number of shades.

        Args:
            rows: of `tables.COLUMNS`, the shades of one SKU next to each other or at least within
                the same call; rows without a shade are passed over. A shade that comes twice
                counts as last given.
        """
        shades = (_record(row) for row in rows if row.get("lab") and row.get("sku"))
        count = 0
        while group := list(islice(shades, 20_000)):
            skus = quote_words({record["sku"] for record in group})
            self.merge(group, _schema, replaced=f"sku IN ({skus})")
            count += len({record["id"] for record in group})
        return count

    def optimize(self) -> None:
        """Join the small files that upserts leave, and index what upserts look for."""
        from lancedb.index import BTree

        self.table.optimize()
        for column in ("id", "sku"):
            self.table.create_index(column, config=BTree(), replace=True)

    def load_color_index(self) -> ColorIndex:
        """Colours of this state of the catalogue; read once, then kept."""
        version = self.table.version
        if self._index is None or self._index[0] != version:
            self._index = (version, ColorIndex.from_table(self.select([], INDEXED_COLUMNS)))
        return self._index[1]

    def select(self, conditions: Sequence[str], columns: Sequence[str]) -> pa.Table:
        """Columns of all shades that meet every condition, as an Arrow table with `_rowid`."""
        query = self.table.search().with_row_id(True).select(list(columns))
        return (query.where(" AND ".join(conditions)) if conditions else query).to_arrow()

    def read_shades(self, row_ids: Sequence[int]) -> list[CatalogShade]:
        """Whole shades by `_rowid`, in the order asked."""
        if not len(row_ids):
            return []
        found = self.table.take_row_ids(list(map(int, row_ids))).with_row_id().to_list()
        by_id = {row.pop("_rowid"): row for row in found}
        return [_public(by_id[int(row_id)]) for row_id in row_ids]

    def read_product(self, sku: str) -> list[CatalogShade]:
        """All shades of one product in reading order; empty if there is none."""
        found = self.table.search().where(f"sku = {quote_words([sku])}").to_list()
        return sorted(map(_public, found), key=lambda row: row["shade_index"])

    def count_shades(self) -> dict[str, object]:
        """Shades, products, and how many shades of each category, finish and brand ("" unknown)."""
        table = self.select([], ["sku", "category", "finish", "brand"])
        counts = {
            name: {
                pair["values"] or "": pair["counts"]
                for pair in sorted(
                    table[name].value_counts().to_pylist(), key=lambda pair: -pair["counts"]
                )
            }
            for name in ("category", "finish", "brand")
        }
        return {"shades": table.num_rows, "products": len(table["sku"].unique()), **counts}


def make_appearance_vector(lab: Sequence[float], axes: Sequence[float]) -> np.ndarray:
    """Colour and finish as a point, (8,) float32, whose distances are about those of the eye.

    CIELAB, then `AXES` scaled so that matte to mirror counts as much as 25 units of CIELAB.
    """
    return (np.array([*lab, *axes]) * _SCALES).astype(np.float32)


def _record(row: TableRow) -> dict[str, Any]:
    lab = [float(value) for value in row["lab"]]
    axes = [float(row.get(name) or 0.0) for name in AXES]
    index = int(row.get("shade_index") or 0)
    return {
        "id": f"{row['sku']}\x1f{index}",
        "shade_index": index,
        **{name: row.get(name) for name in WORDS},
        **{name: None if row.get(name) is None else float(row[name]) for name in NUMBERS},
        "L": lab[0],
        "a": lab[1],
        "b": lab[2],
        "vector": make_appearance_vector(lab, axes).tolist(),
    }


def _public(row: dict[str, Any]) -> CatalogShade:
    """A shade as people see it, without what only searching needs."""
    lab = [round(row[name], 2) for name in "Lab"]
    return {
        "sku": row["sku"],
        "shade_index": row["shade_index"],
        "lab": lab,
        **{name: row[name] for name in WORDS if name != "sku"},
        **{name: None if row[name] is None else round(row[name], 3) for name in NUMBERS},
    }


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema(
        [("id", pa.string()), ("shade_index", pa.int32())]
        + [(name, pa.string()) for name in WORDS]
        + [(name, pa.float32()) for name in (*NUMBERS, "L", "a", "b")]
        + [("vector", pa.list_(pa.float32(), len(_SCALES)))]
    )


def keep_best_pictures(read: Callable[[], Iterable[TableRow]]) -> Iterator[TableRow]:
    """Rows of the best read picture of each SKU, when a shop has several of one product.

    Args:
        read: gives the rows anew each time it is called; they are gone through twice.
    """
    best: dict[str, tuple[float, str]] = {}
    for row in read():
        if row.get("lab") and row.get("best"):
            found = (float(row.get("confidence") or 0), row["source"])
            if row["sku"] not in best or found[0] > best[row["sku"]][0]:
                best[row["sku"]] = found
    for row in read():
        if row.get("lab") and best.get(row["sku"], (0, None))[1] == row["source"]:
            yield row
