"""Product pictures as they were read, and as people correct them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from app.language import translate, untranslate
from app.messages import explain
from models.errors import MirraError, ShadeError
from models.instant.coats import Coat
from models.ops.color import hex_to_lab
from pipelines.catalog.extract.attributes import CATEGORIES, FINISHES, Attributes
from pipelines.catalog.extract.drawing import draw_shades
from pipelines.images.decode import decode

if TYPE_CHECKING:
    from pipelines.catalog.extract.extractor import AttributeExtractor


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

    def draw(self) -> Image.Image:
        """The picture with its shades outlined, numbered and shown as discs of their colour."""
        return draw_shades(decode(self.path), self.attributes, self.masks)

    def to_rows(self) -> list[dict[str, Any]]:
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


def read_products(
    extractor: AttributeExtractor, paths: Sequence[str], on_picture: Callable[[int], None]
) -> tuple[list[Reading], list[str]]:
    """Read product pictures, one after the other.

    Args:
        extractor: reads them.
        paths: of the pictures.
        on_picture: told the number of each before it is read.

    Returns:
        What was read; and of each picture that could not be, why.
    """
    found: list[Reading] = []
    problems: list[str] = []
    for number, path in enumerate(paths):
        on_picture(number)
        name = name_product(path, [reading.name for reading in found])
        try:
            found.append(Reading(name, Path(path), *extractor.read(decode(path), title=name)))
        except (MirraError, OSError) as error:
            problems.append(f"{name}: {explain(error)}")
    return found, problems


def make_table(readings: Sequence[Reading]) -> list[list[str]]:
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


def apply_corrections(
    readings: Sequence[Reading], table: Sequence[Sequence[object]]
) -> list[Reading]:
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
            lab = shade.lab if color == shade.hex else tuple(map(float, hex_to_lab(color)))
            shades.append(replace(shade, hex=color.lower(), lab=lab, finish=finish, name=name[:80]))
        attributes = replace(reading.attributes, shades=tuple(shades), category=category)
        result.append(replace(reading, attributes=attributes))
    return result


def name_product(path: str, taken: Sequence[str]) -> str:
    """A name for a product after its picture's file, unlike those taken."""
    stem = "".join(c for c in Path(path).stem if c.isalnum() or c in " -_.")[:60].strip() or "shade"
    numbers = (f"{stem} {number}" for number in range(2, len(taken) + 3))
    return next(name for name in (stem, *numbers) if name not in taken)
