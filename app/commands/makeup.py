"""`mirra makeup`: put a look on one picture or a folder of them."""

from __future__ import annotations

import glob
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.commands.makeup_flux import PAINTERS, FluxOptions, paint
from app.licences import CommercialOnly, refuse_unlicensed
from models.regions import MAKEUP_REGIONS
from pipelines.catalog.run.inputs import PICTURES

if TYPE_CHECKING:
    from pipelines.makeup.look import Look
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline

PipelineName = Literal["instant", "tiny-beauty", "nano-flux", "flux-makeup"]
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
    sources, many = sources_named(pictures[0])
    references: list[str] = [*pictures[1:], *([look] if look else [])]
    parts = {
        "lips": lips_from, "eyes": eyes_from, "brows": brows_from, "cheeks": cheeks_from,
        "skin": skin_from,
    }  # fmt: skip
    named_parts = {region: source for region, source in parts.items() if source}
    if not references and not named_parts:
        raise typer.BadParameter("name a REFERENCE picture, or a --look (see `mirra looks`)")
    if format not in ("png", "jpeg", "webp"):
        raise typer.BadParameter(f"--format is png, jpeg or webp, not {format}")
    faces = face_numbers(face)
    several = len(references) > 1
    jobs = planned(sources, references or [""], out, many, several, format)

    strengths = dict(zip(MAKEUP_REGIONS, (lips, eyes, brows, cheeks, skin), strict=True))
    asked = {region: value for region, value in strengths.items() if value is not None}
    refuse_unlicensed(pipeline_name, commercial_only)
    painting = FluxOptions(seed, size, offload, quantise, model, student, negative)
    if pipeline_name in PAINTERS:
        if look or named_parts or report or faces is not None:
            raise typer.BadParameter(f"{pipeline_name} takes a REFERENCE and strengths only")
        return _finish(paint(jobs, asked, strength, PAINTERS[pipeline_name](painting)))
    painting.refuse()

    from app.messages import explain
    from models.errors import MirraError
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
    from pipelines.makeup.pipeline_tiny_beauty import TINY_LOOKS, TinyBeautyPipeline

    if pipeline_name == "tiny-beauty" and (named_parts or not {*references} <= {*TINY_LOOKS}):
        raise typer.BadParameter(f"tiny-beauty wears --look {' or '.join(TINY_LOOKS)} only")
    kind = TinyBeautyPipeline if pipeline_name == "tiny-beauty" else InstantMakeupPipeline
    pipeline = kind()
    looks = {name: wanted_look(pipeline, name) for name in {*references, *named_parts.values()}}
    taken = {region: looks[name] for region, name in named_parts.items()}
    reports: list[dict[str, Any]] = []
    failures: list[tuple[Path, str]] = []
    for source, reference, target in with_progress(jobs, many or several):
        base = looks[reference] if reference else _bare()
        try:
            reports.append(
                _one(pipeline, source, base, taken, asked, strength, faces, target, bool(report))
            )
        except (MirraError, OSError) as error:
            failures.append((source, explain(error)))
            reports.append({"source": source.name, "error": explain(error)})
    if report:
        report.write_text(json.dumps(reports if many or several else reports[0], indent=1) + "\n")
    _finish(failures)


def _finish(failures: list[tuple[Path, str]]) -> None:
    """Say which pictures could not be used; exit code 3 if there are any."""
    for path, sentence in failures:
        typer.echo(f"{path}: {sentence}", err=True)
    if failures:
        raise typer.Exit(3)


def _one(
    pipeline: InstantMakeupPipeline,
    source: Path,
    base: Look,
    parts: dict[str, Look],
    asked: dict[str, float],
    strength: float | None,
    faces: list[int] | None,
    target: Path,
    measured: bool,
) -> dict[str, Any]:
    """Make one result; returns its report, or only its names when nobody asked for one."""
    from pipelines.files import write_bytes
    from pipelines.images.decode import decode
    from pipelines.images.encode import encode
    from pipelines.makeup.look_files import embed
    from pipelines.makeup.pipeline_instant import combine
    from pipelines.makeup.report import measure

    picture = decode(source)
    look = combine(base, parts)
    look = look.with_strengths(
        {**look.strengths, **asked}, look.strength if strength is None else strength
    )
    result = pipeline(picture, look, faces=faces)
    suffix = target.suffix.lower()
    if suffix == ".png":
        data = embed(result.images[0], look)
    else:
        data = encode(result.images[0], suffix[1:])
    write_bytes(data, target)
    entry: dict[str, Any] = {"source": source.name, "result": target.name, "look": look.name}
    if measured:
        entry |= measure(result, pipeline.analyzer)
    return entry


def sources_named(text: str) -> tuple[list[Path], bool]:
    """The source pictures a person named, and whether that was a folder or glob."""
    path = Path(text)
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.suffix.lower() in PICTURES)
        if not found:
            raise typer.BadParameter(f"no pictures in {path}")
        return found, True
    if not path.exists() and glob.has_magic(text):
        found = sorted(Path(p) for p in glob.glob(text, recursive=True))  # noqa: PTH207
        if not found:
            raise typer.BadParameter(f"nothing matches {text}")
        return found, True
    return [path], False


def planned(
    sources: list[Path], references: list[str], out: Path, many: bool, several: bool, format: str
) -> list[tuple[Path, str, Path]]:
    """Source, reference and result of each transfer."""
    if not many and not several:
        if out.suffix.lower() not in (".png", ".jpg", ".jpeg", ".webp"):
            raise typer.BadParameter(f"-o must end in .png, .jpg or .webp, not {out.name}")
        if not out.parent.is_dir():
            raise typer.BadParameter(f"there is no folder {out.parent}")
        jobs = [(sources[0], references[0], out)]
    else:
        if out.exists() and not out.is_dir():
            raise typer.BadParameter(f"with several pictures -o is a folder, and {out} is a file")
        out.mkdir(parents=True, exist_ok=True)
        ending = {"jpeg": "jpg"}.get(format, format)
        jobs = [
            (s, r, out / f"{s.stem}{'__' + Path(r).stem if several else ''}.{ending}")
            for s in sources
            for r in references
        ]
    made: dict[Path, str] = {}
    for source, reference, target in jobs:
        if target.exists() and source.exists() and target.samefile(source):
            raise typer.BadParameter(f"-o would overwrite {source}")
        if target in made:
            both = f"{made[target]} and {source.name} {Path(reference).name}".strip()
            raise typer.BadParameter(f"{both} would both become {target.name}; rename one")
        made[target] = f"{source.name} {Path(reference).name}".strip()
    return jobs


def wanted_look(pipeline: InstantMakeupPipeline, name: str) -> Look:
    """A look by name, from a look file, from a Mirra PNG, or read off a photograph.

    Raises:
        MirraError: it is none of these; that ends the run, for every result would need it.
    """
    from pipelines.images.decode import decode
    from pipelines.makeup.look_files import load_look, read_embedded

    path = Path(name)
    if not path.exists() or path.suffix.lower() == ".json":
        return load_look(path if path.suffix.lower() == ".json" else name)
    return read_embedded(path) or pipeline.read_look(decode(path), name=path.stem[:80])


def _bare() -> Look:
    from models.instant.makeup import nothing
    from pipelines.makeup.look import Look

    return Look("bare", nothing())


def face_numbers(text: str) -> list[int] | None:
    """What --face says: a number, or None for all."""
    if text == "all":
        return None
    if not text.isdigit():
        raise typer.BadParameter(f"--face is 'all' or a number, not {text}")
    return [int(text)]


def with_progress(jobs: list[Any], shown: bool) -> Iterable[Any]:
    """The jobs, with a progress bar on stderr when `shown`."""
    from tqdm import tqdm

    return tqdm(jobs, unit="picture", disable=not shown)
