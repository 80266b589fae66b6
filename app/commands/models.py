"""`mirra models`: what is installed, what it needs, its licence; networks for other runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pipelines.registry import Entry

app = typer.Typer(
    help="List the pipelines; write toy ones; export networks as ONNX.", add_completion=False
)


@app.callback(invoke_without_command=True)
def list_all(context: typer.Context) -> None:
    """List the pipelines, what each lacks on this machine, and what its licence allows."""
    if context.invoked_subcommand is not None:
        return
    from pipelines.registry import REGISTRY

    for entry in REGISTRY:
        lacks = list_lacking(entry)
        typer.echo(f"{entry.name} ({entry.task}): {'not yet' if lacks else 'ready'}")
        for each in lacks:
            typer.echo(f"  lacks    {each}")
        typer.echo(f"  needs    {entry.needs}")
        typer.echo(f"  download {entry.download}")
        for part in ("code", "weights", "base", "data"):
            typer.echo(f"  {part:<8} {getattr(entry.licence, part)}")
        may = "yes" if entry.licence.commercial else "no"
        typer.echo(f"  may I use this commercially?  {may}")


def list_lacking(entry: Entry) -> list[str]:
    """List what a pipeline lacks here, in words; nothing when it can run."""
    from pipelines import flux
    from pipelines.registry import has_weights
    from pipelines.tryon import mcvton_weights

    lacks = [f"assets/weights/{name}" for name in entry.weights if not has_weights(name)]
    elsewhere = {"flux-makeup": flux.list_missing, "mcvton": mcvton_weights.list_missing}
    return lacks + (elsewhere[entry.name]() if entry.remote else [])


@app.command()
def tiny(
    folder: Annotated[Path, typer.Argument(help="Where to write, for instance `demo`.")],
) -> None:
    """Write FLUX-Makeup and MC-VTON at toy size: same classes, random weights, run anywhere."""
    from models import tiny as toys
    from pipelines.makeup.pipeline_flux_makeup import FluxMakeupPipeline
    from pipelines.tryon.pipeline_mcvton import MCVTONPipeline

    parts = toys.flux()
    injector = toys.reflora_injector(parts["transformer"])
    pipe = FluxMakeupPipeline(**parts, injector=injector, default_size=16 * toys.TOKEN_PIXELS)
    pipe.save_pretrained(folder / "flux-makeup")
    MCVTONPipeline(**toys.mcvton()).save_pretrained(folder / "mc-vton")
    typer.echo(f"{folder}: random weights, to see the road from end to end, not to look good")


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="human-parser, garment-cutter, dmvton-student, ...")],
    folder: Annotated[Path, typer.Argument(help="Where NAME.onnx is written.")],
) -> None:
    """Write a network as ONNX, float32, for browsers and other runtimes.

    Needs `pip install -e '.[export]'`. The file's own inputs and outputs are named as in the
    network's docstring; sizes are those of training.
    """
    from pipelines.export import EXPORTED, export_onnx

    if name not in EXPORTED:
        raise typer.BadParameter(f"NAME is one of {', '.join(EXPORTED)}, not {name}")
    path = folder / f"{name}.onnx"
    path.parent.mkdir(parents=True, exist_ok=True)
    export_onnx(name, path)
    typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
