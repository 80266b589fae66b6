"""What a run has read so far, in one SQLite file beside the result: kill it any time and go on."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from models.errors import CatalogError
from pipelines.catalog.run.inputs import CatalogItem

FORMAT = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, payload TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS pictures (
    position INTEGER PRIMARY KEY, item TEXT NOT NULL, key TEXT, payload TEXT);
DELETE FROM pictures;
"""


class RunState:
    """Results by content and pipeline version, and this run's pictures in their order.

    Results stay from run to run; the list of pictures is this run's. Every commit is one
    transaction, so a killed process loses at most the batch it was on.

    Args:
        path: the SQLite file; made if need be.

    Raises:
        CatalogError: another run is at work on it, or it is no such file.
        OSError: no such folder, no permission.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        self._database = sqlite3.connect(
            path, isolation_level=None, timeout=0, check_same_thread=False
        )
        self._lock = threading.Lock()  # batches are loaded, and looked up, in threads
        try:
            self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
            self._database.execute("PRAGMA synchronous = NORMAL")
            (found,) = self._database.execute("PRAGMA user_version").fetchone()
            if found not in (0, FORMAT):
                raise CatalogError(f"{path} is of another version", found=found, needed=FORMAT)
            self._database.execute("BEGIN IMMEDIATE")
            for statement in _TABLES.split(";"):
                self._database.execute(statement)
            self._database.execute(f"PRAGMA user_version = {FORMAT}")
            self._database.execute("COMMIT")
        except sqlite3.OperationalError as error:
            self._database.close()
            raise CatalogError(f"another run is at work on {path}", reason="busy") from error
        except sqlite3.DatabaseError as error:
            self._database.close()
            raise CatalogError(f"{path} is not the state of a run: {error}") from None

    def find_known(self, keys: Sequence[str]) -> set[str]:
        """Those of the keys that have a result."""
        slots = ",".join("?" * len(keys))
        query = f"SELECT key FROM results WHERE key IN ({slots})"
        with self._lock:
            return {key for (key,) in self._database.execute(query, list(keys))}

    def read_keys(self) -> frozenset[str]:
        """Every key that has a result."""
        return frozenset(key for (key,) in self._database.execute("SELECT key FROM results"))

    def commit(self, done: Iterable[tuple[int, CatalogItem, str, str | None]]) -> None:
        """Add pictures in one transaction.

        Args:
            done: position, item, key ("" if the picture could not be fetched) and payload; None
                for a payload that is there already.
        """
        with self._lock, self._database:  # commits, or rolls back on an error
            self._database.execute("BEGIN")
            for position, item, key, payload in done:
                if key and payload is not None:
                    self._database.execute(
                        "INSERT OR IGNORE INTO results VALUES (?, ?)", (key, payload)
                    )
                own = None if key else payload
                self._database.execute(
                    "INSERT INTO pictures VALUES (?, ?, ?, ?)",
                    (position, json.dumps(asdict(item)), key or None, own),
                )

    def iterate_pictures(self) -> Iterator[tuple[CatalogItem, str]]:
        """This run's pictures in order, each with its payload."""
        query = (
            "SELECT item, coalesce(results.payload, pictures.payload) FROM pictures "
            "LEFT JOIN results USING (key) ORDER BY position"
        )
        for item, payload in self._database.execute(query):
            yield CatalogItem(**json.loads(item)), payload

    def __enter__(self) -> RunState:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._database.close()
