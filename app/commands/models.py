"""`mirra models`: what is installed, what it needs, its licence; networks for other runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

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
        lacks = entry.list_missing()
        typer.echo(f"{entry.name} ({entry.task}): {'not yet' if lacks else 'ready'}")
        for each in lacks:
            typer.echo(f"  lacks    {each}")
        typer.echo(f"  needs    {entry.needs}")
        typer.echo(f"  download {entry.download}")
        for part in ("code", "weights", "base", "data"):
            typer.echo(f"  {part:<8} {getattr(entry.licence, part)}")
        may = "yes" if entry.licence.commercial else "no"
        typer.echo(f"  may I use this commercially?  {may}")


@app.command()
def tiny(
    folder: Annotated[Path, typer.Argument(help="Where to write, for instance `demo`.")],
) -> None:
    """Write FLUX-Makeup and MC-VTON at toy size: same classes, random weights, run anywhere."""
    from pipelines.registry import REGISTRY

    for entry in REGISTRY:
        if entry.toy is not None and entry.toy.folder:
            entry.make_toy().save_pretrained(folder / entry.toy.folder)
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
