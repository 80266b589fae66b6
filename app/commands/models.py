"""`mirra models`: what is installed, what it needs, and its licence."""

from __future__ import annotations

from pathlib import Path

import typer


def run() -> None:
    """List the pipelines, whether their weights are here, and what their licence allows."""
    from pipelines.registry import REGISTRY

    weights = Path(__file__).resolve().parents[2] / "assets" / "weights"
    for entry in REGISTRY:
        here = all((weights / name).is_dir() for name in entry.weights)
        typer.echo(f"{entry.name} ({entry.task}): {'ready' if here else 'weights missing'}")
        typer.echo(f"  needs    {entry.needs}")
        typer.echo(f"  licence  {entry.licence}")
        typer.echo(f"  commercial use  {'yes' if entry.commercial else 'no'}")
