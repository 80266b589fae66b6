"""Skin tone of a foundation shade or a face: typology angle, Monk scale, undertone.

An uncalibrated photograph gives an estimate only; none of this says anything of a person's origin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.ops.color import delta_e, individual_typology_angle, rgb_to_lab, skin_tone_band

MONK = (
    "#f6ede4",
    "#f3e7db",
    "#f7ead0",
    "#eadaba",
    "#d7bd96",
    "#a07e56",
    "#825c43",
    "#604134",
    "#3a312a",
    "#292420",
)
"""The ten tones of the Monk Skin Tone scale (Monk, 2019), lightest first, sRGB."""

COOL_BELOW, WARM_ABOVE = 55.0, 64.0
"""Hue angles between which an undertone is called neutral: a convention of the trade, not law."""


@dataclass(frozen=True)
class SkinTone:
    """What one CIELAB colour says when it is skin.

    Attributes:
        ita: individual typology angle in degrees, -90..90.
        band: its name, from "very light" to "dark".
        monk: nearest tone of the Monk scale, 1 (lightest) to 10.
        undertone: "cool", "neutral" or "warm", from the hue angle.
    """

    ita: float
    band: str
    monk: int
    undertone: str


def skin_tone(lab: np.ndarray) -> SkinTone:
    """Describe a skin colour, (3,) CIELAB under D65."""
    ita = individual_typology_angle(lab)
    return SkinTone(ita, skin_tone_band(ita), monk_tone(lab), undertone(lab))


def monk_tone(lab: np.ndarray) -> int:
    """Nearest tone of the Monk scale by CIEDE2000, 1..10."""
    codes = [[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in MONK]
    tones = rgb_to_lab(np.array([codes], np.uint8))[0]
    return int(np.argmin(delta_e(np.asarray(lab)[None], tones))) + 1


def undertone(lab: np.ndarray) -> str:
    """Cool, neutral or warm by the hue angle atan2(b*, a*); pinkish skins lie below 55 degrees."""
    hue = float(np.degrees(np.arctan2(lab[2], lab[1])))
    return "cool" if hue < COOL_BELOW else "warm" if hue > WARM_ABOVE else "neutral"
