"""Looks that come with Mirra, drawn by our own code."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import lru_cache

from models.errors import LookError
from models.instant.drawn import Glitter, Liner, Lips, Recipe, Shadow, Star, Tint, draw
from pipelines.makeup.looks import Look, quantised


@dataclass(frozen=True)
class NamedLook:
    """A drawn look: the title and sentence a visitor reads, and how it is made."""

    title: str
    about: str
    recipe: Recipe


_ROSE, _PEACH, _BERRY, _BRICK = (-2, 10, 2), (-1, 8, 6), (-4, 11, -1), (-4, 9, 7)
_CONTOUR, _GLOW = (-6, 2, 2), (6, -1, 1)

NAMED_LOOKS: dict[str, NamedLook] = {
    "classic-red": NamedLook(
        "Classic red",
        "A blue-toned red lip, a fine black line, clean skin.",
        Recipe(
            Lips("#a3122a", 0.92, gloss=0.25),
            [Shadow("#c9a58f", "lid", 0.35), Shadow("#8a6350", "outer", 0.30)],
            Liner(thickness=1.1, wing=2.6),
            [Tint(_ROSE, "cheekbones", 0.45)],
            brows=(-30, 2, 4),
        ),
    ),
    "smoky-eye": NamedLook(
        "Smoky eye",
        "Charcoal blended into plum, a nude lip.",
        Recipe(
            Lips("#b4776c", 0.7),
            [
                Shadow("#5d4550", "crease", 0.55),
                Shadow("#2a2328", "lid", 0.80),
                Shadow("#241d22", "outer", 0.75),
                Shadow("#2a2226", "lower", 0.60),
                Shadow("#cfb39c", "inner", 0.30),
            ],
            Liner(thickness=1.6, wing=2.0, lower=0.7),
            [Tint(_CONTOUR, "contour", 0.6)],
            brows=(-32, 1, 3),
        ),
    ),
    "soft-pink": NamedLook(
        "Soft pink",
        "Rosy lids, cheeks and lips, as after a walk in the cold.",
        Recipe(
            Lips("#cf6f7f", 0.75, gloss=0.5),
            [Shadow("#d79aa0", "crease", 0.35), Shadow("#e3b4b4", "lid", 0.40)],
            Liner("#3a2622", 0.8, 0.8),
            [Tint(_ROSE, "apples", 0.8)],
        ),
    ),
    "bronze": NamedLook(
        "Bronze",
        "Metal on the lids, sun on the cheekbones.",
        Recipe(
            Lips("#a65f4a", 0.75, gloss=0.35),
            [
                Shadow("#8a5a34", "crease", 0.50),
                Shadow("#b9803f", "lid", 0.70),
                Shadow("#5a3520", "outer", 0.55),
                Shadow("#9a6a38", "lower", 0.45),
                Shadow("#e9cf9a", "inner", 0.45),
            ],
            Liner("#1d120d", 1.1, 1.8),
            [
                Tint(_CONTOUR, "contour", 0.6),
                Tint(_GLOW, "highlight", 1.0),
                Tint((-2, 6, 9), "cheekbones", 0.7),
            ],
            [Glitter(("#f3d58f",), "lid", 60, 3)],
        ),
    ),
    "cat-eye": NamedLook(
        "Cat eye",
        "One black stroke, long and sharp.",
        Recipe(
            Lips("#b5565a", 0.6),
            [Shadow("#d9bda6", "lid", 0.40), Shadow("#a07f6c", "crease", 0.25)],
            Liner(thickness=2.1, wing=6.0),
            [Tint(_PEACH, "cheekbones", 0.4)],
            brows=(-32, 1, 3),
        ),
    ),
    "festival": NamedLook(
        "Festival glitter",
        "Turquoise lids, silver on the cheekbones, a star below each eye.",
        Recipe(
            Lips("#d0478a", 0.8, gloss=0.6),
            [
                Shadow("#5b4aa8", "crease", 0.50),
                Shadow("#2fb3b5", "lid", 0.75),
                Shadow("#7a3fa0", "outer", 0.55),
                Shadow("#35a6c8", "lower", 0.50),
            ],
            Liner(thickness=1.3, wing=3.6),
            [Tint(_ROSE, "apples", 0.6)],
            [
                Glitter(("#ffffff", "#ffe27a", "#8ff2ff"), "cheekbones", 150, 11),
                Glitter(("#ffffff", "#c9fbff"), "lid", 90, 12),
            ],
            [Star("#f2c53d", 101, 2.3)],
        ),
    ),
    "berry-stain": NamedLook(
        "Berry stain",
        "Lips bitten dark in the middle, plum in the crease.",
        Recipe(
            Lips("#6d1336", 0.72, edge="#a34b62"),
            [Shadow("#7c4a5c", "crease", 0.40), Shadow("#9b6d77", "lid", 0.40)],
            Liner("#24161c", 0.9, 1.2),
            [Tint(_BERRY, "apples", 0.55)],
        ),
    ),
    "nude": NamedLook(
        "Everyday nude",
        "Your face, awake: warm lids, a soft lip, a little colour.",
        Recipe(
            Lips("#b57b6d", 0.6, gloss=0.2),
            [Shadow("#b98f78", "crease", 0.30), Shadow("#d2b09a", "lid", 0.30)],
            Liner("#33231d", 0.7, 0.5),
            [Tint(_PEACH, "apples", 0.5), Tint(_GLOW, "highlight", 0.5)],
        ),
    ),
    "sixties": NamedLook(
        "Sixties",
        "Pale lids, a graphic line, a milky lip.",
        Recipe(
            Lips("#d9a39a", 0.75),
            [Shadow("#e8e2de", "lid", 0.65), Shadow("#6f6a72", "crease", 0.35)],
            Liner(thickness=2.5, wing=4.2, lower=0.35),
            [Tint(_PEACH, "apples", 0.35)],
            brows=(-30, 1, 3),
        ),
    ),
    "sunset": NamedLook(
        "Sunset",
        "Yellow at the inner corner, coral, then violet.",
        Recipe(
            Lips("#d2583f", 0.78, gloss=0.4),
            [
                Shadow("#d9573c", "crease", 0.55),
                Shadow("#f0883e", "lid", 0.70),
                Shadow("#7a2f6e", "outer", 0.65),
                Shadow("#f6cf4a", "inner", 0.75),
                Shadow("#b8467a", "lower", 0.45),
            ],
            Liner("#2a1420", 1.1, 2.6),
            [Tint(_BRICK, "sunkissed", 0.6)],
        ),
    ),
    "deep-plum": NamedLook(
        "Deep plum",
        "Nearly black lips with a violet heart, shadow to match.",
        Recipe(
            Lips("#3c0f2b", 0.93, gloss=0.3),
            [
                Shadow("#4f2a50", "crease", 0.55),
                Shadow("#351d3a", "lid", 0.75),
                Shadow("#1f1224", "outer", 0.60),
                Shadow("#3a1f3c", "lower", 0.55),
            ],
            Liner(thickness=1.6, wing=3.4, lower=0.5),
            [Tint(_CONTOUR, "contour", 0.6)],
            brows=(-34, 1, 1),
        ),
    ),
    "coral-fresh": NamedLook(
        "Coral fresh",
        "Coral gloss, peach cheeks, light in the corners.",
        Recipe(
            Lips("#e0604f", 0.75, gloss=0.7),
            [
                Shadow("#e6a184", "crease", 0.32),
                Shadow("#f3cdb4", "lid", 0.40),
                Shadow("#fbead2", "inner", 0.50),
            ],
            Liner("#3b241c", 0.8, 1.0),
            [Tint(_PEACH, "sunkissed", 0.7), Tint(_GLOW, "highlight", 0.8)],
        ),
    ),
}


@lru_cache(maxsize=len(NAMED_LOOKS))
def find_look(name: str) -> Look:
    """Draw a named look.

    Raises:
        LookError: there is none of that name; `needed` lists the nearest.
    """
    if name not in NAMED_LOOKS:
        near = difflib.get_close_matches(name, NAMED_LOOKS, 3, 0.4)
        raise LookError(f"no look is called {name[:40]!r}", found=None, needed=near or NAMES)
    return Look(NAMED_LOOKS[name].title, quantised(draw(NAMED_LOOKS[name].recipe)))


NAMES = tuple(NAMED_LOOKS)
"""Names of all drawn looks, in the order the page shows them."""
