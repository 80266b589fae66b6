"""`mirra tryon`: put a garment on one person, or every garment of a folder on every person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from app.commands.flux_options import TryOnFluxOptions
from app.commands.jobs import Job, JobItem, Report, blame, check_format, find_sources, plan_job
from app.commands.tryon_flux import GarmentPainter
from app.licences import CommercialOnly, refuse_unlicensed
from pipelines.registry import choices_of

if TYPE_CHECKING:
    from PIL.Image import Image

    from models.structures import Person
    from pipelines.tryon.garment import Garment
    from pipelines.tryon.output import TryOnOutput
    from pipelines.tryon.pipeline_dmvton import DMVTONPipeline, Network

SHEET = "contact-sheet.png"


def run(
    person: Annotated[str, typer.Argument(help="Who wears it: a picture, folder or glob.")],
    garment: Annotated[
        str, typer.Argument(help="A top, flat or worn by somebody: a picture, folder or glob.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Result, or folder of results.")],
    pipeline: Annotated[
        str, typer.Option(help="'dmvton' runs here; 'mcvton' paints, with FLUX on a GPU.")
    ] = "dmvton",
    network: Annotated[
        str, typer.Option(help="'student' is fast; 'teacher' also reads pose and parse.")
    ] = "student",
    report: Annotated[Path | None, typer.Option(help="Write measurements as JSON.")] = None,
    format: Annotated[str, typer.Option(help="In a folder: png, jpeg or webp.")] = "png",
    seed: Annotated[int | None, typer.Option(help="mcvton: same seed, same picture.")] = None,
    wear: Annotated[str | None, typer.Option(help="mcvton: top, bottom or dress.")] = None,
    sleeves: Annotated[str | None, typer.Option(help="mcvton: long or short.")] = None,
    mask: Annotated[
        Path | None, typer.Option(help="mcvton: what may change, white, as large as PERSON.")
    ] = None,
    save_mask: Annotated[
        Path | None, typer.Option(help="mcvton: write the mask here, to edit it for --mask.")
    ] = None,
    offload: Annotated[str | None, typer.Option(help="mcvton: model, group or sequential.")] = None,
    quantise: Annotated[str | None, typer.Option(help="mcvton: nf4 or int8.")] = None,
    commercial_only: CommercialOnly = False,
) -> None:
    """Try a top on.

    With one PERSON and one GARMENT, `-o` names the result. With folders or globs, `-o` is a folder:
    each result is `<person>__<garment>.png`, and dmvton's `contact-sheet.png` shows all of them.

    Exit codes: 0 all done, 2 wrong usage, 3 some pictures could not be used.
    """
    people, garments = find_sources(person), find_sources(garment)
    many = people.many or garments.many
    if network not in ("student", "teacher"):
        raise typer.BadParameter(f"--network is student or teacher, not {network}")
    check_format(format)
    options = TryOnFluxOptions(seed, wear, sleeves, mask, save_mask, offload, quantise)
    if pipeline not in (choices := choices_of("tryon")):
        raise typer.BadParameter(f"--pipeline is {' or '.join(choices)}, not {pipeline}")
    if pipeline == "mcvton":
        options.check(len(people.paths))
    else:
        options.refuse()
    refuse_unlicensed(pipeline, commercial_only)
    names = [str(path) for path in garments.paths]
    job = plan_job(people, names, out, format, in_folder=many, name_pairs=many)
    refuse_overwriting_garments(job)

    if pipeline == "mcvton":
        painter = GarmentPainter(options)
        job.run(painter.paint, name=name_pair, shared=painter.shared)
    else:
        fitter = GarmentFitter(cast("Network", network))
        job.run(fitter.put_on, name=name_pair, shared=list_pair)
        if many:
            fitter.save_contact_sheet(out / SHEET, people.paths, garments.paths)
    job.write_report(report)
    job.finish()


def name_pair(item: JobItem) -> Report:
    """Name an item in a report by its two pictures."""
    return {"person": item.source.name, "garment": Path(item.reference).name}


def list_pair(item: JobItem) -> tuple[Path, ...]:
    """The two pictures of an item."""
    return item.source, Path(item.reference)


def refuse_overwriting_garments(job: Job) -> None:
    """Refuse results that would take the place of their garment.

    Raises:
        typer.BadParameter: naming it.
    """
    for item in job.items:
        garment = Path(item.reference)
        if item.target.exists() and garment.exists() and item.target.samefile(garment):
            raise typer.BadParameter(f"-o would overwrite {garment}")


class GarmentFitter:
    """Puts garments on people with DM-VTON; each picture is analyzed once.

    Args:
        network: "student" or "teacher".

    Raises:
        CheckpointError: its weights are not here.
    """

    def __init__(self, network: Network) -> None:
        from pipelines.tryon.pipeline_dmvton import DMVTONPipeline

        self.pipeline: DMVTONPipeline = DMVTONPipeline()
        self.pipeline.load(network)
        self.network: Network = network
        self._person: tuple[Path, Person] | None = None
        self._garments: dict[Path, Garment] = {}
        self._cells: dict[tuple[Path, Path], Image] = {}

    def put_on(self, item: JobItem) -> Report:
        """Make one result.

        Raises:
            UnusableError: person, garment or result cannot be used.
        """
        from pipelines.images.encode import save

        garment = Path(item.reference)
        milliseconds: dict[str, float] = {}
        with blame(item.source):
            wearer = self._analyze(item.source, milliseconds)
        with blame(garment):
            cut_out = self._cut_out(garment, milliseconds)
        with blame(item.target):
            result = self.pipeline.wear(
                wearer, cut_out, network=self.network, milliseconds=milliseconds
            )
            save(result.image, item.target)
        self._cells[item.source, garment] = draw_thumbnail(result.image)
        return {"result": item.target.name} | measure_tryon(result)

    def _analyze(self, path: Path, milliseconds: dict[str, float]) -> Person:
        """The person of a picture; the last one is kept, since its garments come in a row."""
        from pipelines.images.decode import decode
        from pipelines.steps import timed

        if self._person is None or self._person[0] != path:
            with timed(milliseconds, "person"):
                self._person = path, self.pipeline.analyzer(decode(path))
        return self._person[1]

    def _cut_out(self, path: Path, milliseconds: dict[str, float]) -> Garment:
        """The garment of a picture; all are kept, since they come again with the next person."""
        from pipelines.images.decode import decode
        from pipelines.steps import timed

        if path not in self._garments:
            with timed(milliseconds, "garment"):
                self._garments[path] = self.pipeline.garments(decode(path))
        return self._garments[path]

    def save_contact_sheet(self, path: Path, people: list[Path], garments: list[Path]) -> None:
        """Write a contact sheet: garments across, people down; nothing if nothing was made."""
        from PIL import Image

        from pipelines.images.decode import decode
        from pipelines.images.encode import save

        across = [path for path in garments if path in self._garments]
        down = [path for path in people if any(key[0] == path for key in self._cells)]
        if not across or not down:
            return
        sheet = Image.new("RGB", (192 * (len(across) + 1), 256 * (len(down) + 1)), "white")
        for column, garment in enumerate(across):
            top = draw_thumbnail(self._garments[garment].on_white())
            sheet.paste(top, (192 * (column + 1), 0))
        for row, person in enumerate(down):
            sheet.paste(draw_thumbnail(decode(person)), (0, 256 * (row + 1)))
            for column, garment in enumerate(across):
                if (person, garment) in self._cells:
                    sheet.paste(self._cells[person, garment], (192 * (column + 1), 256 * (row + 1)))
        save(sheet, path)


def draw_thumbnail(picture: Image) -> Image:
    """A picture in a cell of 192x256 pixels, whole, on white."""
    from PIL import Image, ImageOps

    cell = Image.new("RGB", (192, 256), "white")
    small = ImageOps.contain(picture, cell.size)
    cell.paste(small, ((192 - small.width) // 2, (256 - small.height) // 2))
    return cell


def measure_tryon(result: TryOnOutput) -> Report:
    """What a report says of one result: pixels changed, advice, milliseconds by stage."""
    import numpy as np

    from pipelines.tryon.coach import coach_tryon

    before, after = result.person.image, np.asarray(result.image)
    outside = (before != after).any(-1) & ~result.changed
    return {
        "network": result.network,
        "garment_kind": "worn" if result.garment.on_body else "flat",
        "pixels_changed": int(result.changed.sum()),
        "pixels_changed_outside": int(outside.sum()),
        "advice": [item.code for item in coach_tryon(result.person, result.garment)],
        "milliseconds": {stage: round(ms, 1) for stage, ms in result.milliseconds.items()},
    }
