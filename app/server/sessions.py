"""Sessions: a private folder for whatever the page must show, emptied as visitors leave.

Gradio keeps uploads and results as files, for a browser fetches pictures by address. They lie in a
folder of our own that only this user can read. A file goes when the last session that used it ends,
and at the latest `keep` seconds after it was written; the folder goes when the server stops, and a
folder that a killed server left goes when the next one starts. What keeps one visitor from
another's picture is that a file's address cannot be guessed (SECURITY.md), not who asks for it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

try:
    import fcntl
except ImportError:  # Windows: a killed server's folder stays until somebody deletes it
    fcntl = None

PREFIX = "mirra-visits-"  # as before: folders that older servers left are found by it
SETTLED = 5.0  # seconds after which an empty folder is not about to be filled


@dataclass
class _SessionState:
    """One visitor: pages open now, whether there ever was one, last sign of life, files."""

    pages: int = 0
    had_page: bool = False
    seen: float = 0.0
    files: set[Path] = field(default_factory=set)


class Sessions:
    """The private folder, and who uses what in it. Methods belong to the server's event loop.

    Args:
        keep: seconds until a file goes, used or not.
        grace: seconds a visitor may be away, as with a phone's locked screen, before all goes.
        parent: where the folder is made; the system's temporary folder by default.
    """

    def __init__(self, keep: float, grace: float, parent: str | Path | None = None) -> None:
        self.keep, self.grace = keep, grace
        above = Path(parent or tempfile.gettempdir()).resolve()
        above.mkdir(parents=True, exist_ok=True)
        _remove_orphans(above)
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=above))  # mode 0700
        self._lock = (self.folder / "lock").open("w")
        _try_lock(self._lock)
        self.files = self.folder / "files"
        self.scratch = self.folder / "scratch"
        self.files.mkdir()
        self.scratch.mkdir()
        self._sessions: dict[str, _SessionState] = {}
        self._own: frozenset[Path] = frozenset()

    def __len__(self) -> int:
        return len(self._sessions)

    def redirect_temporary_files(self) -> None:
        """Let Gradio, and all that asks for a temporary file, use the folder.

        Must be called before gradio is imported.
        """
        os.environ["GRADIO_TEMP_DIR"] = str(self.files)
        tempfile.tempdir = str(self.scratch)

    def keep_existing_files(self) -> None:
        """From here on files are visitors'; those there already belong to the page and stay."""
        self._own = frozenset(_below(self.files))

    def add_page(self, session: str) -> None:
        """A page was opened, or is back."""
        state = self._touch(session)
        state.pages += 1
        state.had_page = True

    def remove_page(self, session: str) -> None:
        """A page was closed, or lost its line."""
        self._touch(session).pages -= 1

    def record_files(self, session: str, payload: object) -> None:
        """Remember the files a visitor sent or got.

        Args:
            session: whose they are.
            payload: lists and dictionaries, files in it as {"path": ...}.
        """
        theirs = {path for path in _paths_in(payload) if path.is_relative_to(self.files)}
        self._touch(session).files |= theirs

    def delete_expired(self, forget: Callable[[str], None]) -> None:
        """End the sessions of those who left, and delete what is too old.

        Args:
            forget: called with each session that ended, to drop what is remembered of it.
        """
        now, wall = time.monotonic(), time.time()
        for session, state in list(self._sessions.items()):
            # a program opens no page: its session lasts as long as its files
            seconds = self.grace if state.had_page else self.keep
            if state.pages <= 0 and now - state.seen > seconds:
                del self._sessions[session]
                forget(session)
                used = {path for other in self._sessions.values() for path in other.files}
                for path in state.files - used - self._own:
                    path.unlink(missing_ok=True)
        for path in _below(self.files):
            if path.is_dir():
                if _age(path, wall) > SETTLED and not any(path.iterdir()):
                    path.rmdir()
            elif path not in self._own and _age(path, wall) > self.keep:
                path.unlink(missing_ok=True)

    def size(self) -> int:
        """Bytes in the folder."""
        return sum(path.stat().st_size for path in _below(self.folder) if path.is_file())

    def close(self) -> None:
        """Delete the folder and everything in it."""
        self._lock.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _touch(self, session: str) -> _SessionState:
        state = self._sessions.setdefault(session, _SessionState())
        state.seen = time.monotonic()
        return state


def _paths_in(payload: object) -> Iterator[Path]:
    """Every file a payload names."""
    if isinstance(payload, dict):
        if isinstance(path := payload.get("path"), str) and "\0" not in path:
            yield Path(path).resolve()  # with its dots it could lead anywhere
        payload = list(payload.values())
    if isinstance(payload, (list, tuple)):
        for item in payload:
            yield from _paths_in(item)


def _below(folder: Path) -> list[Path]:
    """Everything in a folder, the deepest first."""
    return sorted(folder.rglob("*"), reverse=True)


def _age(path: Path, now: float) -> float:
    try:
        return now - path.stat().st_mtime
    except OSError:  # gone in the meantime
        return 0.0


def _try_lock(file: TextIO) -> bool:
    """Whether nobody else holds the lock; it is ours then until the file is closed."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove_orphans(above: Path) -> None:
    """Delete the folders of servers that were killed: nobody holds their locks."""
    for lock in above.glob(f"{PREFIX}*/lock"):
        with lock.open("a") as file:
            if _try_lock(file):
                shutil.rmtree(lock.parent, ignore_errors=True)
