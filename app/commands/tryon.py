"""`mirra tryon`: put a garment on one person, or every garment of a folder on every person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.commands.makeup import planned, sources_named, with_progress
from app.commands.tryon_flux import FluxOptions, paint
from app.licences import CommercialOnly, refuse_unlicensed

if TYPE_CHECKING:
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
    people, many_people = sources_named(person)
    garments, many_garments = sources_named(garment)
    many = many_people or many_garments
    if network not in ("student", "teacher"):
        raise typer.BadParameter(f"--network is student or teacher, not {network}")
    if format not in ("png", "jpeg", "webp"):
        raise typer.BadParameter(f"--format is png, jpeg or webp, not {format}")
    painting = FluxOptions(seed, wear, sleeves, mask, save_mask, offload, quantise)
    if pipeline == "dmvton":
        painting.refuse()
    elif pipeline == "mcvton":
        painting.check(len(people))
    else:
        raise typer.BadParameter(f"--pipeline is dmvton or mcvton, not {pipeline}")
    refuse_unlicensed(pipeline, commercial_only)
    jobs = planned(people, [str(path) for path in garments], out, many, many, format)
    for _, garment_path, target in jobs:
        if target.exists() and Path(garment_path).exists() and target.samefile(garment_path):
            raise typer.BadParameter(f"-o would overwrite {garment_path}")

    if pipeline == "mcvton":
        reports, failures = paint(with_progress(jobs, many), painting)
    else:
        from pipelines.tryon.pipeline_dmvton import DMVTONPipeline

        work = Work(DMVTONPipeline(), network)  # type: ignore[arg-type]
        for source, garment_path, target in with_progress(jobs, many):
            work.try_on(source, Path(garment_path), target)
        if many:
            work.save_sheet(out / SHEET, people, garments)
        reports, failures = work.reports, work.failures
    if report:
        report.write_text(json.dumps(reports if many else reports[0], indent=1) + "\n")
    for path, sentence in failures.items():
        typer.echo(f"{path}: {sentence}", err=True)
    if failures:
        raise typer.Exit(3)


class Work:
    """The pictures of one call, each looked at once.

    Attributes:
        reports: of each job, in order.
        failures: picture -> the sentence that says why it could not be used.
    """

    def __init__(self, pipeline: DMVTONPipeline, network: Network) -> None:
        pipeline.load(network)
        self.pipeline: DMVTONPipeline = pipeline
        self.network: Network = network
        self.reports: list[dict[str, Any]] = []
        self.failures: dict[Path, str] = {}
        self._person: tuple[Path, Any] | None = None
        self._garments: dict[Path, Garment] = {}
        self._cells: dict[tuple[Path, Path], Any] = {}

    def try_on(self, person: Path, garment: Path, target: Path) -> None:
        """Make one result and its report; a picture that cannot be used is noted."""
        from app.messages import explain
        from models.errors import MirraError
        from pipelines.images.encode import save

        names = {"person": person.name, "garment": garment.name}
        took: dict[str, float] = {}
        at = person
        try:
            for at in (person, garment):
                if at in self.failures:
                    self.reports.append(names | {"error": self.failures[at]})
                    return
            at = person
            wearer = self._look_at(person, took)
            at = garment
            cut_out = self._cut_out(garment, took)
            at = target
            result = self.pipeline.wear(wearer, cut_out, network=self.network, milliseconds=took)
            save(result.image, target)
        except (MirraError, OSError) as error:
            self.failures[at] = explain(error)
            self.reports.append(names | {"error": explain(error)})
            return
        self._cells[person, garment] = thumbnail(result.image)
        self.reports.append(names | {"result": target.name} | measured(result))

    def _look_at(self, path: Path, took: dict[str, float]) -> Any:
        from pipelines.images.decode import decode
        from pipelines.steps import timed

        if self._person is None or self._person[0] != path:
            with timed(took, "person"):
                self._person = path, self.pipeline.analyzer(decode(path))
        return self._person[1]

    def _cut_out(self, path: Path, took: dict[str, float]) -> Garment:
        from pipelines.images.decode import decode
        from pipelines.steps import timed

        if path not in self._garments:
            with timed(took, "garment"):
                self._garments[path] = self.pipeline.garments(decode(path))
        return self._garments[path]

    def save_sheet(self, path: Path, people: list[Path], garments: list[Path]) -> None:
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
            top = thumbnail(self._garments[garment].on_white())
            sheet.paste(top, (192 * (column + 1), 0))
        for row, person in enumerate(down):
            sheet.paste(thumbnail(decode(person)), (0, 256 * (row + 1)))
            for column, garment in enumerate(across):
                if (person, garment) in self._cells:
                    sheet.paste(self._cells[person, garment], (192 * (column + 1), 256 * (row + 1)))
        save(sheet, path)


def thumbnail(picture: Any) -> Any:
    """A picture in a cell of 192x256, whole, on white."""
    from PIL import Image, ImageOps

    cell = Image.new("RGB", (192, 256), "white")
    small = ImageOps.contain(picture, cell.size)
    cell.paste(small, ((192 - small.width) // 2, (256 - small.height) // 2))
    return cell


def measured(result: TryOnOutput) -> dict[str, Any]:
    """What a report says of one result."""
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
