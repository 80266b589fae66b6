"""`mirra looks encode`, `similar`, `mix` and the like: looks as codes (BeautyBank)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from app.commands.jobs import Job, JobItem, Report, find_sources
from app.licences import CommercialOnly, refuse_unlicensed
from models.regions import MAKEUP_REGIONS

if TYPE_CHECKING:
    from pipelines.makeup.code_files import CodedLook
    from pipelines.makeup.pipeline_beautybank import BeautyBankPipeline

Out = Annotated[Path, typer.Option("--out", "-o", help="What to write.")]
CodeFile = Annotated[Path, typer.Argument(help="A look.safetensors.")]
Bank = Annotated[Path, typer.Option(help="Folder of the bank of looks.")]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same looks.")]
Amount = Annotated[float | None, typer.Option(min=0, max=2, help="0 takes off, above 1 is more.")]
CodeFrom = Annotated[Path | None, typer.Option(help="Take this region from another code.")]


def encode(
    face: Annotated[Path, typer.Argument(help="A photograph of someone wearing makeup.")],
    out: Out,
    name: Annotated[str, typer.Option(help="What to call the look.")] = "look from a photo",
    tune: Annotated[int, typer.Option(min=0, max=1000, help="Steps of each tuning stage.")] = 60,
    commercial_only: CommercialOnly = False,
) -> None:
    """Read the makeup of a face as a code, a small file to wear, mix, edit and compare."""
    from pipelines.files import write_bytes
    from pipelines.images.decode import decode

    write_bytes(
        load_pipeline(commercial_only).read(decode(face), name, iterations=tune).to_bytes(), out
    )


def wear(
    source: Annotated[Path, typer.Argument(help="Who wears it.")],
    code: CodeFile,
    out: Out,
    source_made_up: Annotated[
        bool, typer.Option("--source-made-up", help="Take off the makeup of SOURCE first.")
    ] = False,
    strength: Annotated[float, typer.Option(min=0, max=1, help="Overall, 0 to 1.")] = 1.0,
    commercial_only: CommercialOnly = False,
) -> None:
    """Put a code on a face, at full resolution."""
    from pipelines.images.decode import decode
    from pipelines.images.encode import save
    from pipelines.makeup.code_files import load_code

    look = load_code(code)
    result = load_pipeline(commercial_only)(
        decode(source), look, source_made_up=source_made_up, strength=strength
    )
    save(result.images[0], out)


def remove(
    source: Annotated[Path, typer.Argument(help="A made-up face.")],
    out: Out,
    commercial_only: CommercialOnly = False,
) -> None:
    """Estimate the face without its makeup."""
    from pipelines.images.decode import decode
    from pipelines.images.encode import save

    pipeline = load_pipeline(commercial_only)
    save(pipeline.remove(pipeline.instant.find_faces(decode(source))).image, out)


def mix(
    first: CodeFile,
    second: CodeFile,
    out: Out,
    t: Annotated[float, typer.Option(min=0, max=1, help="0 is FIRST, 1 SECOND.")] = 0.0,
    lips_from: CodeFrom = None,
    eyes_from: CodeFrom = None,
    brows_from: CodeFrom = None,
    cheeks_from: CodeFrom = None,
    skin_from: CodeFrom = None,
    commercial_only: CommercialOnly = False,
) -> None:
    """A look between two, with some regions from others."""
    from models.beautybank.code import between
    from models.beautybank.code import mix as mixed
    from pipelines.files import write_bytes
    from pipelines.makeup.code_files import load_code

    looks = [load_code(path) for path in (first, second)]
    given = (lips_from, eyes_from, brows_from, cheeks_from, skin_from)
    parts = {r: load_code(path) for r, path in zip(MAKEUP_REGIONS, given, strict=True) if path}
    pipeline = load_pipeline(commercial_only)
    pipeline.check([*looks, *parts.values()])
    code = between(looks[0].code, looks[1].code, t)
    code = mixed(code, {region: look.code for region, look in parts.items()})
    write_bytes(
        pipeline.make_coded_look(code, f"{looks[0].name} + {looks[1].name}").to_bytes(), out
    )


def edit(
    code: CodeFile,
    out: Out,
    lips: Amount = None,
    eyes: Amount = None,
    cheeks: Amount = None,
    skin: Amount = None,
    strength: Amount = None,
    warmer: Annotated[
        float, typer.Option(min=-30, max=30, help="CIELAB units; below 0 is cooler.")
    ] = 0.0,
    lip_color: Annotated[
        str | None, typer.Option("--lip-color", help="Another lip colour, such as '#b01030'.")
    ] = None,
    commercial_only: CommercialOnly = False,
) -> None:
    """Change a look: `--cheeks 0` takes the blush off, `--strength 0.6` is softer."""
    from models.beautybank.code import shifted, strengthened
    from models.instant.coats import Coat
    from models.ops.color import hex_to_lab
    from pipelines.files import write_bytes
    from pipelines.makeup.code_files import load_code

    look = load_code(code)
    pipeline = load_pipeline(commercial_only)
    pipeline.check([look])
    amounts = {"lips": lips, "eyes": eyes, "cheeks": cheeks, "skin": skin}
    overall = 1.0 if strength is None else strength
    shares = {r: overall * (1.0 if v is None else v) for r, v in amounts.items()}
    edited = shifted(look.code, (0, warmer / 3, warmer)) if warmer else look.code
    if lip_color is not None:
        edited = pipeline.with_lip_color(edited, hex_to_lab(Coat(lip_color).color))
    write_bytes(pipeline.make_coded_look(strengthened(edited, shares), look.name).to_bytes(), out)


def similar(
    face: Annotated[Path, typer.Argument(help="A look.safetensors, or a photograph.")],
    bank: Bank,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 10,
    region: Annotated[
        Literal["lips", "eyes", "cheeks", "skin"] | None, typer.Option(help="Compare only this.")
    ] = None,
    commercial_only: CommercialOnly = False,
) -> None:
    """The looks of a bank nearest to a code or a face, the nearest first."""
    from pipelines.makeup.bank import LookBank

    for found in LookBank(bank).find_similar(
        open_code(load_pipeline(commercial_only), face), limit, region
    ):
        typer.echo(f"{found.distance:8.3f}  {found.look.name}")


def fill(
    sources: Annotated[str, typer.Argument(help="Codes or photographs: a file, folder or glob.")],
    bank: Bank,
    tune: Annotated[int, typer.Option(min=0, max=1000, help="Steps of each tuning stage.")] = 0,
    commercial_only: CommercialOnly = False,
) -> None:
    """Add looks to a bank, each named after its file. Exit code 3 if some could not be used."""
    from pipelines.makeup.bank import LookBank

    folder = Path(sources)
    codes = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    paths = codes or find_sources(sources).paths
    job = Job([JobItem(path, "", bank) for path in paths], in_folder=False)
    pipeline, looks = load_pipeline(commercial_only), []

    def read(item: JobItem) -> Report:
        looks.append(open_code(pipeline, item.source, tune))
        return {}

    job.run(read)
    job.print_failures()
    if looks:
        LookBank(bank).add(looks)
    typer.echo(f"{len(looks)} looks added")
    job.exit_if_failed()


def sample(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of codes.")],
    count: Annotated[int, typer.Option(min=1, max=1000)] = 8,
    seed: Seed = 0,
    commercial_only: CommercialOnly = False,
) -> None:
    """Invent looks."""
    from pipelines.files import write_bytes

    out.mkdir(parents=True, exist_ok=True)
    for look in load_pipeline(commercial_only).sample(count, seed):
        write_bytes(look.to_bytes(), out / f"{look.name.replace(' ', '-')}.safetensors")


def inject(
    code: CodeFile,
    out: Out,
    count: Annotated[int, typer.Option(min=1, max=16)] = 5,
    seed: Seed = 0,
    commercial_only: CommercialOnly = False,
) -> None:
    """Show a look on faces that do not exist, side by side."""
    from PIL import Image

    from pipelines.images.encode import save
    from pipelines.makeup.code_files import load_code

    faces = load_pipeline(commercial_only).inject(load_code(code), count, seed)
    strip = Image.new("RGB", (sum(face.width for face in faces), faces[0].height))
    for number, face in enumerate(faces):
        strip.paste(face, (number * face.width, 0))
    save(strip, out)


def unfold(
    data: Annotated[Path, typer.Argument(help="Folder with makeup/london-faces.tar and so on.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the cache.")],
    most: Annotated[int, typer.Option(min=1, help="Pictures of each folder, at most.")] = 1000,
) -> None:
    """Unfold the faces of the training sets, for `python -m training.train_beautybank`."""
    from training.prepare.face_textures import unfold_all

    found, missed = unfold_all(data, out, most)
    typer.echo(f"{found} faces; {missed} pictures without one")


COMMANDS = (encode, wear, remove, mix, edit, similar, fill, sample, inject, unfold)


def load_pipeline(commercial_only: bool) -> BeautyBankPipeline:
    """Load BeautyBank.

    Raises:
        WeightsError: it may not be used commercially, and only such use was asked for.
    """
    from pipelines.makeup.pipeline_beautybank import BeautyBankPipeline

    refuse_unlicensed("beautybank", commercial_only)
    return BeautyBankPipeline()


def open_code(pipeline: BeautyBankPipeline, path: Path, tune: int = 60) -> CodedLook:
    """Read the look in a code's file or on a photograph, with so many steps of each tuning stage.

    Raises:
        MirraError: the file cannot be used.
    """
    from pipelines.images.decode import decode
    from pipelines.makeup.code_files import load_code

    if path.suffix == ".safetensors":
        return load_code(path)
    return pipeline.read(decode(path), path.stem, iterations=tune)
