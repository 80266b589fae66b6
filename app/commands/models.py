"""`mirra models`: what is installed, what it needs, and its licence."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List the pipelines; write toy ones.", add_completion=False)


@app.callback(invoke_without_command=True)
def list_all(context: typer.Context) -> None:
    """List the pipelines, what each lacks on this machine, and what its licence allows."""
    if context.invoked_subcommand is not None:
        return
    from pipelines.registry import REGISTRY

    for entry in REGISTRY:
        lacks = lacking(entry)
        typer.echo(f"{entry.name} ({entry.task}): {'not yet' if lacks else 'ready'}")
        for each in lacks:
            typer.echo(f"  lacks    {each}")
        typer.echo(f"  needs    {entry.needs}")
        typer.echo(f"  download  {entry.download}")
        typer.echo(f"  licence  {entry.licence}")
        typer.echo(f"  commercial use  {'yes' if entry.commercial else 'no'}")


def lacking(entry: object) -> list[str]:
    """What a pipeline of the registry lacks here, in words; empty when it can run."""
    from pipelines.flux import missing
    from pipelines.registry import Entry

    assert isinstance(entry, Entry)
    weights = Path(__file__).resolve().parents[2] / "assets" / "weights"
    lacks = [f"assets/weights/{name}" for name in entry.weights if not (weights / name).is_dir()]
    return lacks + (missing() if entry.remote else [])


@app.command()
def tiny(
    folder: Annotated[Path, typer.Argument(help="Where to write, for instance `demo`.")],
) -> None:
    """Write FLUX-Makeup at toy size: same classes, random weights, runs anywhere."""
    from models import tiny as toys
    from pipelines.makeup.pipeline_flux_makeup import FluxMakeupPipeline

    parts = toys.flux()
    injector = toys.reflora_injector(parts["transformer"])
    target = folder / "flux-makeup"
    pipe = FluxMakeupPipeline(**parts, injector=injector, default_size=16 * toys.TOKEN_PIXELS)
    pipe.save_pretrained(target)
    typer.echo(f"{target}: random weights, to see the road from end to end, not to look good")
