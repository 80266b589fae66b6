"""Looks: makeup with a name and strengths, kept in a small file or inside a result's PNG."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from models.instant.makeup import Makeup


@dataclass(frozen=True)
class Look:
    """Makeup that can be worn, saved, mixed and replayed.

    Attributes:
        name: what a person calls it.
        makeup: the maps in the canonical face.
        strengths: region -> 0..1, as the look was last worn; regions not named are worn in full.
        strength: overall, 0..1.
        origin: where it comes from: "drawn", or the SHA-256 of the reference picture's pixels.
    """

    name: str
    makeup: Makeup
    strengths: Mapping[str, float] = field(default_factory=dict)
    strength: float = 1.0
    origin: str = "drawn"
