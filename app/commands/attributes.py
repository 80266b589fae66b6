"""`mirra attributes`: read product pictures into a table of shades."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from app.licences import CommercialOnly, refuse_unlicensed

if TYPE_CHECKING:
    from pipelines.catalog.run.batch import BatchProgress


class ReadByDefault(TyperGroup):
    """`mirra attributes shop/ -o shades.parquet` is short for `mirra attributes read shop/ ...`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `read` before arguments that name no command."""
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["read", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=ReadByDefault,
    no_args_is_help=True,
    help="Read product pictures: `mirra attributes INPUT... -o OUT` (see `read --help`).",
    add_completion=False,
)


class Engine(str, Enum):
    """Where the work is done."""

    LOCAL = "local"
    RAY = "ray"


class Standard(str, Enum):
    """What a table can be exported to."""

    SCHEMA_ORG = "schemaorg"
    GOOGLE = "google-feed"
    SHOPIFY = "shopify"


@app.command()
def read(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT...",
            help="Folders, globs, pictures, manifests (.csv, .jsonl, .parquet), WebDataset .tar "
            "files, URLs of any of these (s3://...), or - for JSON lines on standard input.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="A .parquet, .jsonl or .csv.")],
    workers: Annotated[
        int, typer.Option(min=0, help="Processes; 0 works in this one. Default: one a core.")
    ] = os.cpu_count() or 1,
    engine: Annotated[Engine, typer.Option(help="ray: on the cluster at RAY_ADDRESS.")] = (
        Engine.LOCAL
    ),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from an earlier run.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Forget an earlier run.")] = False,
    dedupe: Annotated[
        int | None,
        typer.Option(min=0, max=16, help="Drop repeats: bits of 64 a picture's hash may differ."),
    ] = None,
    fail_on: Annotated[
        float, typer.Option(min=0, max=1, help="Share of bad pictures above which to exit with 3.")
    ] = 0.0,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only list what is there.")] = False,
    log_json: Annotated[bool, typer.Option("--log-json", help="Progress as JSON lines.")] = False,
    commercial_only: CommercialOnly = False,
) -> None:
    """Read product pictures: a row a shade, with its colour, finish and place.

    A manifest has a column `image` and any of sku, title, description, price, brand, category.
    Bad pictures become rows with a reason. OUT appears when all is done; OUT.state beside it lets
    `--resume` go on after a stop, and later read only what is new or changed.

    Exit codes: 0 done, 2 wrong usage, 3 more bad pictures than --fail-on, 130 stopped.
    """
    refuse_unlicensed("product-reader", commercial_only)
    from itertools import islice

    from app.messages import explain
    from models.errors import CatalogError
    from pipelines.catalog.formats.tables import check_suffix
    from pipelines.catalog.run.batch import find_state_path, read_pictures
    from pipelines.catalog.run.engines import Work
    from pipelines.catalog.run.inputs import read_inputs

    try:
        check_suffix(out)
        items = islice(read_inputs(inputs), limit)
        if dry_run:
            typer.echo(f"{sum(1 for _ in items):,} pictures; nothing was read or written")
            return
        refuse_earlier_run(out, find_state_path(out), resume, overwrite)

        from pipelines.catalog.extract.extractor import PIPELINE_VERSION, AttributeExtractor

        work = Work(AttributeExtractor, PIPELINE_VERSION, explain)
        with BatchReporter(log_json) as report:
            progress = read_pictures(
                items,
                out,
                work,
                workers=workers,
                ray=engine is Engine.RAY,
                dedupe=dedupe,
                report=report,
            )
    except CatalogError as error:
        raise typer.BadParameter(str(error)) from None
    except KeyboardInterrupt:
        typer.echo("Stopped; what was read is kept. Go on with --resume.", err=True)
        raise typer.Exit(130) from None
    print_summary(progress, out, fail_on, log_json)


@app.command()
def schema() -> None:
    """Print the JSON schema of a row."""
    from pipelines.catalog.formats.tables import make_json_schema

    typer.echo(json.dumps(make_json_schema(), indent=1))


@app.command()
def export(
    table: Annotated[Path, typer.Argument(help="What `mirra attributes` wrote.")],
    to: Annotated[Standard, typer.Option(help="schema.org, Google's feed or Shopify.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write.")],
) -> None:
    """Export a table to a shop's standards.

    schemaorg: JSON-LD, a ProductGroup a line. google-feed: a supplemental feed, tab-separated.
    shopify: JSON lines of category and metafields (taxonomy attribute 1614, cosmetic finish).
    """
    from models.errors import CatalogError
    from pipelines.catalog.formats.exports import EXPORTS, write_export
    from pipelines.catalog.formats.tables import read_rows

    try:
        count = write_export(EXPORTS[to.value](read_rows(table)), out)
    except CatalogError as error:
        raise typer.BadParameter(str(error)) from None
    typer.echo(f"{count:,} lines in {out}", err=True)


def refuse_earlier_run(out: Path, state: Path, resume: bool, overwrite: bool) -> None:
    """Refuse to guess what an earlier run of the same name is worth.

    Raises:
        typer.BadParameter: there is one, and neither --resume nor --overwrite was given; or both.
    """
    if resume and overwrite:
        raise typer.BadParameter("choose --resume or --overwrite, not both")
    if not out.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {out.parent}")
    if overwrite:
        state.unlink(missing_ok=True)
    elif state.exists() and not resume:
        raise typer.BadParameter(
            f"{state} is left from an earlier run: --resume goes on, --overwrite starts anew"
        )


class BatchReporter:
    """Tells how far a run is: a bar for people, or JSON lines for machines; on stderr."""

    def __init__(self, as_json: bool) -> None:
        from tqdm import tqdm

        self.as_json = as_json
        self.bar = tqdm(unit=" pictures", disable=as_json or not sys.stderr.isatty())

    def __enter__(self) -> Callable[[BatchProgress], None]:
        return self.report

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def report(self, progress: BatchProgress) -> None:
        """Show one more batch."""
        self.bar.update(progress.pictures - self.bar.n)
        if self.as_json:
            print_event("progress", progress)


def print_event(event: str, progress: BatchProgress) -> None:
    """Print a line of JSON on stderr, for machines."""
    from dataclasses import asdict

    typer.echo(json.dumps({"event": event, **asdict(progress)}), err=True)


def print_summary(progress: BatchProgress, out: Path, fail_on: float, log_json: bool) -> None:
    """Say how much was read; exit code 3 if too many pictures were bad."""
    if log_json:
        print_event("done", progress)
    else:
        kept = f" ({progress.kept:,} from an earlier run)" if progress.kept else ""
        bad = f", {progress.errors:,} of them bad" if progress.errors else ""
        typer.echo(
            f"{progress.pictures:,} pictures{kept}{bad}; {progress.rows:,} rows in {out}", err=True
        )
    if progress.errors > fail_on * progress.pictures:
        raise typer.Exit(3)
