"""Makeup codes as small files: safetensors whose header is checked before anything is read.

    structure (4, S) f32    colors (27, 3) f32    brows (3,) f32
    places (n,) u16         values (n, 3) i8      preview (64, 64, 3) u8

The preview shows a generated face. Nothing of the picture a code was read from is kept: no pixels,
no place, no time, no name of a file. The header says version, name and which networks speak it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.beautybank.code import DETAIL_SIZE, MOST_DETAIL, MakeupCode
from models.beautybank.networks import SLOTS
from models.beautybank.patches import REGIONS
from models.errors import LookError
from models.lazy import locked_cached_property
from pipelines.images.files import read_bytes

CODE_VERSION = "1"
PREVIEW_SIZE = 64
MAX_CODE_BYTES = 100_000
_MOST = 1e3  # no number of a code is larger


@dataclass(frozen=True)
class CodedLook:
    """A code with what belongs to it in a file.

    Attributes:
        code: the look.
        name: what a person calls it, at most 80 printable characters.
        network: fingerprint of the networks that speak it.
        preview: (64, 64, 3) uint8, the look on a generated face.
    """

    code: MakeupCode
    name: str
    network: str
    preview: np.ndarray

    @locked_cached_property
    def picture(self) -> Image.Image:
        """The preview as a picture."""
        return Image.fromarray(self.preview)

    def to_bytes(self) -> bytes:
        """The look as a `look.safetensors` file."""
        code = self.code
        tensors = {
            "structure": np.float32(code.structure),
            "colors": np.float32(code.colors),
            "brows": np.float32(code.brows),
            "places": code.places,
            "values": code.values,
            "preview": self.preview,
        }
        metadata = {"mirra_code": CODE_VERSION, "name": self.name, "network": self.network}
        return save({k: np.ascontiguousarray(v) for k, v in tensors.items()}, metadata)

    @classmethod
    def from_bytes(cls, data: bytes) -> CodedLook:
        """Read a `look.safetensors` file from anyone.

        Raises:
            LookError: it is too large, not a code, of another version, or says impossible things.
        """
        metadata = _checked_header(data)
        try:
            tensors = load(data)
        except (SafetensorError, ValueError, KeyError):
            raise LookError("the code is damaged") from None
        code = MakeupCode(
            *(tensors[name] for name in ("structure", "colors", "brows", "places", "values"))
        )
        numbers = np.concatenate([code.structure.ravel(), code.colors.ravel()])
        brows = code.brows[np.isfinite(code.brows)]
        if not np.isfinite(numbers).all() or np.abs(np.append(numbers, brows)).max() > _MOST:
            raise LookError("the code holds impossible numbers", needed=_MOST)
        if (np.diff(code.places.astype(int)) <= 0).any():
            raise LookError("the code's fine pattern names a texel twice")
        return cls(code, metadata["name"], metadata["network"], tensors["preview"])


def load_code(path: str | Path) -> CodedLook:
    """Read a code's file.

    Raises:
        LookError: there is no code in it.
        ImageError: the file cannot be read.
    """
    return CodedLook.from_bytes(read_bytes(path))


def _checked_header(data: bytes) -> dict[str, str]:
    """The metadata of a file whose header promises what a code has, and nothing else."""
    if len(data) > MAX_CODE_BYTES:
        raise LookError("the code is too large", found=len(data), needed=MAX_CODE_BYTES)
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length]) if 2 <= length <= len(data) - 8 else None
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise LookError("the file is not a makeup code")
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or metadata.keys() != {"mirra_code", "name", "network"}:
        raise LookError("the file is not a makeup code")
    if metadata["mirra_code"] != CODE_VERSION:
        raise LookError("the code is of another version", needed=CODE_VERSION)
    name = metadata["name"]
    if not isinstance(name, str) or not 0 < len(name) <= 80 or not name.isprintable():
        raise LookError("the code has no proper name")
    found = {
        key: (entry.get("dtype"), entry.get("shape"))
        for key, entry in header.items()
        if isinstance(entry, dict)
    }
    shape = found.get("structure", (None, None))[1]
    numbers = shape[1] if isinstance(shape, list) and len(shape) == 2 else 0
    count = (found.get("places", (None, None))[1] or [0])[0]
    wanted = {
        "structure": ("F32", [len(REGIONS), numbers]),
        "colors": ("F32", [SLOTS, 3]),
        "brows": ("F32", [3]),
        "places": ("U16", [count]),
        "values": ("I8", [count, 3]),
        "preview": ("U8", [PREVIEW_SIZE, PREVIEW_SIZE, 3]),
    }
    most = min(MOST_DETAIL, DETAIL_SIZE**2)
    if found != wanted or not 1 <= numbers <= 256 or not 0 <= count <= most:
        raise LookError("the code does not hold what a code holds", needed=sorted(wanted))
    return metadata
