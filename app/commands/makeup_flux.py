"""`mirra makeup --pipeline flux-makeup`: painted by FLUX, where there is one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from pipelines.steps import Progress


@dataclass(frozen=True)
class FluxOptions:
    """What only the painting pipeline takes; None where nothing was said."""

    seed: int | None
    size: int | None
    offload: str | None
    quantise: str | None
    model: str | None
    student: Path | None
    negative: str | None

    def refuse(self) -> None:
        """Refuse options that the instant pipeline has no use for."""
        for name, value in vars(self).items():
            if value is not None:
                raise typer.BadParameter(f"--{name} is for --pipeline flux-makeup")


def paint(
    jobs: list[tuple[Path, str, Path]],
    strengths: Mapping[str, float],
    strength: float | None,
    options: FluxOptions,
) -> list[tuple[Path, str]]:
    """Paint every job; returns the pictures that could not be used, each with its sentence.

    Args:
        jobs: source, reference photograph and result of each.
        strengths: region -> 0..1, those asked for.
        strength: overall.
        options: see `FluxOptions`.

    Raises:
        WeightsError: the pipeline cannot be loaded here.
    """
    from app.messages import explain
    from models.errors import MirraError, WeightsError
    from pipelines.flux import Loading, in_a_sentence, load_flux_makeup, where_flux_is
    from pipelines.images import decode, encode, write_bytes

    how: dict[str, Any] = {"offload": options.offload, "quantise": options.quantise}
    given = {name: value for name, value in how.items() if value is not None}
    base = options.model or where_flux_is()
    pipe = load_flux_makeup(
        base,
        adapter=os.environ.get("MIRRA_REFLORA", "qihoo360/FLUX-Makeup"),
        how=Loading(**given),
        student=options.student,
    )
    failures: list[tuple[Path, str]] = []
    for source, reference, target in jobs:
        try:
            with in_a_sentence(base):
                result = pipe(
                    decode(source),
                    decode(reference),
                    strengths=strengths,
                    strength=1.0 if strength is None else strength,
                    seed=options.seed,
                    size=options.size,
                    negative_prompt=options.negative,
                    on_step=tell,
                )
            write_bytes(encode(result.images[0], target.suffix[1:].lower()), target)
            typer.echo(f"{target}  seed {result.seeds[0]}")
        except WeightsError:
            raise
        except (MirraError, OSError) as error:
            failures.append((source, explain(error)))
    return failures


def tell(progress: Progress) -> None:
    """Show on one line of stderr how far a picture is."""
    line = f"step {progress.step} of {progress.steps}, {progress.seconds_left:.0f} seconds left"
    typer.echo(f"\r{line:<50}", nl=progress.step == progress.steps, err=True)
