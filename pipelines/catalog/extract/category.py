"""From kind, colour and words to a category."""

from __future__ import annotations

import numpy as np

from models.attributes.vocabulary import CATEGORIES
from pipelines.catalog.extract.words import find_category

# How often a kind of picture shows a category, as shops go; what is missing is rare.
_SHOWN_AS: dict[str, dict[str, float]] = {
    "palette": {"eyeshadow_palette": 0.85, "blush": 0.07, "highlighter": 0.03, "bronzer": 0.03},
    "pan": {"blush": 0.5, "eyeshadow": 0.2, "highlighter": 0.1, "bronzer": 0.08, "powder": 0.1},
    "bullet": {"lipstick": 0.75, "blush": 0.12, "lip_gloss": 0.05, "concealer": 0.03},
    "smear": {
        "lipstick": 0.42,
        "blush": 0.3,
        "lip_gloss": 0.13,
        "foundation": 0.04,
        "highlighter": 0.03,
        "concealer": 0.02,
        "eyeshadow": 0.05,
    },
    "bottle": {
        "lip_gloss": 0.5,
        "lipstick": 0.32,
        "nail_polish": 0.05,
        "foundation": 0.06,
        "blush": 0.05,
        "concealer": 0.02,
        "mascara": 0.02,
    },
    "pencil": {"lip_liner": 0.5, "eyeliner": 0.3, "brow": 0.1, "lipstick": 0.08},
}
RARE = 0.005
WORDS_WEIGH = 30.0
"""How many times likelier the category becomes that title or description name."""
SURE_ENOUGH = 0.3


def decide_category(kinds: dict[str, float], lab: np.ndarray | None, words: str) -> str:
    """The likeliest category given what the picture shows and what the words say.

    Args:
        kinds: probability of each kind of picture.
        lab: CIELAB of the best shade, or None when none is seen.
        words: title and description; may be empty.

    Returns:
        One of `CATEGORIES`; "unknown" when nothing is likely enough.
    """
    chances = dict.fromkeys(CATEGORIES[:-1], RARE)
    for kind, probability in kinds.items():
        for category, share in _SHOWN_AS.get(kind, {}).items():
            chances[category] += probability * share
    if lab is not None:
        for category in chances:
            chances[category] *= _plausible(category, lab)
    named = find_category(words)
    if named is not None:
        chances[named] *= WORDS_WEIGH
    best = max(chances, key=lambda category: chances[category])
    seen = sum(kinds.get(kind, 0.0) for kind in _SHOWN_AS)
    sure = chances[best] / sum(chances.values()) >= SURE_ENOUGH
    return best if sure and (named is not None or seen > 0.5) else "unknown"


def _plausible(category: str, lab: np.ndarray) -> float:
    """How well a colour suits a category: 1, or a small number."""
    lightness, chroma = float(lab[0]), float(np.hypot(lab[1], lab[2]))
    hue = float(np.degrees(np.arctan2(lab[2], lab[1])))
    red = -45 < hue < 75 and chroma > 8
    skin = 35 < hue < 85 and 8 < chroma < 38 and lightness > 25
    if category in ("eyeliner", "mascara", "brow"):
        return 1.0 if lightness < 40 and chroma < 25 else 0.1
    if category in ("foundation", "concealer", "powder", "bronzer"):
        return 1.0 if skin else 0.1
    if category in ("lipstick", "lip_gloss", "lip_liner", "blush"):
        return 1.0 if red else 0.15
    return 1.0
