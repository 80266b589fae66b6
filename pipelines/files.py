"""Files written whole or not at all: beside their place first, then one rename."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path, *, synced: bool = False, shared: bool = False) -> Iterator[Path]:
    """A place beside `path` for a file or folder, which takes its place when all was written.

        with replacing(out) as temporary:
            temporary.write_text(long)

    An error, or the end of the process, leaves `path` as it was. What a process that was killed
    left behind, the next call for the same path removes.

    Args:
        path: a file, or a folder that the caller makes under the temporary name.
        synced: see that a file's bytes are on the disk before it takes the place.
        shared: other threads or processes may write the same path now; the last one wins.

    Raises:
        OSError: no such folder, no room, no permission.
    """
    name = f".mirra-{secrets.token_hex(6)}" if shared else f".{path.name}"
    temporary = path.with_name(f"{name}.tmp")
    _remove(temporary)
    try:
        yield temporary
        if temporary.is_dir():
            _remove(path)
        elif synced:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        _remove(temporary)


def write_bytes(data: bytes, path: str | Path) -> None:
    """Write a file whole or not at all; several may write the same at a time.

    Raises:
        OSError: no such folder, no room, no permission.
    """
    with replacing(Path(path), shared=True) as temporary:
        temporary.write_bytes(data)


def write_json(value: object, path: Path, *, indent: int = 1) -> None:
    """Write JSON and a line end, whole or not at all; a pipe or terminal is written as it comes.

    Raises:
        TypeError: JSON cannot hold the value; no file is touched.
        OSError: no such folder, no room, no permission.
    """
    data = (json.dumps(value, indent=indent) + "\n").encode()
    if path.exists() and not path.is_file():
        path.write_bytes(data)
    else:
        write_bytes(data, path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
