"""`mirra shade`: wear products by colour, finish and place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.makeup import face_numbers, planned, sources_named, wanted_look, with_progress
from app.licences import CommercialOnly, refuse_unlicensed

if TYPE_CHECKING:
    from models.instant.coats import Coat
    from pipelines.makeup.look import Look
    from pipelines.makeup.pipeline_shade import ShadePipeline


def run(
    pictures: Annotated[
        list[str], typer.Argument(metavar="FACE...", help="Who wears it: pictures, folder or glob.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Result, or folder of results.")],
    color: Annotated[
        list[str] | None, typer.Option(help="sRGB such as '#b01030'; may be repeated.")
    ] = None,
    finish: Annotated[
        list[str] | None, typer.Option(help="matte, gloss, ...; one for all or one per colour.")
    ] = None,
    region: Annotated[
        list[str] | None,
        typer.Option(help="lips, eyes (lid, crease, outer, inner), cheeks, brows or skin."),
    ] = None,
    sku: Annotated[
        list[str] | None, typer.Option(help="A product of the --catalog instead; may be repeated.")
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option("--catalog", "-c", envvar="MIRRA_CATALOG", help="Its folder.")
    ] = None,
    opacity: Annotated[
        float | None, typer.Option(min=0, max=1, help="What is usual there when left out.")
    ] = None,
    look: Annotated[str | None, typer.Option(help="Other makeup to wear with it.")] = None,
    sheet: Annotated[bool, typer.Option("--sheet", help="One picture, each shade alone.")] = False,
    face: Annotated[str, typer.Option(help="'all', or a number: 0 is the largest.")] = "all",
    report: Annotated[Path | None, typer.Option(help="Write colours reached as JSON.")] = None,
    commercial_only: CommercialOnly = False,
) -> None:
    """Wear products on a face: colour, finish and opacity, in the face's own light.

    Several colours are worn together; those for the eyes go to lid, crease, outer and inner corner
    in turn. With --sheet every face wears each shade alone on one contact sheet, the colour error
    below it.

    Exit codes: 0 all done, 2 wrong usage, 3 some pictures could not be used.
    """
    refuse_unlicensed("shade", commercial_only)
    named = [sources_named(text) for text in pictures]
    sources = [source for found, _ in named for source in found]
    many = len(named) > 1 or named[0][1]
    if sheet:
        planned(sources[:1], [""], out, False, False, "png")  # refuses a name that cannot be
        jobs = [(source, "", out) for source in sources]
    else:
        jobs = planned(sources, [""], out, many, False, "png")
    faces = face_numbers(face)
    if bool(color) == bool(sku):
        raise typer.BadParameter("name a --color, such as '#b01030', or a --sku")
    if sku:
        if finish or len(region or []) > 1:
            raise typer.BadParameter("a --sku has its own finish, and takes one --region")
        coats = coats_of_skus(sku, catalog, region[0] if region else None, opacity)
    else:
        coats = coats_of(color or [], finish or ["matte"], region or ["lips"], opacity)

    from app.messages import explain
    from models.errors import MirraError
    from pipelines.makeup.pipeline_shade import ShadePipeline

    pipeline = ShadePipeline()
    base = wanted_look(pipeline.makeup, look) if look else None
    rows, reports, failures = [], [], []
    for source, _, target in with_progress(jobs, many):
        try:
            if sheet:
                rows.append(_row(pipeline, source, coats, base, faces))
                reached = [one for cell in rows[-1] for one in cell.reached]
            else:
                reached = _one(pipeline, source, coats, base, faces, target)
            reports.append({"source": source.name, "shades": [_told(one) for one in reached]})
        except (MirraError, OSError) as error:
            failures.append(f"{source}: {explain(error)}")
            reports.append({"source": source.name, "error": explain(error)})
    if rows:
        from pipelines.images.encode import save
        from pipelines.makeup.shade_sheet import draw_sheet

        save(draw_sheet(rows), out)
    if report:
        report.write_text(json.dumps(reports, indent=1) + "\n")
    for line in failures:
        typer.echo(line, err=True)
    if failures:
        raise typer.Exit(3)


def coats_of(
    colors: Sequence[str], finishes: Sequence[str], places: Sequence[str], opacity: float | None
) -> list[Coat]:
    """Match colours, finishes and places: each list is as long as the longest, or has one entry.

    Raises:
        typer.BadParameter: lists of other lengths, or a colour, finish or place there is none of.
    """
    from models.errors import ShadeError
    from models.instant.coats import Coat

    count = max(len(colors), len(finishes), len(places))
    lists = [
        list(given) * (count if len(given) == 1 else 1) for given in (colors, places, finishes)
    ]
    if any(len(values) != count for values in lists):
        raise typer.BadParameter(
            "give one --finish and one --region for all colours, or one for each of them"
        )
    try:
        return [
            Coat(color, place, finish, opacity) for color, place, finish in zip(*lists, strict=True)
        ]
    except ShadeError as error:
        known = error.needed if isinstance(error.needed, tuple) else [error.needed]
        wanted = ", ".join(map(str, known))
        raise typer.BadParameter(f"{error.found} is {error}; try {wanted}") from None


def coats_of_skus(
    skus: Sequence[str], catalog: Path | None, place: str | None, opacity: float | None
) -> list[Coat]:
    """Products of a catalogue as coats, where their category is worn or on the place given.

    Raises:
        typer.BadParameter: no catalogue, no such product, or one that is not worn on a face.
        CatalogError: the catalogue cannot be read.
    """
    from models.errors import ShadeError
    from pipelines.catalog.search.store import Catalog
    from pipelines.makeup.shade_coats import make_coats

    if catalog is None:
        raise typer.BadParameter("--sku needs a --catalog")
    store = Catalog(catalog)
    coats: list[Coat] = []
    for sku in skus:
        shades = store.read_product(sku)
        if not shades:
            raise typer.BadParameter(f"the catalogue has no product {sku}")
        try:
            of_product = make_coats(shades, place)
            coats += [replace(coat, opacity=opacity) for coat in of_product]
        except ShadeError as error:
            raise typer.BadParameter(f"{sku}: {error.found} is {error}; name a --region") from None
    return coats


def _one(
    pipeline: ShadePipeline,
    source: Path,
    coats: list[Coat],
    look: Look | None,
    faces: list[int] | None,
    target: Path,
) -> list[Any]:
    """Make one result; returns the colours reached on its faces."""
    from pipelines.images.decode import decode
    from pipelines.images.encode import save

    result = pipeline(decode(source), coats, look=look, faces=faces)
    save(result.images[0], target)
    return [one for reached in result.reached.values() for one in reached]


def _row(
    pipeline: ShadePipeline,
    source: Path,
    coats: list[Coat],
    look: Look | None,
    faces: list[int] | None,
) -> list[Any]:
    """Cells of a sheet: the face asked for, else the largest, bare and in each shade alone."""
    from pipelines.images.decode import decode
    from pipelines.makeup.pipeline_instant import select_faces
    from pipelines.makeup.shade_sheet import Cell

    found = pipeline.makeup.find_faces(decode(source))
    (face,) = select_faces(found, faces or [0]).values()
    cells = [Cell(face, face.image, (), source.stem[:28])]
    for coat in coats:
        image, reached = pipeline.put_on(face, [coat], look=look)
        cells.append(Cell(face, image, reached, f"{coat.color} {coat.finish}"))
    return cells


def _told(one: Any) -> dict[str, Any]:
    """A colour reached, for the report."""
    from models.ops.color import lab_to_hex

    seen = one.delta_e == one.delta_e
    return {
        "color": one.coat.color,
        "finish": one.coat.finish,
        "place": one.coat.place,
        "opacity": round(one.coat.hiding, 3),
        "expected": lab_to_hex(one.expected_lab) if seen else None,
        "reached": lab_to_hex(one.reached_lab) if seen else None,
        "delta_e": round(one.delta_e, 2) if seen else None,
    }
