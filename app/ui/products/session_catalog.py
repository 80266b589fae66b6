"""The catalogue a visitor uses on the page, and what the page puts into it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from app.language import translate, untranslate
from app.settings import Settings
from models.errors import ShadeError
from models.instant.coats import Coat
from models.instant.drawn import lab_of
from pipelines.catalog.extract.attributes import CATEGORIES, FINISHES, Attributes
from pipelines.catalog.extract.drawing import draw_shades
from pipelines.catalog.search.store import Catalog
from pipelines.images.decode import decode


@dataclass(frozen=True)
class Reading:
    """A product picture and what was read from it, perhaps corrected since.

    Attributes:
        name: of the product, from the picture's file name.
        path: where the picture lies for the session.
        attributes: what was read.
        masks: one (h, w) bool mask inside each shade's box.
    """

    name: str
    path: str | Path
    attributes: Attributes
    masks: tuple[np.ndarray, ...]

    def drawn(self) -> Image.Image:
        """The picture with its shades outlined, numbered and shown as discs of their colour."""
        return draw_shades(decode(self.path), self.attributes, self.masks)

    def rows(self) -> list[dict[str, Any]]:
        """A row for each shade, as a catalogue keeps them."""
        picture = {
            "sku": self.name,
            "title": self.name,
            "kind": self.attributes.kind,
            "category": self.attributes.category,
            "source": self.name,
        }
        return [
            {**picture, **asdict(shade), "shade_index": shade.index}
            for shade in self.attributes.shades
        ]


def table_of(readings: Sequence[Reading]) -> list[list[Any]]:
    """What people can correct: which shade, its colour, finish, name and category."""
    return [
        [
            f"{shade.index + 1} {reading.name}",
            shade.hex,
            translate(shade.finish),
            shade.name,
            category,
        ]
        for reading in readings
        for category in [translate(reading.attributes.category)]
        for shade in reading.attributes.shades
    ]


def corrected(readings: Sequence[Reading], table: Sequence[Sequence[Any]]) -> list[Reading]:
    """The readings with what people changed in the table; of a category the first change counts.

    Raises:
        ShadeError: a cell is no colour, finish or category.
    """
    rows = iter(table)
    result = []
    for reading in readings:
        shades, category = [], reading.attributes.category
        for shade in reading.attributes.shades:
            _, color, finish, name, wanted = (str(cell).strip() for cell in next(rows))
            finish, wanted = untranslate(finish, FINISHES), untranslate(wanted, CATEGORIES)
            Coat(color, "lips", finish)  # refuses what is no colour or finish
            if wanted not in CATEGORIES:
                raise ShadeError("no such category", found=wanted, needed=CATEGORIES)
            if wanted != reading.attributes.category:
                category = wanted
            lab = shade.lab if color == shade.hex else tuple(map(float, lab_of(color)))
            shades.append(replace(shade, hex=color.lower(), lab=lab, finish=finish, name=name[:80]))
        attributes = replace(reading.attributes, shades=tuple(shades), category=category)
        result.append(replace(reading, attributes=attributes))
    return result


class SessionCatalog:
    """A visitor's own catalogue, in a folder that goes with the session."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mirra-session-catalog-"))
        self.catalog = Catalog(self._folder)

    def remove(self) -> None:
        """Delete everything in it."""
        shutil.rmtree(self._folder, ignore_errors=True)


def catalog_of(settings: Settings, own: SessionCatalog | None) -> Catalog | None:
    """The operator's catalogue, else the visitor's own; None as long as nothing is in it."""
    if settings.catalog is not None:
        catalog = Catalog(settings.catalog)
        return catalog if catalog.exists() else None
    return own.catalog if own is not None else None


def catalog_for_saving(
    settings: Settings, own: SessionCatalog | None
) -> tuple[Catalog, SessionCatalog | None]:
    """Where a visitor's shades go: to the operator's catalogue, else to one of their own."""
    if settings.catalog is not None:
        return Catalog(settings.catalog), own
    own = own or SessionCatalog()
    return own.catalog, own


def product_name(path: str, taken: Sequence[str]) -> str:
    """A name for a product after its picture's file, unlike those taken."""
    stem = "".join(c for c in Path(path).stem if c.isalnum() or c in " -_.")[:60].strip() or "shade"
    numbers = (f"{stem} {number}" for number in range(2, len(taken) + 3))
    return next(name for name in (stem, *numbers) if name not in taken)
