"""What a picture file may weigh and measure, and how its bytes are read."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from models.errors import ImageError


@dataclass(frozen=True)
class Limits:
    """What a picture may be. The defaults accept a phone's 48 megapixels and stay below 1 GB.

    Attributes:
        max_bytes: size of the file.
        max_pixels: width x height.
        min_side: shorter side in pixels.
        max_ratio: longer side over shorter side.
    """

    max_bytes: int = 30_000_000
    max_pixels: int = 50_000_000
    min_side: int = 16
    max_ratio: float = 20.0

    def check_bytes(self, count: int) -> None:
        """Refuse an empty file and one above `max_bytes`."""
        if count == 0:
            raise ImageError("the file is empty", reason="empty", found=0, needed=1)
        if count > self.max_bytes:
            raise ImageError(
                f"{count} bytes; at most {self.max_bytes} are read",
                reason="too_heavy",
                found=count,
                needed=self.max_bytes,
            )

    def check_size(self, size_wh: tuple[int, int]) -> None:
        """Refuse what has too many pixels, too few, or is a strip."""
        width, height = size_wh
        short, long = min(size_wh), max(size_wh)
        found = f"{width} x {height} pixels"
        if short < self.min_side:
            message = f"{found}; the shorter side must have {self.min_side}"
            reason, needed = "too_small", self.min_side
        elif width * height > self.max_pixels:
            message = f"{found}; at most {self.max_pixels} in all"
            reason, needed = "too_many_pixels", self.max_pixels
        elif long > self.max_ratio * short:
            message = f"{found}; the longer side may be {self.max_ratio} times the shorter"
            reason, needed = "too_long", self.max_ratio
        else:
            return
        raise ImageError(message, reason=reason, found=(width, height), needed=needed)


DEFAULT_LIMITS = Limits()


def read_bytes(source: object, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Bytes of a source, or of the regular file it names; never waits on a pipe or a device.

    Raises:
        ImageError: `missing`, `not_a_file`, `no_access`, `empty` or `too_heavy`.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        limits.check_bytes(len(source))
        return bytes(source)
    if not isinstance(source, (str, Path)):
        raise ImageError(
            f"not bytes, path, picture or array: {type(source).__name__}", reason="missing"
        )
    try:
        _check_regular(Path(source).stat().st_mode)  # first: opening alone may wake a device
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(source, flags), "rb") as file:
            status = os.fstat(file.fileno())
            _check_regular(status.st_mode)  # again: it may have been swapped
            limits.check_bytes(max(1, status.st_size))
            data = file.read(limits.max_bytes + 1)  # /proc files claim 0 bytes and hold more
    except PermissionError:
        raise ImageError("not allowed to read the file", reason="no_access") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise ImageError(f"no such file: {error}", reason="missing") from None
    limits.check_bytes(len(data))
    return data


def _check_regular(mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise ImageError("a folder, pipe or device, not a file", reason="not_a_file")
