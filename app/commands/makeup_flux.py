"""`mirra makeup --pipeline flux-makeup`, where there is a FLUX, and `nano-flux`, anywhere."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast, get_args

import typer

from app.commands.flux_options import MakeupFluxOptions, show_progress
from app.commands.jobs import JobItem, Report

if TYPE_CHECKING:
    from PIL.Image import Image

    from pipelines.makeup.output import GeneratedMakeupOutput


class Painter(Protocol):
    """A painting pipeline that knows its options."""

    def __call__(
        self,
        source: Image,
        reference: Image,
        *,
        strengths: Mapping[str, float],
        strength: float,
    ) -> GeneratedMakeupOutput:
        """Paint the makeup of one photograph on the face of another."""
        ...


def paint(
    painter: Painter, strengths: Mapping[str, float], strength: float | None, item: JobItem
) -> Report:
    """Paint one result and print its seed.

    Args:
        painter: from `PAINTERS`.
        strengths: region -> 0..1, those asked for.
        strength: overall, 0..1.
        item: source, reference photograph and result.

    Raises:
        MirraError: a picture or the pipeline cannot be used.
    """
    from pipelines.files import write_bytes
    from pipelines.images.decode import decode
    from pipelines.images.encode import encode

    source, reference = decode(item.source), decode(item.reference)
    overall = 1.0 if strength is None else strength
    result = painter(source, reference, strengths=strengths, strength=overall)
    write_bytes(encode(result.images[0], item.target.suffix[1:].lower()), item.target)
    typer.echo(f"{item.target}  seed {result.seeds[0]}")
    return {"result": item.target.name, "seed": result.seeds[0]}


def load_flux(options: MakeupFluxOptions) -> Painter:
    """Load FLUX-Makeup.

    Raises:
        WeightsError: it cannot be loaded here.
    """
    from pipelines.flux import load_flux_makeup, locate_flux, translate_loading_errors

    base = options.model or locate_flux()
    pipe = load_flux_makeup(
        base,
        adapter=os.environ.get("MIRRA_REFLORA", "qihoo360/FLUX-Makeup"),
        how=options.loading(),
        student=options.student,
    )

    def painter(
        source: Image, reference: Image, *, strengths: Mapping[str, float], strength: float
    ) -> GeneratedMakeupOutput:
        with translate_loading_errors(base):
            return pipe(
                source,
                reference,
                strengths=strengths,
                strength=strength,
                seed=options.seed,
                size=options.size,
                negative_prompt=options.negative,
                on_step=show_progress,
            )

    return painter


def load_nano(options: MakeupFluxOptions) -> Painter:
    """Load the small FLUX that Mirra ships; `--model` is student or teacher."""
    from pipelines.makeup.pipeline_nano import NanoMakeupPipeline, NanoName

    options.refuse(known=("seed", "model"))
    network = options.model or "student"
    if network not in get_args(NanoName):
        raise typer.BadParameter("nano-flux takes --model student or --model teacher")
    pipe = NanoMakeupPipeline(cast(NanoName, network))
    return partial(pipe, seed=options.seed or 0)


PAINTERS: dict[str, Callable[[MakeupFluxOptions], Painter]] = {
    "flux-makeup": load_flux,
    "nano-flux": load_nano,
}
