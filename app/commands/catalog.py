"""`mirra catalog`: a searchable catalogue of shades on disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.licences import CommercialOnly, refuse_unlicensed

if TYPE_CHECKING:
    from pipelines.catalog.search.filters import Filters
    from pipelines.catalog.search.search import Match

app = typer.Typer(
    help="Build a catalogue of shades; search it by colour, by picture, for a face or an outfit.",
    no_args_is_help=True,
    add_completion=False,
)
Folder = Annotated[
    Path,
    typer.Option("--catalog", "-c", envvar="MIRRA_CATALOG", help="Folder of the catalogue."),
]
Many = Annotated[list[str] | None, typer.Option(help="Only these; may be given several times.")]
Price = Annotated[float | None, typer.Option(min=0)]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="How many.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines instead of a table.")]


@app.command()
def build(
    tables: Annotated[list[Path], typer.Argument(help="What `mirra attributes` wrote.")],
    catalog: Folder,
) -> None:
    """Add products to a catalogue, or replace them, by SKU.

    Where a SKU has several pictures, the one that was read best counts.
    """
    from pipelines.catalog.formats.tables import read_rows
    from pipelines.catalog.search.store import keep_best_pictures

    for table in tables:
        _add(catalog, keep_best_pictures(lambda table=table: read_rows(table)), table)


@app.command("import")
def import_table(
    tables: Annotated[
        list[Path],
        typer.Argument(
            help="Public shade tables you downloaded: foundations .csv, lipsticks .json"
        ),
    ],
    catalog: Folder,
) -> None:
    """Add public tables of shades to a catalogue.

    A .csv has columns brand, product, name, specific, hex; a .json has brands, series, lipsticks.
    """
    from pipelines.catalog.formats.shade_tables import read_shade_table

    with _plainly():
        for table in tables:
            _add(catalog, read_shade_table(table), table)


@app.command()
def stats(catalog: Folder) -> None:
    """Say what is in a catalogue."""
    from pipelines.catalog.search.store import Catalog

    with _plainly():
        typer.echo(json.dumps(Catalog(catalog).count_shades(), indent=1, ensure_ascii=False))


@app.command()
def search(
    catalog: Folder,
    color: Annotated[str | None, typer.Option(help="sRGB, such as '#b01030'.")] = None,
    radius: Annotated[
        float | None, typer.Option(min=0, max=100, help="All within this CIEDE2000 of --color.")
    ] = None,
    like: Annotated[Path | None, typer.Option(help="A picture of a swatch or product.")] = None,
    finish: Many = None,
    category: Many = None,
    brand: Many = None,
    min_price: Price = None,
    max_price: Price = None,
    limit: Limit = 10,
    as_json: AsJson = False,
    commercial_only: CommercialOnly = False,
) -> None:
    """Find shades by --color, exactly and in CIEDE2000, or --like a picture, with its finish."""
    if (color is None) == (like is None):
        raise typer.BadParameter("give either --color or --like")
    if radius is not None and color is None:
        raise typer.BadParameter("--radius needs --color")
    if like is not None:
        refuse_unlicensed("product-reader", commercial_only)

    from pipelines.catalog.search.search import find_nearest, find_similar, find_within
    from pipelines.catalog.search.store import Catalog

    store, filters = Catalog(catalog), _filters(finish, category, brand, min_price, max_price)
    with _plainly():
        if like is not None:
            matches = find_similar(store, _swatch(like), limit, filters)
        elif radius is None:
            matches = find_nearest(store, _lab(color or ""), limit, filters)
        else:
            matches = find_within(store, _lab(color or ""), radius, filters)[:limit]
        _show(matches, as_json)


@app.command()
def match(
    catalog: Folder,
    face: Annotated[Path | None, typer.Option(help="Products like those this face wears.")] = None,
    outfit: Annotated[Path | None, typer.Option(help="Shades that suit this outfit.")] = None,
    skin: Annotated[
        str | None, typer.Option(help="Foundations for a skin: '#8d5b3f', or a photo of a face.")
    ] = None,
    finish: Many = None,
    category: Annotated[
        list[str] | None, typer.Option(help="With --outfit: only these categories.")
    ] = None,
    brand: Many = None,
    min_price: Price = None,
    max_price: Price = None,
    limit: Limit = 3,
    as_json: AsJson = False,
    commercial_only: CommercialOnly = False,
) -> None:
    """Recommend shades for a face, an outfit or a skin, with the reason in words."""
    if sum(value is not None for value in (face, outfit, skin)) != 1:
        raise typer.BadParameter("give one of --face, --outfit and --skin")
    if category and outfit is None:
        raise typer.BadParameter("--category goes with --outfit; the others choose their own")
    if skin is None or not skin.startswith("#"):
        refuse_unlicensed("instant", commercial_only)  # a face is looked at

    from pipelines.catalog.search.matching import match_makeup, match_skin
    from pipelines.catalog.search.store import Catalog

    store, filters = Catalog(catalog), _filters(finish, category, brand, min_price, max_price)
    with _plainly():
        if skin is not None:
            _show(match_skin(store, _skin(skin), limit, filters), as_json)
        elif face is not None:
            from pipelines.images.decode import decode
            from pipelines.makeup.face_makeup import read_makeup

            for color, matches in match_makeup(store, read_makeup(decode(face)), limit, filters):
                asked = {"region": color.region, "worn": color.hex, "worn_finish": color.finish}
                _show(matches, as_json, asked)
        elif outfit is not None:
            from pipelines.catalog.search.matching import match_outfit

            colors = _outfit(outfit)
            said = ", ".join(f"{c.name} {c.hex} ({c.share:.0%})" for c in colors)
            typer.echo(f"Outfit: {said}", err=True)
            _show(match_outfit(store, colors, limit, filters), as_json)


def _add(catalog: Path, rows: Iterable[dict[str, Any]], table: Path) -> None:
    from pipelines.catalog.search.store import Catalog

    with _plainly():
        store = Catalog(catalog)
        count = store.upsert(rows)
        if count:
            store.optimize()
        typer.echo(f"{count:,} shades from {table}", err=True)


@contextmanager
def _plainly() -> Any:
    """Let what is wrong with the question end in its own words and exit code 2."""
    from models.errors import CatalogError

    try:
        yield
    except CatalogError as error:
        raise typer.BadParameter(str(error)) from None


def _filters(
    finish: list[str] | None,
    category: list[str] | None,
    brand: list[str] | None,
    min_price: float | None,
    max_price: float | None,
) -> Filters:
    from pipelines.catalog.search.filters import Filters

    with _plainly():
        return Filters(
            tuple(finish or ()), tuple(category or ()), tuple(brand or ()), min_price, max_price
        )


def _lab(color: str) -> list[float]:
    from models.instant.drawn import lab_of

    try:
        return [float(value) for value in lab_of(color)]
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _swatch(path: Path) -> Any:
    from models.errors import CatalogError
    from pipelines.catalog.extract.extractor import AttributeExtractor
    from pipelines.images.decode import decode

    found = AttributeExtractor()(decode(path))
    if not found.shades:
        raise CatalogError("no shade can be seen in this picture", reason="query")
    return found.shades[found.best]


def _skin(text: str) -> Sequence[float]:
    if text.startswith("#"):
        return _lab(text)
    from models.errors import NoFaceError

    _, tone = _face_and_tone(Path(text))
    if tone is None:
        raise NoFaceError("no face in the picture", found=0, needed=1)
    return tone


def _face_and_tone(path: Path) -> tuple[Any, Any]:
    """The largest face of a photo and the CIELAB of its skin, or two Nones."""
    from models.instant.face_texture import unfold
    from pipelines.analysis import FaceAnalyzer
    from pipelines.images.decode import decode

    faces = FaceAnalyzer()(decode(path))
    return (faces[0], unfold(faces[0]).tone) if faces else (None, None)


def _outfit(path: Path) -> Any:
    from pipelines.catalog.search.outfit import read_outfit_colors
    from pipelines.images.decode import decode

    face, tone = _face_and_tone(path)
    return read_outfit_colors(decode(path), face, tone)


def _show(matches: Iterable[Match], as_json: bool, asked: dict[str, str] | None = None) -> None:
    """Matches as a table for people or JSON lines for programs; names cannot break the lines."""
    if asked and not as_json:
        typer.echo(" ".join(asked.values()))
    for found in matches:
        if as_json:
            record = {**(asked or {}), **found.shade, "delta_e": found.delta_e}
            line = record | ({"reason": found.reason} if found.reason else {})
            typer.echo(json.dumps(line, ensure_ascii=False))
            continue
        shade = found.shade
        parts = [
            f"{found.delta_e:5.1f}", shade["hex"], shade["category"] or "", shade["finish"] or "",
            shade["brand"] or "", shade["title"] or shade["sku"], found.reason,
        ]  # fmt: skip
        typer.echo("  ".join(" ".join(str(part).split()) for part in parts if part))
