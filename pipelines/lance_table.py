"""One LanceDB table in a folder, opened when it is first asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from models.errors import CatalogError


class LanceTable:
    """What a catalogue of shades and a bank of looks have in common.

    Args:
        path: folder of the database; the first write makes it.
        name: of the table.
        kind: what people call it, for messages.
    """

    def __init__(self, path: str | Path, name: str, kind: str) -> None:
        self.path, self.name, self.kind = Path(path), name, kind
        self._opened: Any = None

    def exists(self) -> bool:
        """Whether there is one at this place."""
        return (self.path / f"{self.name}.lance").is_dir()

    @property
    def table(self) -> Any:
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

    def database(self) -> Any:
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
