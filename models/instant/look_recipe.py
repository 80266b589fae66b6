"""What a drawn look is made of: lipstick, shadow, liner, tints, glitter, stars, freckles, brows.

Lengths are millimetres on a face with 63 mm between the irises. `drawn.draw` makes `Makeup` of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.instant.drawn_shapes import Place, Zone


@dataclass(frozen=True)
class Lips:
    """Lip colour.

    Attributes:
        color: sRGB hex.
        opacity: 0..1; a stain is about 0.6, a lipstick 0.95.
        gloss: 0..1, small lights on the lower lip and the bow.
        edge: sRGB hex the colour turns to towards the outline, or None.
        liner: sRGB hex of a fine line inside the outline, or None.
        sheer: 0..1, the share of the colour that shifts the wearer's own lips instead of hiding
            them.
    """

    color: str
    opacity: float = 0.95
    gloss: float = 0.0
    edge: str | None = None
    liner: str | None = None
    sheer: float = 0.0


@dataclass(frozen=True)
class Shadow:
    """A wash of eyeshadow: colour (sRGB hex), zone, opacity 0..1; `sheer` shifts the own skin."""

    color: str
    zone: Zone
    opacity: float = 0.5
    sheer: bool = False


@dataclass(frozen=True)
class Liner:
    """Eyeliner along the upper lashes.

    Attributes:
        color: sRGB hex.
        thickness: in mm at the outer corner; 1 is fine, 3 dramatic.
        wing: length in mm beyond the corner; 0 ends there.
        lower: 0..1, how much of a line there is below the eye.
    """

    color: str = "#0d0b0c"
    thickness: float = 1.6
    wing: float = 4.0
    lower: float = 0.0


@dataclass(frozen=True)
class Tint:
    """A shift of the wearer's own skin: CIELAB difference at full strength, where, how much."""

    shift: tuple[float, float, float]
    place: Place | Zone
    opacity: float = 1.0


@dataclass(frozen=True)
class Glitter:
    """Specks of light: colours (sRGB hex), zone, how many, seed of their places."""

    colors: tuple[str, ...]
    zone: Zone | Place
    count: int = 160
    seed: int = 7


@dataclass(frozen=True)
class Freckles:
    """Small darker spots over nose and cheeks: how many, CIELAB shift of one, seed."""

    count: int = 90
    shift: tuple[float, float, float] = (-9, 3, 5)
    seed: int = 5


@dataclass(frozen=True)
class Star:
    """A five-pointed star of folded foil.

    Attributes:
        color: sRGB hex.
        centre_xy: on the median face, in distances between the irises from the nose bridge; x
            below 0 on the person's right, which is the left of the picture.
        radius: in mm.
        mirrored: wear another on the other side.
    """

    color: str
    centre_xy: tuple[float, float]
    radius: float = 4.0
    mirrored: bool = True


@dataclass(frozen=True)
class LookRecipe:
    """All that makes a drawn look; parts left out are not worn.

    `brows` is the CIELAB difference of brow hair from skin to reach: brows are darkened, not dyed.
    """

    lips: Lips | None = None
    shadow: Sequence[Shadow] = ()
    liner: Liner | None = None
    tints: Sequence[Tint] = ()
    glitter: Sequence[Glitter] = ()
    stars: Sequence[Star] = ()
    freckles: Freckles | None = None
    brows: tuple[float, float, float] | None = None
