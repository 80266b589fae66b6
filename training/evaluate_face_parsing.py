"""Measure the face parser on pictures kept apart, disguised with occluders and paint.

python -m training.evaluate_face_parsing --weights assets/weights/face-parser --cache CACHE \
        --report assets/weights/face-parser/evaluation.json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch

from models import seeding
from models.analysis.face_parsing import CLASSES, FaceParser
from training.data.faces import FaceData, FaceStore
from training.metrics import confusion, intersection_over_union


@dataclass(frozen=True)
class Arguments:
    """What to measure: weights, the cache of `training.data.face_labels`, where to write."""

    weights: Path
    cache: Path
    report: Path
    seed: int = 0


@torch.inference_mode()
def evaluate(arguments: Arguments) -> dict[str, float]:
    """Return the IoU of each class over the validation pictures, each disguised once.

    Only pixels of whose label the teachers are sure (weight above 0.5) count.
    """
    parser = FaceParser.from_pretrained(arguments.weights).float().eval()
    data = FaceData(FaceStore.load(arguments.cache), "validation", full_views=(1, 1))
    generator = seeding.generator_for(arguments.seed, "evaluation")
    counts = torch.zeros(len(CLASSES), len(CLASSES), dtype=torch.int64)
    for some in torch.arange(len(data)).split(16):
        batch = data.batch(some, generator)
        found = parser(batch["crops"]).argmax(1)
        truth = batch["target"].argmax(1)
        truth[batch["weight"] < 0.5] = -1
        counts += confusion(found, truth, len(CLASSES))
    scores = intersection_over_union(counts)
    by_class = {name: round(float(scores[i]), 4) for i, name in enumerate(CLASSES)}
    return by_class | {"mean": round(float(scores.mean()), 4), "pictures": len(data)}


def main(arguments: Arguments) -> None:
    """Measure and write the report."""
    scores = evaluate(arguments)
    arguments.report.write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    import tyro

    main(tyro.cli(Arguments))
