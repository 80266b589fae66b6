"""`mirra shade`: wear products by colour, finish and place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.commands.arguments import open_look, parse_faces
from app.commands.jobs import Job, JobItem, Report, Sources, find_sources, plan_job
from app.licences import CommercialOnly, refuse_unlicensed

if TYPE_CHECKING:
    from models.instant.coats import Coat
    from models.instant.shade import Reached
    from pipelines.makeup.look import Look
    from pipelines.makeup.pipeline_shade import ShadePipeline
    from pipelines.makeup.shade_sheet import Cell


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
    job = plan_shades([find_sources(text) for text in pictures], out, sheet)
    faces = parse_faces(face)
    if bool(color) == bool(sku):
        raise typer.BadParameter("name a --color, such as '#b01030', or a --sku")
    if sku:
        if finish or len(region or []) > 1:
            raise typer.BadParameter("a --sku has its own finish, and takes one --region")
        coats = find_coats(sku, catalog, region[0] if region else None, opacity)
    else:
        coats = pair_coats(color or [], finish or ["matte"], region or ["lips"], opacity)

    from pipelines.makeup.pipeline_shade import ShadePipeline

    pipeline = ShadePipeline()
    base = open_look(pipeline.makeup, look) if look else None
    fitter = ShadeFitter(pipeline, coats, base, faces)
    job.run(fitter.draw_row if sheet else fitter.put_on)
    fitter.save_sheet(out)
    job.write_report(report, as_list=True)
    job.finish()


def plan_shades(sources: list[Sources], out: Path, sheet: bool) -> Job:
    """Plan a result for each picture, or one sheet with a row for each.

    Raises:
        typer.BadParameter: `out` cannot be written.
    """
    paths = [path for found in sources for path in found.paths]
    many = len(sources) > 1 or sources[0].many
    if not sheet:
        return plan_job(Sources(paths, many), [""], out)
    plan_job(Sources(paths[:1], many=False), [""], out)  # refuses a name that cannot be
    return Job([JobItem(path, "", out) for path in paths], in_folder=many)


def pair_coats(
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
        usual = ", ".join(map(str, known))
        raise typer.BadParameter(f"{error.found} is {error}; try {usual}") from None


def find_coats(
    skus: Sequence[str], catalog: Path | None, place: str | None, opacity: float | None
) -> list[Coat]:
    """Find products of a catalogue as coats, for where their category is worn or the place given.

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
            coats += [replace(c, opacity=opacity) for c in make_coats(shades, place)]
        except ShadeError as error:
            raise typer.BadParameter(f"{sku}: {error.found} is {error}; name a --region") from None
    return coats


@dataclass
class ShadeFitter:
    """Puts the same coats on face after face.

    Attributes:
        pipeline: the shade pipeline.
        coats: what is worn.
        look: other makeup to wear with them.
        faces: which faces, 0 the largest; all when None.
        rows: of the sheet, one for each picture drawn so far.
    """

    pipeline: ShadePipeline
    coats: list[Coat]
    look: Look | None
    faces: list[int] | None
    rows: list[list[Cell]] = field(default_factory=list)

    def put_on(self, item: JobItem) -> Report:
        """Make one result: all coats together, on the faces asked for.

        Raises:
            MirraError: the source cannot be used.
        """
        from pipelines.images.decode import decode
        from pipelines.images.encode import save

        result = self.pipeline(decode(item.source), self.coats, look=self.look, faces=self.faces)
        save(result.images[0], item.target)
        return report_shades(one for reached in result.reached.values() for one in reached)

    def draw_row(self, item: JobItem) -> Report:
        """Draw a row of the sheet: the face asked for, else the largest, bare and in each coat.

        Raises:
            MirraError: the source cannot be used.
        """
        from pipelines.images.decode import decode
        from pipelines.makeup.pipeline_instant import select_faces
        from pipelines.makeup.shade_sheet import Cell

        found = self.pipeline.makeup.find_faces(decode(item.source))
        (face,) = select_faces(found, self.faces or [0]).values()
        cells = [Cell(face, face.image, (), item.source.stem[:28])]
        for coat in self.coats:
            image, reached = self.pipeline.put_on(face, [coat], look=self.look)
            cells.append(Cell(face, image, reached, f"{coat.color} {coat.finish}"))
        self.rows.append(cells)
        return report_shades(one for cell in cells for one in cell.reached)

    def save_sheet(self, out: Path) -> None:
        """Write the rows drawn as one picture; nothing if there are none."""
        from pipelines.images.encode import save
        from pipelines.makeup.shade_sheet import draw_sheet

        if self.rows:
            save(draw_sheet(self.rows), out)


def report_shades(reached: Iterable[Reached]) -> Report:
    """Say which colours were asked for and which were reached."""
    return {"shades": [describe_reached(one) for one in reached]}


def describe_reached(one: Reached) -> Report:
    """Say how near a colour came; None for what is hidden in the picture."""
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
