"""Looks: makeup with a name and strengths, to be kept as JSON.

The maps are brought to 8 bits when a look is made, not when it is saved, so that a look read back
from a file gives the very same pixels.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TypeGuard

import numpy as np
from PIL import Image

from models.errors import LookError
from models.instant.face_texture import TEXTURE_SIZE
from models.instant.makeup import Makeup
from models.regions import MAKEUP_REGIONS

LOOK_VERSION = 1
MAX_LOOK_BYTES = 1_000_000

# CIELAB difference of each code value 0..255: steps of 0.3 about bare skin, where a soft blush
# would show coarser ones as rings, growing to 1.2 for face paint; together a reach of 96.
_FINE, _GROWTH = 0.3, 0.0036
_STEPS = np.arange(-128, 128, dtype=np.float32)
_LEVELS = _STEPS * (np.float32(_FINE) + np.float32(_GROWTH) * np.abs(_STEPS))
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Look:
    """Makeup that can be worn, saved, mixed and replayed.

    Attributes:
        name: what a person calls it, at most 80 printable characters.
        makeup: the maps in the canonical face, as `quantize_makeup` leaves them.
        strengths: region -> 0..1, as the look was last worn; regions not named are worn in full.
        strength: overall, 0..1.
        origin: where it comes from: "drawn", "mixed", or the SHA-256 of the reference's pixels.
    """

    name: str
    makeup: Makeup
    strengths: Mapping[str, float] = field(default_factory=dict)
    strength: float = 1.0
    origin: str = "drawn"

    def with_strengths(self, strengths: Mapping[str, float], strength: float) -> Look:
        """The same look, remembering how strongly it was worn."""
        return replace(self, strengths=dict(strengths), strength=strength)

    def to_json(self) -> bytes:
        """The look as a `look.json` file."""
        makeup = self.makeup
        opacity = _codes(makeup.opacity * 255)
        paint = _paint_codes(makeup.paint) * (opacity > 0)[..., None]
        document = {
            "mirra_look": LOOK_VERSION,
            "name": self.name,
            "origin": self.origin,
            "strength": self.strength,
            "strengths": dict(self.strengths),
            "brows": _numbers(makeup.brows),
            "tone": _numbers(makeup.tone),
            "maps": {
                "deviation": _to_base64(_deviation_codes(makeup.deviation)),
                "cover": _to_base64(_codes(makeup.cover * 255)),
                "paint": _to_base64(np.dstack([paint, opacity])),
            },
        }
        return json.dumps(document, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Look:
        """Read a `look.json` file from anyone.

        Raises:
            LookError: it is too large, not a look, of another version, or says impossible things.
        """
        if len(data) > MAX_LOOK_BYTES:
            raise LookError("the look is too large", found=len(data), needed=MAX_LOOK_BYTES)
        try:
            document = json.loads(data)
        except (ValueError, RecursionError):
            raise LookError("the look is not JSON") from None
        if not isinstance(document, dict) or "mirra_look" not in document:
            raise LookError("the file is JSON, but not a look")
        if document["mirra_look"] != LOOK_VERSION or document["mirra_look"] is True:
            raise LookError("the look is of another version", needed=LOOK_VERSION)
        name, origin = document.get("name"), document.get("origin")
        if not isinstance(name, str) or not 0 < len(name) <= 80 or not name.isprintable():
            raise LookError("the look has no proper name")
        if origin not in ("drawn", "mixed") and not (
            isinstance(origin, str) and _SHA256.fullmatch(origin)
        ):
            raise LookError("the look does not say where it comes from")
        strengths = document.get("strengths")
        if not isinstance(strengths, dict) or not strengths.keys() <= set(MAKEUP_REGIONS):
            raise LookError("the look names regions Mirra does not know", needed=MAKEUP_REGIONS)
        maps = document.get("maps")
        if not isinstance(maps, dict):
            raise LookError("the look has no maps")
        deviation = _from_base64(maps.get("deviation"), "RGB")
        paint = _from_base64(maps.get("paint"), "RGBA")
        makeup = Makeup(
            deviation=_LEVELS[np.asarray(deviation, np.uint8)],
            cover=_from_base64(maps.get("cover"), "L") / 255,
            paint=_paint_of(paint[..., :3]) * (paint[..., 3:] > 0),
            opacity=paint[..., 3] / 255,
            brows=_three(document.get("brows")),
            tone=_three(document.get("tone")),
        )
        return cls(
            name,
            makeup,
            {region: _share(value) for region, value in strengths.items()},
            _share(document.get("strength")),
            origin,
        )


def quantize_makeup(makeup: Makeup) -> Makeup:
    """The makeup as it comes back from a file: maps at 8 bits, the rest at three decimals."""
    opacity = np.rint(np.clip(makeup.opacity, 0, 1) * 255) / 255
    painted = opacity > 0
    paint = np.zeros_like(makeup.paint)
    paint[painted] = _paint_of(_paint_codes(makeup.paint[painted]))
    return Makeup(
        deviation=_LEVELS[_deviation_codes(makeup.deviation)],
        cover=np.rint(np.clip(makeup.cover, 0, 1) * 255) / 255,
        paint=paint,
        opacity=opacity,
        brows=_three(_numbers(makeup.brows)),
        tone=_three(_numbers(makeup.tone)),
    )


def _deviation_codes(deviation: np.ndarray) -> np.ndarray:
    """The nearest of `_LEVELS`, as its place 0..255."""
    half = np.float32(_FINE / (2 * _GROWTH))
    steps = np.abs(deviation)
    steps *= np.float32(1 / _GROWTH)
    steps += half * half
    np.sqrt(steps, out=steps)
    steps -= half
    return _codes(np.copysign(steps, deviation, out=steps) + 128)


def _paint_codes(lab: np.ndarray) -> np.ndarray:
    return _codes(
        lab * np.asarray([2.55, 1, 1], np.float32) + np.asarray([0, 128, 128], np.float32)
    )


def _paint_of(codes: np.ndarray) -> np.ndarray:
    return (np.asarray(codes, np.float32) - np.asarray([0, 128, 128], np.float32)) / np.asarray(
        [2.55, 1, 1], np.float32
    )


def _codes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _numbers(values: np.ndarray) -> list[float] | None:
    return [round(float(v), 3) for v in values] if np.isfinite(values).all() else None


def _three(values: object) -> np.ndarray:
    if values is None:
        return np.full(3, np.nan, np.float32)
    if not isinstance(values, list) or len(values) != 3 or not all(map(_is_number, values)):
        raise LookError("a colour of the look is not three numbers")
    if not all(-200 <= v <= 200 for v in values):
        raise LookError("a colour of the look is out of range", needed=200)
    return np.asarray(values, np.float32)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value == value


def _share(value: object) -> float:
    if not _is_number(value) or not 0 <= value <= 1:
        raise LookError("a strength of the look is not between 0 and 1", needed=(0, 1))
    return float(value)


def _to_base64(codes: np.ndarray) -> str:
    buffer = BytesIO()
    Image.fromarray(codes).save(buffer, "png", compress_level=6)
    return base64.b64encode(buffer.getvalue()).decode()


def _from_base64(value: object, mode: str) -> np.ndarray:
    """A map of the canonical face, (S, S) or (S, S, C) float32 in 0..255."""
    if not isinstance(value, str):
        raise LookError("a map of the look is missing")
    try:
        data = base64.b64decode(value, validate=True)
        with Image.open(BytesIO(data), formats=["PNG"]) as image:
            if image.size != (TEXTURE_SIZE, TEXTURE_SIZE) or image.mode != mode:
                raise LookError("a map of the look has another size", needed=TEXTURE_SIZE)
            return np.asarray(np.asarray(image), np.float32)
    except LookError:
        raise
    except Exception as error:  # Pillow's readers raise whatever a damaged file leads them to
        raise LookError("a map of the look is damaged") from error
