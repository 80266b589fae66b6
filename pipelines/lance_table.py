"""One LanceDB table in a folder, opened when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import CatalogError

if TYPE_CHECKING:
    import numpy as np
    from lancedb.db import DBConnection
    from lancedb.query import LanceVectorQueryBuilder
    from lancedb.table import Table
    from pyarrow import Schema


class LanceTable:
    """What a catalogue of shades and a bank of looks have in common.

    Args:
        path: folder of the database; the first write makes it.
        name: of the table.
        kind: what people call it, for messages.
    """

    def __init__(self, path: str | Path, name: str, kind: str) -> None:
        self.path, self.name, self.kind = Path(path), name, kind
        self._opened: Table | None = None

    def exists(self) -> bool:
        """Whether there is one at this place."""
        return (self.path / f"{self.name}.lance").is_dir()

    @property
    def table(self) -> Table:
        """The LanceDB table.

        Raises:
            CatalogError: there is none, it is damaged, or LanceDB is not installed.
        """
        if self._opened is None:
            if not self.exists():
                raise CatalogError(f"there is no {self.kind} at {self.path}", reason="missing")
            try:
                self._opened = self.database().open_table(self.name)
            except (ValueError, RuntimeError, OSError) as error:
                raise CatalogError(f"cannot open the {self.kind} {self.path}: {error}") from None
        return self._opened

    def database(self) -> DBConnection:
        """The LanceDB database.

        Raises:
            CatalogError: LanceDB is not installed.
        """
        try:
            import lancedb
        except ImportError:
            raise CatalogError(
                f"a {self.kind} needs LanceDB: pip install -e '.[catalog]'",
                reason="extra",
                needed="lancedb",
            ) from None
        return lancedb.connect(self.path)

    def search_exactly(self, vector: np.ndarray) -> LanceVectorQueryBuilder:
        """Query for the records nearest to a vector: all are compared, no index guesses.

        Each comes with `_distance`, the square of the Euclidean one.
        """
        from lancedb.query import LanceVectorQueryBuilder

        query = self.table.search(vector, vector_column_name="vector")
        assert isinstance(query, LanceVectorQueryBuilder)
        return query.distance_type("l2").bypass_vector_index()

    def merge(
        self,
        records: Sequence[Mapping[str, object]],
        schema: Callable[[], Schema],
        replaced: str | None = None,
    ) -> None:
        """Add records in one transaction; those with an `id` that is there take its place.

        Args:
            records: of one `id` several times, the last counts.
            schema: makes the table's columns.
            replaced: SQL condition; what meets it and is not among the records goes.

        Raises:
            CatalogError: as for `table` and `database`.
        """
        database = self.database()
        import pyarrow as pa  # comes with LanceDB

        latest = {record["id"]: record for record in records}
        new = pa.Table.from_pylist(list(latest.values()), schema())
        if not self.exists():
            self._opened = database.create_table(self.name, new)
            return
        merge = self.table.merge_insert("id")
        merge = merge.when_matched_update_all().when_not_matched_insert_all()
        if replaced is not None:
            merge = merge.when_not_matched_by_source_delete(replaced)
        merge.execute(new)
