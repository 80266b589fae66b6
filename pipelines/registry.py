"""Every pipeline Mirra has, as a literal table; the command line, page and README read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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
    Entry(
        name="dmvton",
        task="tryon",
        path="pipelines.tryon.pipeline_dmvton:DMVTONPipeline",
        weights=("human-parser", "garment-cutter", "dmvton-student"),
        licence="code Apache-2.0; networks trained on VITON, research only",
        commercial=False,
        needs="any CPU, 1 GB of memory",
        paper="DM-VTON, arXiv 2308.13798",
    ),
)


WEIGHTS = Path(__file__).resolve().parents[1] / "assets" / "weights"
"""Where the weights lie."""


def has_weights(name: str) -> bool:
    """Whether a folder of weights is on this machine."""
    return any((WEIGHTS / name).glob("*.safetensors"))


def is_ready(name: str) -> bool:
    """Whether all weights of a pipeline are on this machine."""
    (entry,) = (entry for entry in REGISTRY if entry.name == name)
    return all(has_weights(weights) for weights in entry.weights)
