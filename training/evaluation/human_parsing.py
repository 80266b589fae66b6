"""Measure the human parser on the validation split.

python -m training.evaluation.human_parsing --weights W/parser --data DATA/viton --cache CACHE \
    --report parsing.json
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file

from models.analysis.human_parsing import HumanParser, Part
from pipelines.files import write_json
from training.data.tryon.parsing import to_unit
from training.data.tryon.viton import open_split
from training.metrics import confusion, intersection_over_union


@dataclass(frozen=True)
class HumanParsingArguments:
    """What to measure."""

    weights: Path
    data: Path
    cache: Path
    report: Path
    size_hw: tuple[int, int] = (128, 96)


@torch.inference_mode()
def evaluate(arguments: HumanParsingArguments) -> dict[str, float]:
    """Return the IoU of each part that occurs, and their `mean`.

    Pixels whose part the labels do not know are left out.
    """
    parser = HumanParser()
    parser.load_state_dict(load_file(arguments.weights / "diffusion_pytorch_model.safetensors"))
    parser.float().eval().to(memory_format=torch.channels_last)  # pyright: ignore
    arrays, rows = open_split(arguments.data, arguments.cache, "validation", arguments.size_hw)
    counts = torch.zeros(len(Part), len(Part), dtype=torch.int64)
    for some in torch.from_numpy(rows).split(20):
        found = parser(to_unit(arrays.person[some.numpy()])).argmax(1)
        truth = torch.from_numpy(arrays.parts[some.numpy()].astype("int64"))
        counts += confusion(found, truth, len(Part))
    by_part = intersection_over_union(counts)
    scores = {
        part.name.lower(): round(float(by_part[part]), 4)
        for part in Part
        if not by_part[part].isnan()
    }
    return scores | {"mean": round(float(by_part.nanmean()), 4), "pictures": len(rows)}


def main(arguments: HumanParsingArguments) -> None:
    """Measure and write the report."""
    scores = evaluate(arguments)
    write_json(scores, arguments.report, indent=2)


if __name__ == "__main__":
    import tyro

    main(tyro.cli(HumanParsingArguments, description=__doc__))
