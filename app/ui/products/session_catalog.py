"""The catalogue a visitor uses on the page: the shop's, or one of their own."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app.settings import Settings
from models.instant.coats import Coat
from models.ops.color import hex_to_lab
from pipelines.catalog.search.filters import Filters
from pipelines.catalog.search.search import Match, find_within
from pipelines.catalog.search.store import Catalog

_saving = threading.Lock()


class SessionCatalog:
    """A visitor's own catalogue, in a folder that goes with the session."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="mirra-session-catalog-"))
        self.catalog = Catalog(self._folder)

    def remove(self) -> None:
        """Delete everything in it."""
        shutil.rmtree(self._folder, ignore_errors=True)


def find_catalog(settings: Settings, own: SessionCatalog | None) -> Catalog | None:
    """The operator's catalogue, else the visitor's own; None as long as nothing is in it."""
    if settings.catalog is not None:
        catalog = Catalog(settings.catalog)
        return catalog if catalog.exists() else None
    return own.catalog if own is not None else None


def find_or_make_catalog(
    settings: Settings, own: SessionCatalog | None
) -> tuple[Catalog, SessionCatalog | None]:
    """Where a visitor's shades go: to the operator's catalogue, else to one of their own."""
    if settings.catalog is not None:
        return Catalog(settings.catalog), own
    own = own or SessionCatalog()
    return own.catalog, own


def save_rows(rows: list[dict[str, Any]], catalog: Catalog) -> int:
    """Save shades; returns how many. One at a time, for visitors may share a catalogue."""
    with _saving:
        return catalog.upsert(rows)


def find_shades(
    catalog: Catalog,
    color: str,
    radius: float,
    finishes: Sequence[str] = (),
    categories: Sequence[str] = (),
) -> list[Match]:
    """Shades of a catalogue within a CIEDE2000 `radius` of an sRGB hex, the nearest first.

    Raises:
        MirraError: no colour, finish or category, or the catalogue cannot be read.
    """
    filters = Filters(finishes=tuple(finishes), categories=tuple(categories))
    lab = [float(value) for value in hex_to_lab(Coat(color).color)]
    return find_within(catalog, lab, radius, filters)


def to_row(match: Match) -> dict[str, Any]:
    """A shade that was found, with its distance."""
    return {**match.shade, "delta_e": match.delta_e}
