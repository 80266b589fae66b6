"""What is asked of a catalogue: a colour, a swatch, a skin, a face, an outfit; and filters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import typer

if TYPE_CHECKING:
    import numpy as np

    from models.structures import Face
    from pipelines.catalog.extract.attributes import Shade
    from pipelines.catalog.search.filters import Filters
    from pipelines.catalog.search.outfit import OutfitColor
    from pipelines.makeup.face_makeup import MakeupColor


@contextmanager
def as_usage_errors() -> Iterator[None]:
    """Let what is wrong with the question end in its own words and exit code 2.

    Raises:
        typer.BadParameter: in place of a CatalogError.
    """
    from models.errors import CatalogError

    try:
        yield
    except CatalogError as error:
        raise typer.BadParameter(str(error)) from None


def make_filters(
    finish: list[str] | None,
    category: list[str] | None,
    brand: list[str] | None,
    min_price: float | None,
    max_price: float | None,
) -> Filters:
    """What narrows a search; nothing that is None.

    Raises:
        typer.BadParameter: there is no such finish or category.
    """
    from pipelines.catalog.search.filters import Filters

    with as_usage_errors():
        return Filters(
            tuple(finish or ()), tuple(category or ()), tuple(brand or ()), min_price, max_price
        )


def parse_color(color: str) -> list[float]:
    """CIELAB of an sRGB colour such as '#b01030'.

    Raises:
        typer.BadParameter: it is no colour.
    """
    from models.ops.color import hex_to_lab

    try:
        return [float(value) for value in hex_to_lab(color)]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def read_swatch(path: Path) -> Shade:
    """Read the shade of a product's picture.

    Raises:
        MirraError: the picture cannot be used, or no shade can be seen in it.
    """
    from models.errors import CatalogError
    from pipelines.catalog.extract.extractor import AttributeExtractor
    from pipelines.images.decode import decode

    found = AttributeExtractor()(decode(path))
    if not found.shades:
        raise CatalogError("no shade can be seen in this picture", reason="query")
    return found.shades[found.best]


def read_skin(text: str) -> Sequence[float]:
    """CIELAB of a skin, given as a colour or as a photograph of a face.

    Raises:
        typer.BadParameter: it is no colour.
        MirraError: the photograph cannot be used, or shows no face.
    """
    if text.startswith("#"):
        return parse_color(text)
    from models.errors import NoFaceError

    _, tone = find_face(Path(text))
    if tone is None:
        raise NoFaceError("no face in the picture", found=0, needed=1)
    return cast("Sequence[float]", tone)


def find_face(path: Path) -> tuple[Face, np.ndarray] | tuple[None, None]:
    """The largest face of a photo and the CIELAB of its skin, (3,), or two Nones."""
    from models.instant.face_texture import unfold
    from pipelines.analysis import FaceAnalyzer
    from pipelines.images.decode import decode

    faces = FaceAnalyzer()(decode(path))
    return (faces[0], unfold(faces[0]).tone) if faces else (None, None)


def read_face_makeup(path: Path) -> list[MakeupColor]:
    """Read what the face of a photograph wears.

    Raises:
        MirraError: the photograph cannot be used, or shows no face.
    """
    from pipelines.images.decode import decode
    from pipelines.makeup.face_makeup import read_makeup

    return read_makeup(decode(path))


def read_outfit(path: Path) -> list[OutfitColor]:
    """Read the main colours of an outfit, with or without its wearer's face.

    Raises:
        MirraError: the photograph cannot be used, or shows no outfit.
    """
    from pipelines.catalog.search.outfit import read_outfit_colors
    from pipelines.images.decode import decode

    face, tone = find_face(path)
    return read_outfit_colors(decode(path), face, tone)
