"""Pictures out: a picture -> the bytes of a PNG, JPEG or WebP, and such a file."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from PIL import Image

from models.errors import ImageError
from pipelines.files import write_bytes
from pipelines.images.png_text import make_text_chunks

WRITES = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
"""Ending of a file -> format."""


def encode(
    image: Image.Image,
    format: str = "png",
    *,
    quality: int = 95,
    compress_level: int = 4,
    text: Mapping[str, str] | None = None,
) -> bytes:
    """Write a picture as the bytes of a file, without EXIF, place or anything else it carried.

    Args:
        image: mode "RGB" or "L"; "RGBA" and "LA" too, except as JPEG. Taken to be sRGB.
        format: "png" (lossless, marked as sRGB), "jpeg" (or "jpg"; colour at full resolution) or
            "webp".
        quality: 1..100 for JPEG and WebP.
        compress_level: 0 (fast) to 9 (small) for PNG.
        text: for PNG only, values to carry along by key (1-79 Latin letters), each at most
            `MAX_TEXT_BYTES` of UTF-8; stored compressed. Read back with `read_text`.

    Raises:
        ImageError: `output_kind` for another format, a mode or size it cannot hold, or text
            outside PNG; `text` for a key or value too long.
    """
    kind = {"jpg": "jpeg"}.get(format.lower(), format.lower())
    most = {"png": 2**31 - 1, "jpeg": 65_535, "webp": 16_383}
    modes = ("RGB", "L") if kind == "jpeg" else ("RGB", "L", "RGBA", "LA")
    if kind not in most or image.mode not in modes or not 0 < max(image.size) <= most[kind]:
        found = f"{image.mode}, {image.width} x {image.height} as {kind}"
        raise ImageError(f"cannot write {found}", reason="output_kind", found=found, needed=WRITES)
    if text and kind != "png":
        raise ImageError("only PNG carries text", reason="output_kind", found=kind, needed="png")
    if image.info:
        image = image.copy()
        image.info = {}
    options: dict[str, object] = {"quality": quality}
    if kind == "png":
        options = {"compress_level": compress_level, "pnginfo": make_text_chunks(text or {})}
    elif kind == "jpeg":
        options["subsampling"] = 0  # halved colour would smear a lip line
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def save(
    image: Image.Image,
    path: str | Path,
    *,
    quality: int = 95,
    compress_level: int = 4,
    text: Mapping[str, str] | None = None,
) -> None:
    """Write a picture to a file whose ending names the format; whole or not at all.

    Args:
        image: as in `encode`.
        path: ends in .png, .jpg, .jpeg or .webp, in any case; an existing file is replaced.
        quality: as in `encode`.
        compress_level: as in `encode`.
        text: as in `encode`.

    Raises:
        ImageError: as in `encode`, and `output_kind` for another ending.
        OSError: no such folder, no room, no permission.
    """
    path = Path(path)
    kind = WRITES.get(path.suffix.lower())
    if kind is None:
        raise ImageError(
            f"cannot write {path.suffix or 'a file without an ending'}",
            reason="output_kind",
            found=path.suffix,
            needed=tuple(WRITES),
        )
    data = encode(image, kind, quality=quality, compress_level=compress_level, text=text)
    write_bytes(data, path)
