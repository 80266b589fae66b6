"""A bank of looks drawn as a map: near looks lie near each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipelines.makeup.bank import project_to_plane
from pipelines.makeup.code_files import PREVIEW_SIZE, CodedLook

MAP_HW = (420, 640)
_PAPER = (246, 244, 241)


@dataclass(frozen=True)
class LookMap:
    """Looks and where they lie.

    Attributes:
        looks: the looks.
        places: (N, 2) float32, x and y of each preview's centre in pixels of `picture`.
        picture: the map.
    """

    looks: tuple[CodedLook, ...]
    places: np.ndarray
    picture: Image.Image

    @classmethod
    def lay_out(cls, looks: Sequence[CodedLook]) -> LookMap:
        """Lay looks out by the two principal components of their codes."""
        height, width = MAP_HW
        half = PREVIEW_SIZE / 2
        spread = project_to_plane(np.stack([look.code.vector for look in looks]))
        places = (spread + 1) / 2 * [width - 2 * half, height - 2 * half] + half
        picture = Image.new("RGB", (width, height), _PAPER)
        for look, (x, y) in zip(looks, places, strict=True):
            picture.paste(look.picture, (round(x - half), round(y - half)))
        return cls(tuple(looks), np.asarray(places, np.float32), picture)

    def find_at(self, x: float, y: float) -> CodedLook:
        """The look nearest to a place of the picture."""
        return self.looks[int(((self.places - [x, y]) ** 2).sum(1).argmin())]

    def find_nearest(self, look: CodedLook, limit: int) -> list[CodedLook]:
        """The looks whose codes are nearest to a look's."""
        vectors = np.stack([each.code.vector for each in self.looks])
        order = ((vectors - look.code.vector) ** 2).sum(1).argsort(kind="stable")
        return [self.looks[k] for k in order[:limit]]
