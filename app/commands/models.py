"""`mirra models`: what is installed, what it needs, its licence; networks for other runtimes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List the pipelines; export networks as ONNX.", add_completion=False)


@app.callback(invoke_without_command=True)
def list_all(context: typer.Context) -> None:
    """List the pipelines, whether their weights are here, and what their licence allows."""
    if context.invoked_subcommand is not None:
        return
    from pipelines.registry import REGISTRY, is_ready

    for entry in REGISTRY:
        here = "ready" if is_ready(entry.name) else "weights missing"
        typer.echo(f"{entry.name} ({entry.task}): {here}")
        typer.echo(f"  needs    {entry.needs}")
        typer.echo(f"  licence  {entry.licence}")
        typer.echo(f"  commercial use  {'yes' if entry.commercial else 'no'}")


@app.command()
def export(
    name: Annotated[str, typer.Argument(help="human-parser, garment-cutter, dmvton-student, ...")],
    folder: Annotated[Path, typer.Argument(help="Where NAME.onnx is written.")],
) -> None:
    """Write a network as ONNX, float32, for browsers and other runtimes.

    Needs `pip install 'mirra[export]'`. The file's own inputs and outputs are named as in the
    network's docstring; sizes are those of training.
    """
    from pipelines.export import EXPORTED, export_onnx

    if name not in EXPORTED:
        raise typer.BadParameter(f"NAME is one of {', '.join(EXPORTED)}, not {name}")
    folder.mkdir(parents=True, exist_ok=True)
    path = export_onnx(name, folder / f"{name}.onnx")
    typer.echo(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
