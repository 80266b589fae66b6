"""How near a tiny net comes to the instant pipeline it was distilled from.

Both put the same look on the same face. Colours are compared in CIEDE2000 within the region that
each pixel's makeup belongs to, `painted` where the teacher changes the colour by more than 2.
`untouched` is the distance from the bare face to the teacher's picture: what a net that does
nothing would have. `outside` is the largest change of a pixel, in 8-bit code values, where no
region lies.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from models.instant.layer import region_weights
from models.ops.color import delta_e, rgb_to_lab
from models.structures import Face
from pipelines.images.decode import decode
from pipelines.makeup.named_looks import find_look
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
from pipelines.makeup.pipeline_tiny_beauty import TINY_LOOKS, TinyBeautyPipeline
from training.evaluation.figures import summarize

PAINTED = 2.0
"""CIEDE2000 from which on a pixel counts as painted by the teacher."""


def evaluate(pictures: list[Path], sheets: Path | None = None) -> dict[str, Any]:
    """Put every look that has a net on the largest face of every picture.

    Args:
        pictures: of faces the nets were not trained on.
        sheets: folder for bare, taught and learned faces side by side; None writes none.

    Returns:
        look -> figures, each with mean and spread over the pictures.
    """
    tiny = TinyBeautyPipeline()
    teacher = InstantMakeupPipeline(tiny.analyzer)
    found: dict[str, dict[str, list[float]]] = {n: defaultdict(list) for n in TINY_LOOKS}
    for path in tqdm(pictures, unit="picture"):
        faces = tiny.find_faces(decode(path))[:1]
        for name in TINY_LOOKS:
            look = find_look(name)
            taught = np.asarray(teacher.blend(teacher.wear(faces, look)))
            learned = np.asarray(tiny.blend(tiny.wear(faces, look)))
            for key, value in compare(faces[0], taught, learned).items():
                found[name][key].append(value)
            if sheets is not None:
                _write_sheet(sheets / f"{path.stem}-{name}.png", faces[0], taught, learned)
    return {
        name: {key: summarize(values) for key, values in figures.items()}
        for name, figures in found.items()
    }


def format_summary(figures: dict[str, Any]) -> str:
    """Say in a few lines how near each look and region comes."""
    lines: list[str] = []
    for look, found in figures.items():
        lines.append(f"{look}, median CIEDE2000 to the teacher (bare face to the teacher):")
        for region in (key for key in found if f"{key}_untouched" in found):
            before, after = (found[f"{region}{end}"]["median"] for end in ("_untouched", ""))
            lines.append(f"  {region:<8} {after:.2f} ({before:.2f})")
    return "\n".join(lines)


def compare(face: Face, taught: np.ndarray, learned: np.ndarray) -> dict[str, float]:
    """Return the distances of two made-up pictures of one face; see the module."""
    x0, y0, x1, y1 = face.box_xyxy
    bare, target, result = (
        rgb_to_lab(picture[y0:y1, x0:x1]) for picture in (face.image, taught, learned)
    )
    untouched, error = delta_e(bare, target), delta_e(result, target)
    areas = region_weights(face)
    painted = (untouched > PAINTED).astype(np.float32)
    figures: dict[str, float] = {}
    for region, weight in {**areas, "painted": painted}.items():
        total = float(weight.sum())
        if total > 0:
            figures[region] = float((error * weight).sum()) / total
            figures[f"{region}_untouched"] = float((untouched * weight).sum()) / total
    outside = np.ones(face.size_hw, bool)
    outside[y0:y1, x0:x1] = np.sum(list(areas.values()), axis=0) == 0
    changed = np.abs(learned.astype(np.int16) - face.image).max(2)
    return figures | {"outside": float(changed[outside].max(initial=0))}


def _write_sheet(path: Path, face: Face, *pictures: np.ndarray) -> None:
    x0, y0, x1, y1 = face.box_xyxy
    parts = [picture[y0:y1, x0:x1] for picture in (face.image, *pictures)]
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.concatenate(parts, 1)).save(path)
