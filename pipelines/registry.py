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
        download: what is fetched and how much.
        remote: whether weights come from elsewhere; `mirra models` says what lacks.
    """

    name: str
    task: str
    path: str
    weights: tuple[str, ...]
    licence: str
    commercial: bool
    needs: str
    paper: str
    download: str = "nothing"
    remote: bool = False


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
        name="beautybank",
        task="makeup",
        path="pipelines.makeup.pipeline_beautybank:BeautyBankPipeline",
        weights=("face-mesh", "face-parser", "beautybank"),
        licence="code Apache-2.0; networks trained on research data, non-commercial",
        commercial=False,
        needs="any CPU, 1 GB of memory",
        paper="after BeautyBank, arXiv 2411.11231",
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
    Entry(
        name="flux-makeup",
        task="makeup",
        path="pipelines.makeup.pipeline_flux_makeup:FluxMakeupPipeline",
        weights=("face-mesh", "face-parser"),
        licence="code Apache-2.0; FLUX.1-Kontext-dev by Black Forest Labs, non-commercial",
        commercial=False,
        needs="a GPU: 40 GB, 24 GB with --offload model, less with --quantise nf4",
        paper="FLUX-Makeup, arXiv 2508.05069",
        download="FLUX.1-Kontext-dev 34 GB, FLUX-Makeup 1.5 GB",
        remote=True,
    ),
    Entry(
        name="mcvton",
        task="tryon",
        path="pipelines.tryon.pipeline_mcvton:MCVTONPipeline",
        weights=("human-parser",),
        licence="code Apache-2.0; FLUX.1-dev by Black Forest Labs, non-commercial; adapters of "
        "your own training, under their data's licence",
        commercial=False,
        needs="by calculation, a GPU of 40 GB, or of 16 GB with a 4-bit transformer",
        paper="MC-VTON, arXiv 2501.03630",
        download="FLUX.1-dev 24 GB (no text encoders); nobody published adapters",
        remote=True,
    ),
)


WEIGHTS = Path(__file__).resolve().parents[1] / "assets" / "weights"
"""Where the weights lie."""


def has_weights(name: str) -> bool:
    """Whether a folder of weights is on this machine."""
    return any((WEIGHTS / name).glob("*.safetensors"))


def is_ready(name: str) -> bool:
    """Whether all weights of a pipeline are on this machine; never of one that has remote ones."""
    (entry,) = (entry for entry in REGISTRY if entry.name == name)
    return not entry.remote and all(has_weights(weights) for weights in entry.weights)
