"""`mirra looks`: the looks that come with Mirra, and looks as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.commands import look_codes
from app.licences import CommercialOnly, refuse_unlicensed

app = typer.Typer(help="Looks: drawn ones, as files, and as codes.", add_completion=False)
for command in look_codes.COMMANDS:
    app.command()(command)


@app.callback(invoke_without_command=True)
def list_all(context: typer.Context) -> None:
    """List the looks drawn by Mirra's own code."""
    if context.invoked_subcommand is None:
        from pipelines.makeup.named_looks import NAMED_LOOKS

        for name, look in NAMED_LOOKS.items():
            typer.echo(f"{name:<14} {look.about}")


@app.command()
def save(
    source: Annotated[str, typer.Argument(help="A look's name, a Mirra PNG, or a photograph.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The look.json to write.")],
    commercial_only: CommercialOnly = False,
) -> None:
    """Save a look as a small file that `mirra makeup --look FILE` wears."""
    refuse_unlicensed("instant", commercial_only)
    from app.commands.arguments import open_look
    from pipelines.files import write_bytes
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline

    write_bytes(open_look(InstantMakeupPipeline(), source).to_json(), out)
