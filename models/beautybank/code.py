"""A makeup code: a look as a few hundred numbers that say nothing about who wore it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np

from models import regions
from models.beautybank.patches import PATCHES, REGIONS, shares
from models.beautybank.reading import SPREAD, TINT_SPREAD

DETAIL_SIZE = 256
"""Side of the map fine patterns are kept in: a texel's number fits 16 bits."""
DETAIL_STEP = 0.5
"""CIELAB units of one step of a fine pattern, kept in 8 bits."""
STRUCTURE_STEP, COLOR_STEP = 0.3, 0.1
"""Steps of what is read from a face. Finer digits draw nothing, but they tell who the wearer is."""
MOST_DETAIL = 6_000
"""Texels a fine pattern may have."""


@dataclass(frozen=True)
class MakeupCode:
    """A look, apart from any face.

    Attributes:
        structure: (4, S) float32, which pattern each of `REGIONS` wears; 0 is none, half is half
            as strong.
        colors: (SLOTS, 3) float32, what the patterns are filled with, region after region: opaque
            colours in `SPREAD` from `MIDDLE`, then tints in `TINT_SPREAD`.
        brows: (3,) float32, CIELAB difference of the brow hair from skin, or NaN.
        places: (n,) uint16, texels with a fine pattern, row by row in a map of `DETAIL_SIZE`.
        values: (n, 3) int8, what it adds there in steps of `DETAIL_STEP` CIELAB.
    """

    structure: np.ndarray
    colors: np.ndarray
    brows: np.ndarray = field(default_factory=lambda: np.full(3, np.nan, np.float32))
    places: np.ndarray = field(default_factory=lambda: np.zeros(0, np.uint16))
    values: np.ndarray = field(default_factory=lambda: np.zeros((0, 3), np.int8))

    @property
    def vector(self) -> np.ndarray:
        """Structure and colours as one point; near points are similar looks. float32."""
        return np.concatenate([self.structure.ravel(), self.colors.ravel()])

    def rounded(self) -> MakeupCode:
        """The code in whole steps, as it is kept."""
        structure = np.float32(STRUCTURE_STEP) * np.rint(self.structure / STRUCTURE_STEP)
        colors = np.float32(COLOR_STEP) * np.rint(self.colors / COLOR_STEP)
        return replace(self, structure=structure, colors=colors)

    def colors_of(self, region: str) -> slice:
        """Rows of `colors` that belong to a region."""
        start = sum(PATCHES[name].slots for name in REGIONS[: REGIONS.index(region)])
        return slice(start, start + PATCHES[region].slots)

    def detail(self) -> np.ndarray:
        """The fine pattern as a map, (256, 256, 3) float32 CIELAB."""
        flat = np.zeros((DETAIL_SIZE * DETAIL_SIZE, 3), np.float32)
        flat[self.places] = np.float32(DETAIL_STEP) * self.values
        return flat.reshape(DETAIL_SIZE, DETAIL_SIZE, 3)

    def with_detail(self, detail: np.ndarray) -> MakeupCode:
        """The same code with another fine pattern: the strongest texels of (256, 256, 3) CIELAB."""
        steps = np.rint(detail.reshape(-1, 3) / DETAIL_STEP).clip(-127, 127).astype(np.int8)
        strength = np.abs(steps.astype(np.int16)).sum(1)
        strongest = np.argsort(-strength, kind="stable")[:MOST_DETAIL]
        kept = np.sort(strongest[strength[strongest] > 0])
        return replace(self, places=kept.astype(np.uint16), values=steps[kept])


def mix(base: MakeupCode, parts: Mapping[str, MakeupCode]) -> MakeupCode:
    """Take some regions from other codes: `mix(a, {"lips": b})` wears b's lips and a's rest.

    Raises:
        KeyError: a key is not one of `regions.MAKEUP_REGIONS`.
    """
    structure, colors, brows = base.structure.copy(), base.colors.copy(), base.brows
    detail, owner = base.detail(), _owners()
    for region, other in parts.items():
        if region == regions.BROWS:
            brows = other.brows
            continue
        if region not in REGIONS:
            raise KeyError(region)
        row = REGIONS.index(region)
        structure[row] = other.structure[row]
        colors[base.colors_of(region)] = other.colors[base.colors_of(region)]
        detail[owner == row] = other.detail()[owner == row]
    return MakeupCode(structure, colors, brows).with_detail(detail)


def between(first: MakeupCode, second: MakeupCode, t: float) -> MakeupCode:
    """A look between two: t = 0 is the first, 1 the second."""
    brows = first.brows + np.float32(t) * (second.brows - first.brows)
    if not np.isfinite(brows).all():  # one of them leaves brows alone
        brows = second.brows if t > 0.5 else first.brows
    return MakeupCode(
        first.structure + np.float32(t) * (second.structure - first.structure),
        first.colors + np.float32(t) * (second.colors - first.colors),
        brows,
    ).with_detail((1 - t) * first.detail() + t * second.detail())


def strengthened(code: MakeupCode, by: Mapping[str, float]) -> MakeupCode:
    """Wear some regions more or less: 0 takes them off, 1 leaves them, above 1 is stronger.

    Raises:
        KeyError: a key is not one of `REGIONS`.
    """
    structure, detail, owner = code.structure.copy(), code.detail(), _owners()
    for region, share in by.items():
        if region not in REGIONS:
            raise KeyError(region)
        row = REGIONS.index(region)
        structure[row] *= np.float32(share)
        detail[owner == row] *= share
    return replace(code, structure=structure).with_detail(detail)


def shifted(code: MakeupCode, lab: Sequence[float], over: Sequence[str] = REGIONS) -> MakeupCode:
    """Move the colours of some regions by a CIELAB difference; patterns stay exactly as they are.

    Tints move by half as much: they colour the skin, they do not hide it.
    """
    colors, move = code.colors.copy(), np.asarray(lab, np.float32)
    for region in over:
        rows, paints = code.colors_of(region), PATCHES[region].paints
        colors[rows][:paints] += move / SPREAD
        colors[rows][paints:] += 0.5 * move / TINT_SPREAD
    return replace(code, colors=colors)


@lru_cache(maxsize=1)
def _owners() -> np.ndarray:
    """Which of `REGIONS` each texel of a fine pattern belongs to."""
    maps = shares(DETAIL_SIZE)
    return np.argmax(np.stack([maps[region] for region in REGIONS]), 0)
