"""`mirra makeup`: put a look on one picture or a folder of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.commands.arguments import open_look, parse_faces
from app.commands.flux_options import MakeupFluxOptions
from app.commands.jobs import JobItem, Report, check_format, find_sources, plan_job
from app.commands.makeup_flux import PAINTERS, paint
from app.licences import CommercialOnly, refuse_unlicensed
from models.regions import MAKEUP_REGIONS
from pipelines.registry import choices_of, entry_of

if TYPE_CHECKING:
    from pipelines.makeup.look import Look
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline

    PipelineName = str
else:
    PipelineName = Literal[choices_of("makeup")]  # which typer offers and checks
OffloadName = Literal["none", "model", "group", "sequential"]
QuantiseName = Literal["none", "nf4", "int8"]
Share = Annotated[float | None, typer.Option(min=0, max=1, help="Strength, 0 to 1.")]
From = Annotated[str | None, typer.Option(help="Take this region from another picture or look.")]


def run(
    pictures: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE [REFERENCE]...",
            help="Who wears it: a picture, folder or glob; then whose makeup, a picture or look.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Result, or folder of results.")],
    look: Annotated[str | None, typer.Option(help="A named look, look.json or Mirra PNG.")] = None,
    lips: Share = None,
    eyes: Share = None,
    brows: Share = None,
    cheeks: Share = None,
    skin: Share = None,
    strength: Share = None,
    lips_from: From = None,
    eyes_from: From = None,
    brows_from: From = None,
    cheeks_from: From = None,
    skin_from: From = None,
    face: Annotated[str, typer.Option(help="'all', or a number: 0 is the largest.")] = "all",
    report: Annotated[Path | None, typer.Option(help="Write measurements as JSON.")] = None,
    format: Annotated[str, typer.Option(help="In a folder: png, jpeg or webp.")] = "png",
    pipeline_name: Annotated[
        PipelineName, typer.Option("--pipeline", help="See `mirra models`.")
    ] = "instant",
    commercial_only: CommercialOnly = False,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Painters: same seed, same picture.")
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=64, max=2048, help="flux-makeup: side of the painted square.")
    ] = None,
    offload: Annotated[
        OffloadName | None, typer.Option(help="flux-makeup: keep less on the GPU, slower.")
    ] = None,
    quantise: Annotated[
        QuantiseName | None, typer.Option(help="flux-makeup: the transformer in 4 or 8 bits.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="flux-makeup: folder or hub id; nano-flux: student, teacher."),
    ] = None,
    student: Annotated[
        Path | None, typer.Option(help="flux-makeup: weights of a few-step student.")
    ] = None,
    negative: Annotated[
        str | None, typer.Option(help="flux-makeup: what is not wanted, in words.")
    ] = None,
) -> None:
    """Put makeup on a face.

    With one SOURCE, `-o` names the result, or a folder when there are several REFERENCEs. With a
    folder or glob, `-o` is a folder and each result keeps its source's name. Several REFERENCEs
    give one result each, `<source>__<reference>.png`.

    Exit codes: 0 all done, 2 wrong usage, 3 some pictures could not be used.
    """
    sources = find_sources(pictures[0])
    references = [*pictures[1:], *([look] if look else [])]
    others = (lips_from, eyes_from, brows_from, cheeks_from, skin_from)
    parts = {r: name for r, name in zip(MAKEUP_REGIONS, others, strict=True) if name}
    if not references and not parts:
        raise typer.BadParameter("name a REFERENCE picture, or a --look (see `mirra looks`)")
    check_format(format)
    faces = parse_faces(face)
    job = plan_job(sources, references or [""], out, format)

    given = zip(MAKEUP_REGIONS, (lips, eyes, brows, cheeks, skin), strict=True)
    strengths = {region: value for region, value in given if value is not None}
    refuse_unlicensed(pipeline_name, commercial_only)
    options = MakeupFluxOptions(seed, size, offload, quantise, model, student, negative)
    if pipeline_name in PAINTERS:
        if look or parts or report or faces is not None:
            raise typer.BadParameter(f"{pipeline_name} takes a REFERENCE and strengths only")
        painter = PAINTERS[pipeline_name](options)
        job.run(partial(paint, painter, strengths, strength), bar=False)
    else:
        options.refuse()
        pipeline = load_pipeline(pipeline_name, {*references}, parts)
        looks = {name: open_look(pipeline, name) for name in {*references, *parts.values()}}
        chosen = {region: looks[name] for region, name in parts.items()}
        common = MakeupOptions(looks, chosen, strengths, strength, faces, report is not None)
        job.run(partial(put_on, pipeline, common))
        job.write_report(report)
    job.finish()


@dataclass(frozen=True)
class MakeupOptions:
    """What all results of a call have in common.

    Attributes:
        looks: name of a look -> the look.
        parts: region -> the look to take it from.
        strengths: region -> 0..1; the look's own for those left out.
        strength: overall, 0..1; the look's own when None.
        faces: which faces, 0 the largest; all when None.
        measured: whether to measure each result.
    """

    looks: dict[str, Look]
    parts: dict[str, Look]
    strengths: dict[str, float]
    strength: float | None
    faces: list[int] | None
    measured: bool


def load_pipeline(name: str, references: set[str], parts: dict[str, str]) -> InstantMakeupPipeline:
    """Load what needs no FLUX.

    Raises:
        typer.BadParameter: tiny-beauty was asked for a look that it has no network for.
    """
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
    from pipelines.makeup.pipeline_tiny_beauty import TINY_LOOKS

    if name == "tiny-beauty" and (parts or not references <= {*TINY_LOOKS}):
        raise typer.BadParameter(f"tiny-beauty wears --look {' or '.join(TINY_LOOKS)} only")
    pipeline = entry_of(name).load_class()()
    assert isinstance(pipeline, InstantMakeupPipeline), f"{name} needs a way of its own here"
    return pipeline


def put_on(pipeline: InstantMakeupPipeline, options: MakeupOptions, item: JobItem) -> Report:
    """Make one result; a PNG carries its look.

    Raises:
        MirraError: the source cannot be used.
    """
    from pipelines.files import write_bytes
    from pipelines.images.decode import decode
    from pipelines.images.encode import encode
    from pipelines.makeup.look_files import embed
    from pipelines.makeup.pipeline_instant import combine
    from pipelines.makeup.report import measure

    picture = decode(item.source)
    base = options.looks[item.reference] if item.reference else draw_bare_look()
    look = combine(base, options.parts)
    strength = look.strength if options.strength is None else options.strength
    look = look.with_strengths({**look.strengths, **options.strengths}, strength)
    result = pipeline(picture, look, faces=options.faces)
    suffix = item.target.suffix.lower()
    if suffix == ".png":
        data = embed(result.images[0], look)
    else:
        data = encode(result.images[0], suffix[1:])
    write_bytes(data, item.target)
    report: Report = {"result": item.target.name, "look": look.name}
    return report | measure(result, pipeline.analyzer) if options.measured else report


def draw_bare_look() -> Look:
    """A look without makeup, for regions taken from other looks to be put on."""
    from models.instant.makeup import nothing
    from pipelines.makeup.look import Look

    return Look("bare", nothing())
