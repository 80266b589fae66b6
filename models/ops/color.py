"""Colour: sRGB, CIELAB, differences, skin tone. CIELAB is D65, 2° observer throughout."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.color import deltaE_ciede2000


def rgb_to_lab(image: np.ndarray) -> np.ndarray:
    """Convert sRGB to CIELAB.

    Args:
        image: (..., 3) uint8 in 0..255 or float in 0..1, at least two dimensions.

    Returns:
        (..., 3) float32: L* in 0..100, a* and b* about -128..127.
    """
    scaled = (
        np.asarray(image, np.float32) / 255
        if image.dtype == np.uint8
        else np.asarray(image, np.float32)
    )
    flat = np.ascontiguousarray(scaled.reshape(-1, scaled.shape[-2], 3))
    return cv2.cvtColor(flat, cv2.COLOR_RGB2Lab).reshape(image.shape)


def lab_to_rgb(lab: np.ndarray) -> np.ndarray:
    """Convert CIELAB to sRGB, (..., 3) float32 in 0..1; colours outside sRGB are clipped."""
    flat = np.ascontiguousarray(np.asarray(lab, np.float32).reshape(-1, lab.shape[-2], 3))
    return cv2.cvtColor(flat, cv2.COLOR_Lab2RGB).reshape(lab.shape)


def rgb_to_linear(image: np.ndarray) -> np.ndarray:
    """Undo sRGB's transfer curve (IEC 61966-2-1): uint8 or float 0..1 to float32 0..1."""
    scaled = np.asarray(image, np.float32) / np.float32(255 if image.dtype == np.uint8 else 1)
    return np.where(scaled <= 0.04045, scaled / 12.92, ((scaled + 0.055) / 1.055) ** 2.4)


def linear_to_rgb(linear: np.ndarray) -> np.ndarray:
    """Apply sRGB's transfer curve: linear float to float32, both clipped to 0..1."""
    light = np.clip(np.asarray(linear, np.float32), 0, 1)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def hex_to_lab(color: str) -> np.ndarray:
    """CIELAB of an sRGB hex colour such as "#b01030", (3,) float32.

    Raises:
        ValueError: it is not "#" and six hexadecimal digits.
    """
    if len(color) != 7 or color[0] != "#":
        raise ValueError(f"{color!r} is not a colour like '#b01030'")
    code = np.frombuffer(bytes.fromhex(color[1:]), np.uint8).reshape(1, 1, 3)
    return rgb_to_lab(code)[0, 0]


def lab_to_hex(lab: np.ndarray) -> str:
    """The sRGB hex, such as "#b01030", of one CIELAB colour, (3,); clipped to sRGB."""
    codes = np.rint(255 * lab_to_rgb(np.reshape(lab, (1, 1, 3)))).astype(np.uint8)
    return f"#{codes.tobytes().hex()}"


def chroma(lab: np.ndarray) -> np.ndarray:
    """Distance from grey: the length of the (a*, b*) part of (H, W, 3) CIELAB."""
    return cv2.magnitude(np.ascontiguousarray(lab[..., 1]), np.ascontiguousarray(lab[..., 2]))


def delta_e(lab_a: np.ndarray, lab_b: np.ndarray) -> np.ndarray:
    """CIEDE2000 between CIELAB colours; below 1 no eye sees it, above 5 all do.

    Args:
        lab_a: (..., 3).
        lab_b: (..., 3), of a shape that broadcasts with it.
    """
    first, second = np.broadcast_arrays(np.float64(lab_a), np.float64(lab_b))
    return np.asarray(deltaE_ciede2000(first, second))


def individual_typology_angle(lab: np.ndarray) -> float:
    """Skin tone as the individual typology angle: atan((L* - 50) / b*) in degrees.

    Above 55 very light, 41 light, 28 intermediate, 10 tan, -30 brown, below that dark
    (Chardon et al., 1991). An uncalibrated photograph gives an estimate only.
    """
    return float(np.degrees(np.arctan2(lab[0] - 50, lab[2])))


ITA_BANDS = (
    (55.0, "very light"),
    (41.0, "light"),
    (28.0, "intermediate"),
    (10.0, "tan"),
    (-30.0, "brown"),
    (-91.0, "dark"),
)


def skin_tone_band(ita: float) -> str:
    """Name of the ITA band an angle in degrees falls in."""
    return next(name for above, name in ITA_BANDS if ita > above)
