"""Text inside a PNG: written compressed, read back without decoding the picture.

This is how a look travels in the picture it made (`look.json`).
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import ImageError
from pipelines.images.files import read_bytes
from pipelines.images.headers import png_chunks

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngInfo

# Pillow, and so Gradio and most viewers in Python, refuses a PNG whose text unpacks to more than
# 1 MiB in one chunk: what we write must stay readable for them.
MAX_TEXT_BYTES = 1_000_000

XMP_KEY = "XML:com.adobe.xmp"
"""Under it a PNG carries XMP, which other programs find only if it is not compressed."""


def make_text_chunks(text: Mapping[str, str]) -> PngInfo:
    """Texts, and the mark that says "sRGB", for Pillow's PNG writer.

    Raises:
        ImageError: `text` for a key that is not 1-79 plain letters or a value too long.
    """
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add(b"sRGB", b"\1")  # 1: relative colorimetric
    for key, value in text.items():
        if not (0 < len(key) < 80 and key.isascii() and key.isprintable()):
            raise ImageError(f"text key {key!r}", reason="text", found=len(key), needed=79)
        size = len(value.encode())
        if size > MAX_TEXT_BYTES:
            raise _too_long(size, MAX_TEXT_BYTES)
        chunks.add_itxt(key, value, zip=key != XMP_KEY)
    return chunks


def read_text(
    source: bytes | str | Path, key: str, *, max_bytes: int = MAX_TEXT_BYTES
) -> str | None:
    """The text a PNG carries under `key`; None when it carries none, or is no PNG.

    Args:
        source: a file's bytes or a path to it.
        key: as given to `encode` or `save`.
        max_bytes: most bytes the text may unpack to.

    Raises:
        ImageError: the file cannot be read (as in `decode`), or `text` for a text that is longer
            than `max_bytes` or damaged.
    """
    data = read_bytes(source)
    if not data.startswith(b"\x89PNG\r\n\x1a\n"):
        return None
    for name, start, end in png_chunks(data):
        if name not in (b"iTXt", b"zTXt", b"tEXt") or not data.startswith(
            key.encode("latin-1", "replace") + b"\0", start, end
        ):
            continue
        if zlib.crc32(data[start - 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise ImageError("damaged text in the PNG", reason="text")
        body = data[start + len(key) + 1 : end]
        try:
            return _unpack(name, body, max_bytes)
        except (ValueError, IndexError, zlib.error):  # ValueError: also text that is not UTF-8
            raise ImageError("damaged text in the PNG", reason="text") from None
    return None


def _unpack(name: bytes, body: bytes, max_bytes: int) -> str:
    packed = name == b"zTXt"
    if name == b"zTXt":
        body = body[1:]  # compression method
    if name == b"iTXt":
        packed = body[0] == 1
        _language, _translated, body = body[2:].split(b"\0", 2)
    if packed:
        unpacker = zlib.decompressobj()
        body = unpacker.decompress(body, max_bytes + 1)
        if len(body) <= max_bytes and not unpacker.eof:
            raise ValueError("cut off")
    if len(body) > max_bytes:
        raise _too_long(len(body), max_bytes)
    return body.decode("utf-8" if name == b"iTXt" else "latin-1")


def _too_long(found: int, needed: int) -> ImageError:
    return ImageError(
        f"{found} bytes of text or more; at most {needed} fit",
        reason="text",
        found=found,
        needed=needed,
    )
