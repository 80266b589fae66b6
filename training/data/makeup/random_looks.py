"""Looks nobody drew: recipes with random parameters, from bare lips to festival paint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from models.instant.drawn_shapes import Place, Zone
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
from models.ops.color import lab_to_hex

# Centres in CIELAB of what lipsticks, shadows and liners are sold in; `_near` strays from them.
_LIPS = ((38, 58, 32), (34, 42, 12), (50, 46, 14), (52, 28, 20), (58, 44, 40), (26, 30, 4))
_NATURAL = ((62, 12, 20), (48, 14, 18), (36, 12, 14), (74, 8, 16), (55, 22, 14))
_SMOKY = ((22, 2, 2), (30, 6, 6), (38, 4, 0), (28, 12, -6))
_BLUSH = ((-2, 10, 2), (-1, 8, 7), (-4, 10, 0), (-4, 9, 8), (-3, 13, 4))
_BRIGHT_SHARE = 0.3

T = TypeVar("T")
_CHEEKS: tuple[Place, ...] = ("apples", "cheekbones", "sunkissed")
_GLITTER: tuple[Zone | Place, ...] = ("lid", "cheekbones", "inner")


def draw_random_recipe(rng: np.random.Generator) -> LookRecipe:
    """Draw a recipe; each part is left out now and then, and all of them rarely."""
    return LookRecipe(
        lips=_draw_lips(rng) if rng.random() < 0.85 else None,
        shadow=_draw_shadow(rng),
        liner=_draw_liner(rng) if rng.random() < 0.6 else None,
        tints=_draw_tints(rng),
        glitter=_draw_glitter(rng) if rng.random() < 0.15 else (),
        stars=_draw_stars(rng) if rng.random() < 0.08 else (),
        freckles=_draw_freckles(rng) if rng.random() < 0.08 else None,
    )


def _pick(choices: Sequence[T], rng: np.random.Generator) -> T:
    return choices[int(rng.integers(len(choices)))]


def _stray_from(centre: tuple[float, float, float], rng: np.random.Generator) -> str:
    return lab_to_hex(np.asarray(centre) + rng.normal(0, 1, 3) * [7, 7, 7])


def _draw_bright(rng: np.random.Generator) -> str:
    hue, strength = rng.uniform(0, 2 * np.pi), rng.uniform(25, 65)
    return lab_to_hex(
        np.array([rng.uniform(25, 80), strength * np.cos(hue), strength * np.sin(hue)])
    )


def _draw_lips(rng: np.random.Generator) -> Lips:
    color = _draw_bright(rng) if rng.random() < 0.15 else _stray_from(_pick(_LIPS, rng), rng)
    return Lips(
        color,
        opacity=rng.uniform(0.5, 0.98),
        gloss=rng.uniform(0.2, 1) if rng.random() < 0.5 else 0.0,
        edge=_stray_from(_pick(_LIPS, rng), rng) if rng.random() < 0.2 else None,
        liner=_stray_from(_pick(_LIPS, rng), rng) if rng.random() < 0.25 else None,
        sheer=rng.uniform(0, 0.9) if rng.random() < 0.5 else 0.0,
    )


def _draw_shadow(rng: np.random.Generator) -> tuple[Shadow, ...]:
    kind = rng.random()
    if kind < 0.12:
        return ()
    bright = kind > 1 - _BRIGHT_SHARE
    family = _SMOKY if kind < 0.35 else _NATURAL
    colors = [
        _draw_bright(rng) if bright else _stray_from(_pick(family, rng), rng) for _ in range(3)
    ]
    sheer = bool(not bright and family is _NATURAL and rng.random() < 0.5)
    washes: list[Shadow] = []
    zones: tuple[tuple[Zone, float], ...] = (
        ("crease", 0.7),
        ("lid", 0.9),
        ("outer", 0.5),
        ("lashes", 0.3),
        ("lower", 0.5),
        ("inner", 0.3),
    )
    for zone, share in zones:
        if rng.random() < share:
            washes.append(Shadow(_pick(tuple(colors), rng), zone, rng.uniform(0.3, 0.9), sheer))
    return tuple(washes)


def _draw_liner(rng: np.random.Generator) -> Liner:
    dark = rng.random() < 0.8
    return Liner(
        _stray_from((8, 2, 2), rng) if dark else _draw_bright(rng),
        thickness=rng.uniform(0.8, 3.2),
        wing=rng.uniform(1.5, 10) if rng.random() < 0.7 else 0.0,
        lower=rng.uniform(0.2, 0.9) if rng.random() < 0.35 else 0.0,
    )


def _draw_tints(rng: np.random.Generator) -> tuple[Tint, ...]:
    tints: list[Tint] = []
    if rng.random() < 0.75:
        shift = np.asarray(_pick(_BLUSH, rng)) * rng.uniform(0.7, 1.8) + rng.normal(0, 1, 3)
        light, a, b = (float(value) for value in shift)
        tints.append(Tint((light, a, b), _pick(_CHEEKS, rng), rng.uniform(0.3, 1)))
    if rng.random() < 0.3:
        tints.append(Tint((-5, 3, 3), "contour", rng.uniform(0.4, 1)))
    if rng.random() < 0.4:
        tints.append(Tint((rng.uniform(4, 9), -1, 2), "highlight", rng.uniform(0.4, 1)))
    return tuple(tints)


def _draw_glitter(rng: np.random.Generator) -> tuple[Glitter, ...]:
    colors = (_draw_bright(rng), "#ffffff", "#ffe9b8")
    seed = int(rng.integers(1 << 30))
    return (Glitter(colors, _pick(_GLITTER, rng), int(rng.integers(40, 220)), seed),)


def _draw_stars(rng: np.random.Generator) -> tuple[Star, ...]:
    place = (float(rng.uniform(-0.9, -0.5)), float(rng.uniform(0.22, 0.6)))
    return (Star(_draw_bright(rng), place, rng.uniform(2.5, 7), bool(rng.random() < 0.7)),)


def _draw_freckles(rng: np.random.Generator) -> Freckles:
    return Freckles(int(rng.integers(40, 120)), seed=int(rng.integers(1 << 30)))
