"""Every pipeline Mirra has, as a literal table; the command line, page and README read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One pipeline.

    Attributes:
        name: what `mirra models` calls it.
        task: "makeup" or "tryon".
        path: module and class.
        weights: folders below `assets/weights` that it reads.
        licence: of code and weights together: what a user must observe.
        commercial: whether weights and data allow commercial use.
        needs: hardware, in words.
        paper: where the method is from.
    """

    name: str
    task: str
    path: str
    weights: tuple[str, ...]
    licence: str
    commercial: bool
    needs: str
    paper: str


REGISTRY: tuple[Entry, ...] = (
    Entry(
        name="instant",
        task="makeup",
        path="pipelines.makeup.pipeline_instant:InstantMakeupPipeline",
        weights=("face-mesh", "face-parser"),
        licence="code Apache-2.0; face parser trained on research data, non-commercial",
        commercial=False,
        needs="any CPU, 1 GB of memory",
        paper="our own",
    ),
)
