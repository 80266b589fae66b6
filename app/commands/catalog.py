"""`mirra catalog`: a searchable catalogue of shades on disk."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.catalog_queries import (
    as_usage_errors,
    make_filters,
    parse_color,
    read_face_makeup,
    read_outfit,
    read_skin,
    read_swatch,
)
from app.licences import CommercialOnly, refuse_unlicensed

if TYPE_CHECKING:
    from pipelines.catalog.search.outfit import OutfitColor
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
        add_rows(catalog, keep_best_pictures(lambda table=table: read_rows(table)), table)


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

    with as_usage_errors():
        for table in tables:
            add_rows(catalog, read_shade_table(table), table)


@app.command()
def stats(catalog: Folder) -> None:
    """Say what is in a catalogue."""
    from pipelines.catalog.search.store import Catalog

    with as_usage_errors():
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

    store, filters = Catalog(catalog), make_filters(finish, category, brand, min_price, max_price)
    with as_usage_errors():
        if like is not None:
            matches = find_similar(store, read_swatch(like), limit, filters)
        elif radius is None:
            matches = find_nearest(store, parse_color(color or ""), limit, filters)
        else:
            matches = find_within(store, parse_color(color or ""), radius, filters)[:limit]
        print_matches(matches, as_json)


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

    from pipelines.catalog.search.matching import match_makeup, match_outfit, match_skin
    from pipelines.catalog.search.store import Catalog

    store, filters = Catalog(catalog), make_filters(finish, category, brand, min_price, max_price)
    with as_usage_errors():
        if skin is not None:
            print_matches(match_skin(store, read_skin(skin), limit, filters), as_json)
        elif face is not None:
            for color, matches in match_makeup(store, read_face_makeup(face), limit, filters):
                query = {"region": color.region, "worn": color.hex, "worn_finish": color.finish}
                print_matches(matches, as_json, query)
        elif outfit is not None:
            colors = read_outfit(outfit)
            print_outfit(colors)
            print_matches(match_outfit(store, colors, limit, filters), as_json)


def add_rows(catalog: Path, rows: Iterable[dict[str, Any]], table: Path) -> None:
    """Add rows to a catalogue and say how many."""
    from pipelines.catalog.search.store import Catalog

    with as_usage_errors():
        store = Catalog(catalog)
        count = store.upsert(rows)
        if count:
            store.optimize()
        typer.echo(f"{count:,} shades from {table}", err=True)


def print_outfit(colors: Sequence[OutfitColor]) -> None:
    """Say on stderr which colours of an outfit are matched."""
    names = ", ".join(f"{c.name} {c.hex} ({c.share:.0%})" for c in colors)
    typer.echo(f"Outfit: {names}", err=True)


def print_matches(
    matches: Iterable[Match], as_json: bool, query: dict[str, str] | None = None
) -> None:
    """Print matches as a table for people or as JSON lines for programs.

    Args:
        matches: what was found.
        as_json: lines of JSON.
        query: what they were found for, where one question has several answers.
    """
    if query and not as_json:
        typer.echo(" ".join(query.values()))
    for found in matches:
        typer.echo(json_line(found, query or {}) if as_json else table_line(found))


def json_line(found: Match, query: dict[str, str]) -> str:
    """A match as JSON, with what it was found for."""
    record = {**query, **found.shade, "delta_e": found.delta_e}
    line = record | ({"reason": found.reason} if found.reason else {})
    return json.dumps(line, ensure_ascii=False)


def table_line(found: Match) -> str:
    """A match as a line of a table; white space in names cannot break the line."""
    shade = found.shade
    parts = [
        f"{found.delta_e:5.1f}",
        shade["hex"],
        shade["category"] or "",
        shade["finish"] or "",
        shade["brand"] or "",
        shade["title"] or shade["sku"],
        found.reason,
    ]
    return "  ".join(" ".join(str(part).split()) for part in parts if part)
