"""What a file says about itself, read by hand before any decoder sees it.

Decoders reserve memory for what a header claims, and Pillow's parsers follow some claims that cost
far more than the file weighs: a 64 KB camera directory (EXIF) whose entries all point at the same
64 KB, a JPEG with a hundred thousand scans, a PNG of two million empty chunks. `read_header` walks
the outermost structure only, never reads past the end, and refuses such files.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from models.errors import ImageError
from pipelines.images.exif import check_directory, read_tiff_header

# Kind of file -> the name Pillow knows it by.
KINDS = ("JPEG", "PNG", "WebP", "HEIC", "AVIF", "BMP", "GIF", "TIFF")

MAX_JPEG_SCANS = 100  # progressive JPEGs have about ten; each scan is a pass over all pixels
MAX_PNG_CHUNKS = 20_000  # 30 MB in the smallest usual chunks of 8 KB is 3,700
MAX_DIRECTORIES = 16  # EXIF blocks in one AVIF or HEIC; a phone writes one
MAX_JUNK = 65_536  # bytes of nothing tolerated between two JPEG segments

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_AVIF_BRANDS = {b"avif", b"avis"}
_CONTAINER_BRANDS = {b"mif1", b"msf1"}  # says "pictures inside"; the next brands say which

# The first bytes of things people drop on the page by mistake.
_OTHERS = (
    (b"%PDF", "PDF document"),
    (b"PK\x03\x04", "ZIP archive"),
    (b"\x1f\x8b", "compressed archive"),
    (b"Rar!", "compressed archive"),
    (b"7z\xbc\xaf", "compressed archive"),
    (b"8BPS", "Photoshop file"),
    (b"%!PS", "PostScript file"),
    (b"\xc5\xd0\xd3\xc6", "PostScript file"),
    (b"\xff\x0a", "JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "JPEG 2000 picture"),
    (b"\0\0\1\0", "icon"),
    (b"\x1aE\xdf\xa3", "video"),
    (b"\0\0\1\xba", "video"),
    (b"FLV", "video"),
    (b"ID3", "sound file"),
    (b"OggS", "sound file"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
)
OTHER_KINDS = frozenset(
    {name for _, name in _OTHERS}
    | {"drawing (SVG)", "web page", "text", "camera raw file", "unknown file"}
)


@dataclass(frozen=True)
class Header:
    """What the first bytes promise.

    Attributes:
        kind: one of `KINDS`.
        size_wh: width and height in pixels as stored, before any rotation; None where only the
            decoder's own header reader can tell (AVIF sequences).
        primaries: colour primaries by number (ITU-T H.273) of PNG `cICP` and HEIF `nclx`: 1 is
            sRGB's, 12 Display P3's; None where the file does not say.
    """

    kind: str
    size_wh: tuple[int, int] | None
    primaries: int | None = None


def read_header(data: bytes) -> Header:
    """Recognise a picture by its bytes and read its size without decoding it.

    Args:
        data: the whole file.

    Returns:
        Its kind, size and colour primaries.

    Raises:
        ImageError: `unknown_kind` for what is not one of `KINDS`, with `found` from `OTHER_KINDS`;
            `damaged` for a header that is cut off or asks for far more than the file holds.
    """
    try:
        if data.startswith(b"\xff\xd8\xff"):
            return Header("JPEG", _jpeg_size(data))
        if data.startswith(b"\x89PNG\r\n\x1a\n"):
            return Header("PNG", *_png(data))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return Header("WebP", _webp_size(data))
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return Header("GIF", struct.unpack_from("<HH", data, 6))
        if data[:2] == b"BM":
            return Header("BMP", _bmp_size(data))
        if data[:4] in (b"II*\0", b"MM\0*"):
            return Header("TIFF", read_tiff_header(data))
        if data[4:8] == b"ftyp" and (kind := _iso_kind(data)):
            return Header(kind, *_iso_media(data))
    except struct.error:
        raise ImageError("the header is cut off", reason="damaged") from None
    kind = _other_kind(data)
    raise ImageError(
        f"not a picture we read: {kind}", reason="unknown_kind", found=kind, needed=KINDS
    )


# A marker that is followed by a segment: not a stuffed zero, not a restart marker.
_MARKER = re.compile(rb"\xff+([\x01-\xcf\xd8-\xfe])")
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_NEVER_USED = {0x01, 0xC8, *range(0xF0, 0xFE)}


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    size: tuple[int, int] | None = None
    scans = 0
    camera = b""
    for marker, start, end in _jpeg_segments(data):
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, start + 1)
            size = width, height
        elif marker == 0xDA:
            scans += 1
            if scans > MAX_JPEG_SCANS:
                raise _damaged("JPEG", f"more than {MAX_JPEG_SCANS} scans")
        elif marker == 0xE1 and data.startswith(b"Exif\0\0", start):
            camera += data[start + 6 : end]  # one directory may span several segments
        elif marker == 0xE2 and data.startswith(b"MPF\0", start):
            check_directory(data[start + 4 : end])
    if size is None or scans == 0:
        raise _damaged("JPEG", "no picture behind the header")
    check_directory(camera)
    return size


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment up to the end of the first picture."""
    at, seen_scan = 2, False
    while found := _MARKER.search(data, at):
        marker = found[1][0]
        if marker in _NEVER_USED:
            raise _damaged("JPEG", f"marker {marker:#x}")
        if not seen_scan and found.start() - at > MAX_JUNK:
            raise _damaged("JPEG", "junk between segments")
        if marker == 0xD9:
            return
        if marker == 0xD8:
            at = found.end()
            continue
        (length,) = struct.unpack_from(">H", data, found.end())
        at = found.end() + max(2, length)
        yield marker, found.end() + 2, at
        seen_scan = seen_scan or marker == 0xDA


def _png(data: bytes) -> tuple[tuple[int, int], int | None]:
    if data[12:16] != b"IHDR":
        raise _damaged("PNG", "no IHDR")
    primaries = None
    for count, (name, start, end) in enumerate(png_chunks(data)):
        if count > MAX_PNG_CHUNKS:
            raise _damaged("PNG", f"more than {MAX_PNG_CHUNKS} chunks")
        if name == b"cICP" and end > start:
            primaries = data[start]
    return struct.unpack_from(">II", data, 16), primaries


def png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end (checksum excluded) of each whole chunk of a PNG."""
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            return
        yield name, at + 8, end
        if name == b"IEND":
            return
        at = end + 4


def _webp_size(data: bytes) -> tuple[int, int] | None:
    chunk = data[12:16]
    if chunk == b"VP8X":
        wide, high = data[24:27], data[27:30]
        if len(high) == 3:
            return 1 + int.from_bytes(wide, "little"), 1 + int.from_bytes(high, "little")
    if chunk == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        wide, high = struct.unpack_from("<HH", data, 26)
        return wide & 0x3FFF, high & 0x3FFF
    raise _damaged("WebP", "no picture chunk")


def _bmp_size(data: bytes) -> tuple[int, int]:
    (header,) = struct.unpack_from("<I", data, 14)
    if header == 12:
        return struct.unpack_from("<HH", data, 18)
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)  # negative: rows stored from the top


def _iso_kind(data: bytes) -> str | None:
    """HEIC or AVIF by the brands in the first box; None for videos and camera raw."""
    end = min(struct.unpack_from(">I", data)[0], 256)
    brands = [data[8:12], *(data[i : i + 4] for i in range(16, end, 4))]
    if brands[0] not in _HEIC_BRANDS | _AVIF_BRANDS | _CONTAINER_BRANDS:
        return None
    first = next((b for b in brands if b in _AVIF_BRANDS | _HEIC_BRANDS), b"heic")
    return "AVIF" if first in _AVIF_BRANDS else "HEIC"


def _iso_media(data: bytes) -> tuple[tuple[int, int] | None, int | None]:
    """Largest picture described (a grid's whole is larger than its tiles), and its primaries."""
    meta = _iso_box(data, b"meta")
    size = None
    for found in re.finditer(rb"ispe\0\0\0\0(.{8})", meta, re.DOTALL):
        wide, high = struct.unpack(">II", found[1])
        if size is None or wide * high > size[0] * size[1]:
            size = wide, high
    # An AVIF keeps its EXIF as a loose item; Pillow parses it on opening.
    for count, found in enumerate(re.finditer(rb"II\*\0|MM\0\*", data)):
        if count > MAX_DIRECTORIES:
            raise _damaged("AVIF or HEIC", "many camera directories")
        check_directory(memoryview(data)[found.start() :])
    nclx = re.search(rb"colrnclx(..)", meta, re.DOTALL)
    return size, int.from_bytes(nclx[1], "big") if nclx else None


def _iso_box(data: bytes, wanted: bytes) -> bytes:
    at = 0
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if length == 1 and at + 16 <= len(data):
            (length,) = struct.unpack_from(">Q", data, at + 8)
        if name == wanted:
            return data[at : at + length]
        if length < 8:  # 0: to the end of the file
            break
        at += length
    return b""


def _other_kind(data: bytes) -> str:
    for magic, name in _OTHERS:
        if data.startswith(magic):
            return name
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide") or data[8:12] == b"AVI ":
        return "camera raw file" if data[8:12] == b"crx " else "video"
    if data[8:12] == b"WAVE":
        return "sound file"
    head = data[:1024]
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in start:
        return "drawing (SVG)"
    if start.startswith((b"<!doctype html", b"<html")):
        return "web page"
    text = head.decode("utf-8", errors="ignore")
    whole = len(text.encode()) >= len(head) - 3  # the cut may fall inside a letter
    readable = all(c.isprintable() or c in "\r\n\t\f\ufeff" for c in text)
    return "text" if whole and readable else "unknown file"


def _damaged(kind: str, what: str) -> ImageError:
    return ImageError(f"damaged {kind}: {what}", reason="damaged", found=kind)
