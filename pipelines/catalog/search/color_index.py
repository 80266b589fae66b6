"""What a colour search looks at, held in memory: about 36 bytes a shade."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.catalog.search.filters import Filters

if TYPE_CHECKING:
    import pyarrow as pa

INDEXED_COLUMNS = ("L", "a", "b", "price", "category", "finish", "brand")


@dataclass(frozen=True)
class ColorIndex:
    """Colours of all shades, and what filters ask for.

    Attributes:
        ids: LanceDB's row ids, (N,) int64, rising.
        labs: CIELAB by axis, (3, N) float32.
        prices: (N,) float32, NaN where unknown.
        words: category, finish and brand as numbers: (N,) int32 into a list; -1 where unknown.
    """

    ids: np.ndarray
    labs: np.ndarray
    prices: np.ndarray
    words: dict[str, tuple[np.ndarray, list[str]]]

    @classmethod
    def from_table(cls, table: pa.Table) -> ColorIndex:
        """From an Arrow table of `_rowid` and the columns `INDEXED_COLUMNS`."""
        ids = table["_rowid"].to_numpy().astype(np.int64)
        order = np.argsort(ids)
        words = {}
        for name in ("category", "finish", "brand"):
            encoded = table[name].combine_chunks().dictionary_encode()
            codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            words[name] = (codes.astype(np.int32)[order], encoded.dictionary.to_pylist())
        labs = np.stack([table[name].to_numpy() for name in "Lab"]).astype(np.float32)
        prices = table["price"].to_numpy().astype(np.float32)
        return cls(ids[order], labs[:, order], prices[order], words)

    def find_places(self, box: Sequence[tuple[float, float]], filters: Filters) -> np.ndarray:
        """Places of the shades within a box of CIELAB (all, if it is empty) that filters allow."""
        found = np.arange(len(self.ids))
        for axis, (low, high) in zip(self.labs, box, strict=False):
            values = axis[found] if len(found) < len(axis) else axis
            found = found[(values >= low) & (values <= high)]
        for name, wanted in filters.words().items():
            codes, known = self.words[name]
            numbers = [number for number, word in enumerate(known) if word in wanted]
            found = found[np.isin(codes[found], numbers)]
        if filters.min_price is not None:
            found = found[self.prices[found] >= filters.min_price]
        if filters.max_price is not None:
            found = found[self.prices[found] <= filters.max_price]
        return found
