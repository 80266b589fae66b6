"""`mirra serve`: the page."""

from __future__ import annotations

from typing import Annotated

import typer

from app.licences import CommercialOnly


def run(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on.")] = None,
    commercial_only: CommercialOnly = False,
) -> None:
    """Open the page in a browser; by default on this machine only."""
    from app.main import serve
    from app.settings import Settings

    given = {"host": host, "port": port, "commercial_only": commercial_only or None}
    serve(Settings(**{key: value for key, value in given.items() if value is not None}))
