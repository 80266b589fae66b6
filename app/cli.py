"""The `mirra` command, assembled from `commands/`; heavy imports wait until they are needed."""

from __future__ import annotations

import typer

from app.commands import attributes, catalog, evaluate, looks, makeup, models, serve, shade

app = typer.Typer(
    name="mirra",
    help="A mirror that tries things on: makeup and shades, on your own CPU.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("makeup")(makeup.run)
app.command("shade")(shade.run)
app.command("serve")(serve.run)
app.command("models")(models.run)
app.add_typer(attributes.app, name="attributes")
app.add_typer(catalog.app, name="catalog")
app.add_typer(looks.app, name="looks")
app.add_typer(evaluate.app, name="evaluate")


def main() -> None:
    """Run the command line; what a person can mend is one sentence on stderr, and exit code 3."""
    from models.errors import MirraError

    try:
        app()
    except MirraError as error:
        from app.messages import explain

        typer.echo(explain(error), err=True)
        raise SystemExit(3) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
