"""`mirra serve`: the page."""

from __future__ import annotations

from typing import Annotated

import typer


def run(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
) -> None:
    """Open the page in a browser; by default on this machine only."""
    from app.main import serve
    from app.settings import Settings

    given = {"host": host, "port": port}
    serve(Settings(**{key: value for key, value in given.items() if value is not None}))
