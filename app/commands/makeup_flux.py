"""`mirra makeup --pipeline flux-makeup`, where there is a FLUX, and `nano-flux`, anywhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast, get_args

import typer

if TYPE_CHECKING:
    from pipelines.makeup.output import GeneratedMakeupOutput
    from pipelines.steps import Progress

Painter = Callable[..., "GeneratedMakeupOutput"]


@dataclass(frozen=True)
class FluxOptions:
    """What only painting pipelines take; None where nothing was said."""

    seed: int | None
    size: int | None
    offload: str | None
    quantise: str | None
    model: str | None
    student: Path | None
    negative: str | None

    def refuse(self, known: tuple[str, ...] = ()) -> None:
        """Refuse options that a pipeline has no use for, all but those it knows."""
        for name, value in vars(self).items():
            if value is not None and name not in known:
                raise typer.BadParameter(f"--{name} is for --pipeline flux-makeup")


def paint(
    jobs: list[tuple[Path, str, Path]],
    strengths: Mapping[str, float],
    strength: float | None,
    painter: Painter,
) -> list[tuple[Path, str]]:
    """Paint every job; returns the pictures that could not be used, each with its sentence.

    Args:
        jobs: source, reference photograph and result of each.
        strengths: region -> 0..1, those asked for.
        strength: overall.
        painter: from `flux` or `nano`.

    Raises:
        WeightsError: the pipeline cannot be used here.
    """
    from app.messages import explain
    from models.errors import MirraError, WeightsError
    from pipelines.files import write_bytes
    from pipelines.images.decode import decode
    from pipelines.images.encode import encode

    failures: list[tuple[Path, str]] = []
    for source, reference, target in jobs:
        try:
            result = painter(
                decode(source),
                decode(reference),
                strengths=strengths,
                strength=1.0 if strength is None else strength,
            )
            write_bytes(encode(result.images[0], target.suffix[1:].lower()), target)
            typer.echo(f"{target}  seed {result.seeds[0]}")
        except WeightsError:
            raise
        except (MirraError, OSError) as error:
            failures.append((source, explain(error)))
    return failures


def flux(options: FluxOptions) -> Painter:
    """FLUX-Makeup.

    Raises:
        WeightsError: it cannot be loaded here.
    """
    from pipelines.flux import Loading, load_flux_makeup, locate_flux, translate_loading_errors

    how: dict[str, Any] = {"offload": options.offload, "quantise": options.quantise}
    given = {name: value for name, value in how.items() if value is not None}
    base = options.model or locate_flux()
    pipe = load_flux_makeup(
        base,
        adapter=os.environ.get("MIRRA_REFLORA", "qihoo360/FLUX-Makeup"),
        how=Loading(**given),
        student=options.student,
    )
    asked = {"seed": options.seed, "size": options.size, "negative_prompt": options.negative}

    def painter(*pictures: Any, **told: Any) -> GeneratedMakeupOutput:
        with translate_loading_errors(base):
            return pipe(*pictures, **asked, on_step=tell, **told)

    return painter


def nano(options: FluxOptions) -> Painter:
    """The small one that Mirra ships; `--model` is student or teacher."""
    from pipelines.makeup.pipeline_nano import NanoMakeupPipeline, NanoName

    options.refuse(("seed", "model"))
    network = options.model or "student"
    if network not in get_args(NanoName):
        raise typer.BadParameter("nano-flux takes --model student or --model teacher")
    pipe = NanoMakeupPipeline(cast(NanoName, network))
    return partial(pipe, seed=options.seed or 0)


PAINTERS: dict[str, Callable[[FluxOptions], Painter]] = {"flux-makeup": flux, "nano-flux": nano}


def tell(progress: Progress) -> None:
    """Show on one line of stderr how far a picture is."""
    line = f"step {progress.step} of {progress.steps}, {progress.seconds_left:.0f} seconds left"
    typer.echo(f"\r{line:<50}", nl=progress.step == progress.steps, err=True)
