"""TIFF directories, which also carry EXIF: guarded, and read for the little we need.

A directory is a list of entries, each "so many values of this type, there". Pillow copies what
every entry points at, and turns numbers into Python objects; entries may all point at the same
bytes. `check_directory` adds up the claims before Pillow follows them.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from models.errors import ImageError

MAX_VALUES = 200_000  # numbers in one entry; a 30,000 row picture in one-row strips has 30,000
SLACK = 65_536  # entries may share small values, so claims may exceed the file a little
MAX_SAMPLES = 6  # numbers per pixel; CMYK with two more
TILE_SLACK = 512  # pixels a tile may be larger than its picture

# Bytes per value by TIFF type number; text and raw bytes are the types of size 1.
_BYTES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}

_WIDTH, _HEIGHT, _ORIENTATION = 256, 257, 274
_SAMPLES, _TILE_WIDTH, _TILE_HEIGHT = 277, 322, 323
_SUBFILE_KIND, _DNG_VERSION = 254, 50706
_EXIF, _GPS, _INTEROP = 34665, 34853, 40965


def check_directory(tiff: bytes | memoryview) -> None:
    """Refuse a directory, with those it points to, that claims far more than `tiff` holds.

    Args:
        tiff: from the byte order mark ("II" or "MM") on; anything else passes, since nobody will
            read it as a directory.

    Raises:
        ImageError: `damaged`.
    """
    order = _order(tiff)
    if order is None or len(tiff) < 8:
        return
    offsets = [struct.unpack_from(order + "I", tiff, 4)[0]]
    claimed = 0
    for offset in offsets:  # grows by the directories found; never more than the three kinds below
        for tag, kind, count, at in _entries(tiff, order, offset):
            size = count * _BYTES.get(kind, 0)
            if size > 4:
                start = struct.unpack_from(order + "I", tiff, at)[0]
                claimed += min(size, max(0, len(tiff) - start))
                if _BYTES[kind] > 1 and count > MAX_VALUES and start + size <= len(tiff):
                    raise ImageError(f"tag {tag} holds {count} values", reason="damaged")
            elif tag in (_EXIF, _GPS, _INTEROP) and len(offsets) < 4:
                offsets.append(struct.unpack_from(order + "I", tiff, at)[0])
    if claimed > 2 * len(tiff) + SLACK:
        raise ImageError(f"tags claim {claimed} bytes of a file of {len(tiff)}", reason="damaged")


def read_tiff_header(data: bytes) -> tuple[int, int]:
    """Width and height of a TIFF's first picture, after checking its directories.

    Raises:
        ImageError: `damaged` for absurd directories or tiles; `unknown_kind` for camera raw files,
            whose first picture is only a thumbnail.
    """
    check_directory(data)
    order = _order(data) or "<"
    (offset,) = struct.unpack_from(order + "I", data, 4)
    tags: dict[int, int] = {}
    for tag, kind, count, at in _entries(data, order, offset):
        if tag in (_WIDTH, _HEIGHT, _SAMPLES, _TILE_WIDTH, _TILE_HEIGHT) and (
            tag in tags or count != 1 or kind not in (3, 4)
        ):
            raise ImageError(f"tag {tag} is not one number", reason="damaged", found="TIFF")
        (tags[tag],) = struct.unpack_from(order + ("H" if kind == 3 else "I"), data, at)
    if tags.get(_SUBFILE_KIND, 0) & 1 or _DNG_VERSION in tags:
        raise ImageError(
            "a camera raw file", reason="unknown_kind", found="camera raw file", needed="TIFF"
        )
    if _WIDTH not in tags or _HEIGHT not in tags:
        raise ImageError("a TIFF without a size", reason="damaged", found="TIFF")
    if tags.get(_SAMPLES, 1) > MAX_SAMPLES:
        raise ImageError(f"{tags[_SAMPLES]} numbers a pixel", reason="damaged", found="TIFF")
    width, height = tags[_WIDTH], tags[_HEIGHT]
    tile = tags.get(_TILE_WIDTH, 0), tags.get(_TILE_HEIGHT, 0)
    if tile[0] > width + TILE_SLACK or tile[1] > height + TILE_SLACK:
        raise ImageError(f"tiles of {tile} in {width} x {height}", reason="damaged", found="TIFF")
    return width, height


def read_orientation(exif: bytes) -> int:
    """How the camera was held, 1-8 (1: upright), from EXIF bytes; 1 where they do not say.

    Read by hand since Pillow reads all of the directory to find this one number.
    """
    tiff = exif[6:] if exif.startswith(b"Exif\0\0") else exif
    order = _order(tiff)
    if order is None or len(tiff) < 8:
        return 1
    (offset,) = struct.unpack_from(order + "I", tiff, 4)
    for tag, kind, count, at in _entries(tiff, order, offset):
        if tag == _ORIENTATION and kind == 3 and count == 1:
            (value,) = struct.unpack_from(order + "H", tiff, at)
            return value if 1 <= value <= 8 else 1
    return 1


def _order(tiff: bytes | memoryview) -> str | None:
    return {b"II": "<", b"MM": ">"}.get(bytes(tiff[:2]))


def _entries(
    tiff: bytes | memoryview, order: str, offset: int
) -> Iterator[tuple[int, int, int, int]]:
    """Yield tag, type, count and where the value (or its offset) stands."""
    if offset + 2 > len(tiff):
        return
    (count,) = struct.unpack_from(order + "H", tiff, offset)
    for at in range(offset + 2, min(offset + 2 + 12 * count, len(tiff) - 11), 12):
        yield (*struct.unpack_from(order + "HHI", tiff, at), at + 8)
