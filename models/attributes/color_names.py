"""Colours in plain English: "deep rose", "soft peach".

The noun is the nearest of a small table by CIEDE2000 with lightness counting half (k_L = 2), for a
dark rose is still a rose; the adjective says how the colour differs from its noun.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from skimage.color import deltaE_ciede2000

from models.ops.color import rgb_to_lab

NOUNS = {
    "white": "#fbfaf8",
    "ivory": "#f3e9d6",
    "beige": "#dcc3a3",
    "taupe": "#8f7d70",
    "grey": "#8c8c8c",
    "charcoal": "#454547",
    "black": "#151415",
    "champagne": "#ead3b4",
    "gold": "#c9a04e",
    "yellow": "#f2d230",
    "mustard": "#b98d22",
    "olive": "#6f6c35",
    "lime": "#b5d334",
    "green": "#3c8a46",
    "mint": "#a9dcc3",
    "teal": "#18808a",
    "turquoise": "#3fc0c6",
    "sky blue": "#86bce6",
    "blue": "#2757b8",
    "navy": "#1d2850",
    "lavender": "#bda9da",
    "violet": "#6d42a0",
    "purple": "#86368f",
    "orchid": "#bf5fb8",
    "magenta": "#c71f7c",
    "fuchsia": "#ec2f86",
    "plum": "#6b2d4e",
    "berry": "#962950",
    "mauve": "#a5738b",
    "pink": "#f29cb4",
    "blush pink": "#efc4c0",
    "rose": "#c8607a",
    "rosewood": "#9e5a57",
    "raspberry": "#c22a55",
    "red": "#c81e2b",
    "burgundy": "#6a1a2a",
    "brick": "#a13d2d",
    "coral": "#f4705d",
    "salmon": "#ef9080",
    "peach": "#f7b28e",
    "apricot": "#f0a060",
    "orange": "#f07a28",
    "terracotta": "#bf6a4a",
    "copper": "#b5714a",
    "caramel": "#b98255",
    "tan": "#c9a07a",
    "brown": "#7a4f38",
    "chocolate": "#4a2e24",
    "nude": "#cf9a88",
}


@lru_cache(maxsize=1)
def _table() -> tuple[tuple[str, ...], np.ndarray]:
    rgb = np.array([[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in NOUNS.values()])
    return tuple(NOUNS), rgb_to_lab(rgb[None].astype(np.uint8))[0]


def color_name(lab: np.ndarray) -> str:
    """Name one CIELAB colour (D65): a noun of `NOUNS`, with one adjective where it differs.

    "soft" is lighter than the noun, "deep" darker, "bright" more and "dusty" less colourful.
    """
    names, colors = _table()
    lab = np.asarray(lab, np.float64)
    near = int(np.argmin(deltaE_ciede2000(lab[None], colors, kL=2)))
    lighter = lab[0] - colors[near, 0]
    stronger = np.hypot(*lab[1:]) - np.hypot(*colors[near, 1:])
    if max(abs(lighter) / 8, abs(stronger) / 12) < 1 or names[near] in ("white", "black"):
        return names[near]
    if abs(lighter) / 8 >= abs(stronger) / 12:
        return f"{'soft' if lighter > 0 else 'deep'} {names[near]}"
    return f"{'bright' if stronger > 0 else 'dusty'} {names[near]}"
