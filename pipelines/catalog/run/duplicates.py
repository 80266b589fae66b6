"""The same picture again, in another size or file: a fingerprint of shape and of colour.

A perceptual hash alone would call two shades of one lipstick the same picture, for it sees light
and dark only. Here the colours must agree too.
"""

from __future__ import annotations

import base64
from collections import defaultdict

import numpy as np
from PIL import Image
from scipy.fft import dctn

from models.ops.color import rgb_to_lab

_CELLS = 8  # of the colour grid, along each side
_SAME_COLOR = 3.0  # CIELAB distance two cells may differ; JPEG at quality 50 stays below 2


def fingerprint(image: Image.Image) -> str:
    """Shape and colour of a picture in 268 letters.

    8 bytes of perceptual hash (signs of the lowest 8x8 DCT coefficients of a 32x32 grey copy
    against their median), then an 8x8 grid of mean CIELAB, rounded, as signed bytes.
    """
    small = image.convert("RGB").resize((32, 32), Image.Resampling.BOX)
    reduced = np.asarray(small, np.float32)
    low = np.asarray(dctn(np.asarray(small.convert("L"), np.float32), norm="ortho"))[:8, :8]
    bits = np.packbits(low > np.median(low))
    cells = reduced.reshape(_CELLS, 4, _CELLS, 4, 3).mean((1, 3)) / 255
    grid = np.clip(np.rint(rgb_to_lab(cells)), -128, 127).astype(np.int8)
    return base64.b64encode(bits.tobytes() + grid.tobytes()).decode()


class Duplicates:
    """Remembers fingerprints and finds the first that a new one repeats.

    Exact for any distance: two 64-bit hashes that differ in d bits agree in one of d + 1 bands, so
    only those that share a band are compared. About 0.5 kB a picture.

    Args:
        distance: how many of the 64 bits of shape may differ.
    """

    def __init__(self, distance: int) -> None:
        self.distance = distance
        self._bands: list[dict[bytes, list[int]]] = [defaultdict(list) for _ in range(distance + 1)]
        self._shapes: list[np.ndarray] = []
        self._grids: list[np.ndarray] = []

    def find_first(self, text: str) -> int | None:
        """Number of the earliest picture that looks the same, or None; then this one is kept."""
        data = base64.b64decode(text)
        shape = np.unpackbits(np.frombuffer(data[:8], np.uint8))
        grid = np.frombuffer(data[8:], np.int8).astype(np.float32).reshape(-1, 3)
        keys = [part.tobytes() for part in np.array_split(shape, self.distance + 1)]
        near = {
            number
            for band, key in zip(self._bands, keys, strict=True)
            for number in band.get(key, ())
        }
        for number in sorted(near):
            if (
                np.count_nonzero(self._shapes[number] != shape) <= self.distance
                and np.linalg.norm(self._grids[number] - grid, axis=1).max() <= _SAME_COLOR
            ):
                return number
        for band, key in zip(self._bands, keys, strict=True):
            band[key].append(len(self._shapes))
        self._shapes.append(shape)
        self._grids.append(grid)
        return None
