"""Measure the face parser on pictures kept apart: plain, by skin tone, and disguised.

python -m training.evaluation.face_parsing --weights assets/weights/face-parser --cache CACHE \
        --report assets/weights/face-parser/evaluation.json
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch

from models import seeding
from models.analysis.face_parsing import CLASSES, SKIN, FaceParser
from models.ops.color import ITA_BANDS, individual_typology_angle, skin_tone_band
from pipelines.files import write_json
from training.data.faces.batches import FaceData
from training.data.faces.store import FaceStore
from training.metrics import confusion, intersection_over_union


@dataclass(frozen=True)
class FaceParsingArguments:
    """What to measure: weights, the cache of `training.prepare.face_labels`, where to write."""

    weights: Path
    cache: Path
    report: Path
    seed: int = 0


@torch.inference_mode()
def evaluate(arguments: FaceParsingArguments) -> dict[str, object]:
    """Return the IoU of each class over the validation pictures.

    Only pixels of whose label the teachers are sure (weight above 0.5) count. The top level is for
    each picture disguised once; `plain` is for the pictures as they are, and
    `london_by_skin_tone` the same for the evenly lit London portraits, by ITA band of the median
    colour of the labelled skin inside the mesh (uncalibrated, so an estimate).
    """
    parser = FaceParser.from_pretrained(arguments.weights).float().eval()
    data = FaceData(FaceStore.load(arguments.cache), "validation", full_views=(1, 1))
    generator = seeding.generator_for(arguments.seed, "evaluation")
    disguised = _make_tally()
    for some in torch.arange(len(data)).split(16):
        disguised += _count(parser, data.batch(some, generator))
    plain: torch.Tensor = _make_tally()
    tones: dict[str, tuple[int, torch.Tensor]] = {}
    for index in data.indices:
        batch = data.batch_unchanged(int(index))
        counts = _count(parser, batch)
        plain += counts
        if data.store.names[index].startswith("london"):
            band = _estimate_tone(batch)
            pictures, before = tones.get(band, (0, _make_tally()))
            tones[band] = (pictures + 1, before + counts)
    disguised_scores: dict[str, object] = dict(_score(disguised, len(data)))
    return disguised_scores | {
        "plain": _score(plain, len(data.indices)),
        "london_by_skin_tone": {
            band: _score(tones[band][1], tones[band][0]) for _, band in ITA_BANDS if band in tones
        },
    }


def _make_tally() -> torch.Tensor:
    return torch.zeros(len(CLASSES), len(CLASSES), dtype=torch.int64)


def _count(parser: FaceParser, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    truth = batch["target"].argmax(1)
    truth[batch["weight"] < 0.5] = -1
    return confusion(parser(batch["crops"]).argmax(1), truth, len(CLASSES))


def _score(counts: torch.Tensor, pictures: int) -> dict[str, float]:
    scores = intersection_over_union(counts)
    by_class = {name: round(float(scores[i]), 4) for i, name in enumerate(CLASSES)}
    return by_class | {"mean": round(float(scores.mean()), 4), "pictures": pictures}


def _estimate_tone(batch: dict[str, torch.Tensor]) -> str:
    """ITA band of one picture's labelled skin inside the mesh."""
    crop = batch["crops"][0].permute(1, 2, 0).numpy()
    sure = (batch["target"][0, SKIN] * batch["weight"][0] > 0.9).numpy() & (crop[..., 3] > 0.9)
    lab = cv2.cvtColor(np.ascontiguousarray((crop[..., :3] + 1) / 2), cv2.COLOR_RGB2Lab)
    return skin_tone_band(individual_typology_angle(np.median(lab[sure], axis=0)))


def main(arguments: FaceParsingArguments) -> None:
    """Measure and write the report."""
    scores = evaluate(arguments)
    write_json(scores, arguments.report)


if __name__ == "__main__":
    import tyro

    main(tyro.cli(FaceParsingArguments))
