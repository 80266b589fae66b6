"""Looks in files: inside a result's PNG, as `look.json`, or by the name of a drawn one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from models.errors import LookError
from pipelines.images.encode import encode
from pipelines.images.files import read_bytes
from pipelines.images.png_text import read_text
from pipelines.makeup.look import MAX_LOOK_BYTES, Look
from pipelines.makeup.named_looks import find_look

PNG_KEY = "mirra.look"
"""Key of the PNG text that holds a look."""


def embed(
    image: Image.Image,
    look: Look,
    *,
    compress_level: int = 4,
    png_text: Mapping[str, str] | None = None,
) -> bytes:
    """The picture as a PNG that carries the look it wears, and nothing else but `png_text`.

    A look too large for a PNG's text (very noisy references) is left out.
    """
    text = look.to_json().decode()
    carried = dict(png_text or {})
    if len(text) <= MAX_LOOK_BYTES:
        carried[PNG_KEY] = text
    return encode(image, "png", compress_level=compress_level, text=carried)


def read_embedded(source: bytes | str | Path) -> Look | None:
    """The look a Mirra PNG carries; None if the file carries none or is no PNG.

    Raises:
        ImageError: the file cannot be read.
        LookError: it carries a look, but a damaged one.
    """
    text = read_text(source, PNG_KEY, max_bytes=MAX_LOOK_BYTES)
    return None if text is None else Look.from_json(text.encode())


def load_look(source: str | Path | bytes) -> Look:
    """A look from a `look.json`, a PNG made by Mirra, or by the name of a drawn one.

    Raises:
        LookError: there is no look in it.
        ImageError: the file cannot be read.
    """
    if isinstance(source, str) and _may_be_name(source):
        return find_look(source)
    data = source if isinstance(source, bytes) else read_bytes(source)
    if data.lstrip()[:1] == b"{":
        return Look.from_json(data)
    look = read_embedded(data)
    if look is None:
        raise LookError("the file carries no look")
    return look


def _may_be_name(source: str) -> bool:
    path = Path(source)
    try:
        return not path.suffix and not path.is_file()
    except (OSError, ValueError):  # too long for a path, or with a NUL in it
        return True
