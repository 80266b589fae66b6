"""Looks that come with Mirra, drawn by our own code."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from models.errors import LookError
from models.instant.drawn import draw
from models.instant.look_recipe import (
    Freckles,
    Glitter,
    Liner,
    Lips,
    LookRecipe,
    Shadow,
    Star,
    Tint,
)
from models.lazy import locked_cache
from pipelines.makeup.look import Look, quantize_makeup


@dataclass(frozen=True)
class NamedLook:
    """A drawn look: the title and sentence a visitor reads, and how it is made."""

    title: str
    about: str
    recipe: LookRecipe


_ROSE, _PEACH, _BERRY, _BRICK = (-2, 10, 2), (-1, 8, 7), (-4, 10, 0), (-4, 9, 8)
_CONTOUR, _GLOW = (-5, 3, 3), (6, -1, 2)

NAMED_LOOKS: dict[str, NamedLook] = {
    "classic-red": NamedLook(
        "Classic red",
        "A blue-toned red lip, a fine black line, clean skin.",
        LookRecipe(
            Lips("#a3122a", 0.95, gloss=0.35, liner="#7d0d22"),
            [
                Shadow("#c9a58f", "lid", 0.45, sheer=True),
                Shadow("#8a6350", "crease", 0.40, sheer=True),
            ],
            Liner(thickness=1.5, wing=4.5),
            [Tint(_ROSE, "cheekbones", 0.45), Tint(_GLOW, "highlight", 0.5)],
            brows=(-30, 2, 4),
        ),
    ),
    "smoky-eye": NamedLook(
        "Smoky eye",
        "Charcoal blended into warm brown, a nude lip.",
        LookRecipe(
            Lips("#a87068", 0.85, gloss=0.3, sheer=0.75),
            [
                Shadow("#6a4a40", "crease", 0.55),
                Shadow("#332b2c", "lid", 0.75),
                Shadow("#241f20", "outer", 0.65),
                Shadow("#1c1718", "lashes", 0.60),
                Shadow("#2c2425", "lower", 0.65),
                Shadow("#d8bfa6", "inner", 0.45, sheer=True),
            ],
            Liner(thickness=1.6, wing=2.0, lower=0.7),
            [Tint(_CONTOUR, "contour", 0.7), Tint(_GLOW, "browbone", 0.6)],
            brows=(-32, 1, 3),
        ),
    ),
    "soft-pink": NamedLook(
        "Soft pink",
        "Rosy lids, cheeks and lips, as after a walk in the cold.",
        LookRecipe(
            Lips("#cf6f7f", 0.85, gloss=0.7, sheer=0.5),
            [
                Shadow("#bb837f", "crease", 0.42, sheer=True),
                Shadow("#d3a09c", "lid", 0.42, sheer=True),
                Shadow("#f0d2c8", "inner", 0.35, sheer=True),
                Shadow("#4a2f2b", "lashes", 0.45),
            ],
            Liner("#3a2622", 1.0, 0),
            [Tint(_ROSE, "apples", 0.85), Tint(_GLOW, "highlight", 0.5)],
        ),
    ),
    "bronze": NamedLook(
        "Bronze",
        "Metal on the lids, sun on the cheekbones.",
        LookRecipe(
            Lips("#a65f4a", 0.85, gloss=0.5, sheer=0.6),
            [
                Shadow("#7a4a2c", "crease", 0.50),
                Shadow("#a37443", "lid", 0.72),
                Shadow("#55301d", "outer", 0.60),
                Shadow("#3a2115", "lashes", 0.45),
                Shadow("#8a5a32", "lower", 0.50),
                Shadow("#e3c48f", "inner", 0.50),
            ],
            Liner("#1d120d", 1.5, 3.0),
            [
                Tint((9, 0, 6), "lid", 0.6),
                Tint(_CONTOUR, "contour", 0.8),
                Tint(_GLOW, "highlight", 0.9),
                Tint((-3, 7, 7), "cheekbones", 0.6),
            ],
            [Glitter(("#f3d58f", "#ffe9b8"), "lid", 50, 3)],
        ),
    ),
    "cat-eye": NamedLook(
        "Cat eye",
        "One black stroke, long and sharp.",
        LookRecipe(
            Lips("#b5565a", 0.8, gloss=0.2, sheer=0.6),
            [
                Shadow("#d9bda6", "lid", 0.40, sheer=True),
                Shadow("#92705e", "crease", 0.40, sheer=True),
            ],
            Liner(thickness=2.6, wing=9.0),
            [Tint(_PEACH, "cheekbones", 0.5), Tint(_GLOW, "browbone", 0.5)],
            brows=(-32, 1, 3),
        ),
    ),
    "festival": NamedLook(
        "Festival glitter",
        "Turquoise lids, silver on the cheekbones, gold stars below the eyes.",
        LookRecipe(
            Lips("#d0478a", 0.85, gloss=0.8, sheer=0.2),
            [
                Shadow("#5b4aa8", "crease", 0.50),
                Shadow("#2fb3b5", "lid", 0.78),
                Shadow("#6d3d9c", "outer", 0.65),
                Shadow("#35a6c8", "lower", 0.55),
                Shadow("#c9f0e6", "inner", 0.55),
            ],
            Liner(thickness=1.6, wing=5.0),
            [Tint(_ROSE, "apples", 0.6), Tint(_GLOW, "highlight", 0.8)],
            [
                Glitter(("#ffffff", "#ffe27a", "#8ff2ff", "#ff9fd6"), "cheekbones", 220, 11),
                Glitter(("#ffffff", "#c9fbff"), "lid", 90, 12),
            ],
            [
                Star("#eebb3c", (-0.69, 0.29), 3.6),
                Star("#eebb3c", (-0.86, 0.24), 2.2),
                Star("#eebb3c", (-0.55, 0.27), 1.7),
            ],
        ),
    ),
    "berry-stain": NamedLook(
        "Berry stain",
        "Lips bitten dark in the middle, plum in the crease.",
        LookRecipe(
            Lips("#6d1336", 0.80, gloss=0.2, edge="#a34b62"),
            [
                Shadow("#8a5f66", "crease", 0.55, sheer=True),
                Shadow("#93656c", "lid", 0.35, sheer=True),
                Shadow("#5e3542", "outer", 0.40),
                Shadow("#4a2633", "lashes", 0.45),
                Shadow("#8a5f66", "lower", 0.35, sheer=True),
            ],
            Liner("#24161c", 1.1, 1.5),
            [Tint(_BERRY, "apples", 0.65)],
        ),
    ),
    "nude": NamedLook(
        "Everyday nude",
        "Your face, awake: warm lids, a soft lip, a little colour.",
        LookRecipe(
            Lips("#9c6259", 0.9, gloss=0.35, sheer=0.9),
            [
                Shadow("#9d7360", "crease", 0.45, sheer=True),
                Shadow("#cdaa92", "lid", 0.40, sheer=True),
                Shadow("#4a342c", "lashes", 0.45),
            ],
            Liner("#33231d", 0.9, 0),
            [Tint(_PEACH, "apples", 0.6), Tint(_GLOW, "highlight", 0.7)],
            brows=(-26, 1, 3),
        ),
    ),
    "sixties": NamedLook(
        "Sixties",
        "Pale lids, a cut crease, a graphic line, a milky lip.",
        LookRecipe(
            Lips("#c4847c", 0.85, gloss=0.3, sheer=0.8),
            [
                Shadow("#735c54", "crease", 0.50, sheer=True),
                Shadow("#ebe3da", "lid", 0.68),
            ],
            Liner(thickness=2.8, wing=6.5, lower=0.35),
            [Tint(_PEACH, "apples", 0.45)],
            brows=(-30, 1, 3),
        ),
    ),
    "sunset": NamedLook(
        "Sunset",
        "Yellow at the inner corner, coral, then violet.",
        LookRecipe(
            Lips("#d2583f", 0.85, gloss=0.5, sheer=0.3),
            [
                Shadow("#d2553f", "crease", 0.60),
                Shadow("#ee8440", "lid", 0.75),
                Shadow("#8a2f68", "outer", 0.75),
                Shadow("#f6cf4a", "inner", 0.85),
                Shadow("#b8467a", "lower", 0.50),
            ],
            Liner("#2a1420", 1.4, 4.0),
            [Tint(_BRICK, "sunkissed", 0.65), Tint(_GLOW, "highlight", 0.6)],
        ),
    ),
    "deep-plum": NamedLook(
        "Deep plum",
        "Nearly black lips with a violet heart, shadow to match.",
        LookRecipe(
            Lips("#3c0f2b", 0.95, gloss=0.45),
            [
                Shadow("#55304f", "crease", 0.55),
                Shadow("#3a2038", "lid", 0.75),
                Shadow("#221326", "outer", 0.65),
                Shadow("#1a0e1c", "lashes", 0.60),
                Shadow("#3a1f38", "lower", 0.60),
            ],
            Liner(thickness=1.8, wing=4.5, lower=0.5),
            [Tint(_CONTOUR, "contour", 0.8), Tint(_BERRY, "cheekbones", 0.3)],
            brows=(-34, 1, 1),
        ),
    ),
    "coral-fresh": NamedLook(
        "Coral fresh",
        "Coral gloss, peach cheeks, freckles and light in the corners.",
        LookRecipe(
            Lips("#e0604f", 0.85, gloss=0.9, sheer=0.4),
            [
                Shadow("#bf8468", "crease", 0.42, sheer=True),
                Shadow("#dcb094", "lid", 0.45, sheer=True),
                Shadow("#fbead2", "inner", 0.45, sheer=True),
                Shadow("#4f3228", "lashes", 0.40),
            ],
            Liner("#3b241c", 1.0, 1.0),
            [Tint(_PEACH, "sunkissed", 0.75), Tint(_GLOW, "highlight", 0.5)],
            freckles=Freckles(70),
        ),
    ),
}


@locked_cache
def find_look(name: str) -> Look:
    """Draw a named look; whoever asks for the same name gets the same object.

    Raises:
        LookError: there is none of that name; `needed` lists the nearest.
    """
    if name not in NAMED_LOOKS:
        near = difflib.get_close_matches(name, NAMED_LOOKS, 3, 0.4)
        raise LookError(f"no look is called {name[:40]!r}", found=None, needed=near or NAMES)
    return Look(NAMED_LOOKS[name].title, quantize_makeup(draw(NAMED_LOOKS[name].recipe)))


NAMES = tuple(NAMED_LOOKS)
"""Names of all drawn looks, in the order the page shows them."""
