"""What several commands are asked in the same words: a look, a face's number."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pipelines.makeup.look import Look
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline


def open_look(pipeline: InstantMakeupPipeline, name: str) -> Look:
    """Take a look by its name, from a look file, from a Mirra PNG, or off a photograph.

    Raises:
        MirraError: it is none of these; that ends the run, for every result would need it.
    """
    from pipelines.images.decode import decode
    from pipelines.makeup.look_files import load_look, read_embedded

    path = Path(name)
    if not path.exists() or path.suffix.lower() == ".json":
        return load_look(path if path.suffix.lower() == ".json" else name)
    return read_embedded(path) or pipeline.read_look(decode(path), name=path.stem[:80])


def parse_faces(text: str) -> list[int] | None:
    """Read what --face says: the number of one face, or None for all.

    Raises:
        typer.BadParameter: neither 'all' nor a number.
    """
    if text == "all":
        return None
    if not text.isdigit():
        raise typer.BadParameter(f"--face is 'all' or a number, not {text}")
    return [int(text)]
