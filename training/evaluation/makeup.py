"""How good is the instant makeup? Measured on real people wearing real looks.

Every region is measured with polygons of mesh points in the picture itself, not with the
pipeline's own masks. Colours are medians. "Plain skin" is forehead, nose and chin; a *deviation*
is the median of a region minus that of the same picture's plain skin, both sides averaged.

`reached` is how much of the way from the source's deviation to the reference's the result went:

    reached = <d_result - d_source, d_reference - d_source> / |d_reference - d_source|^2

over pairs that have more than 4 units to go. Eyes are measured in L*a*b*. Cheeks are measured in
a*b*: their L* is the shape of the face and the light of the room, which must not be transferred.
`worn` is the plainer question, how much of the reference's deviation the result shows, whatever
the source had: <d_result, d_reference> / |d_reference|^2, in L*a*b* for both.
"""

from __future__ import annotations

import io
import json
import os
import platform
import tarfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from tqdm import tqdm

from models import regions
from models.ops.color import individual_typology_angle, skin_tone_band
from models.structures import Face
from pipelines.images.decode import decode
from pipelines.makeup.look import Look
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
from pipelines.makeup.report import draw_outline
from training.evaluation.figures import group_by_label, summarize
from training.evaluation.wearers import Colors, Wearer, fill_loops


def evaluate(
    data: Path, sources: int, references: int, seed: int, sheet: Path | None, columns: int
) -> dict[str, Any]:
    """Put looks on people and measure every pair.

    Args:
        data: folder that holds `makeup/london-faces.tar` and `makeup/looks-256.tar`.
        sources: how many people, evenly from the set.
        references: how many looks, drawn by `seed`.
        seed: of the draw.
        sheet: where to write a contact sheet of all people and the first `columns` looks.
        columns: see `sheet`.
    """
    people = read_pictures(data / "makeup" / "london-faces.tar", ".neutral.jpg")
    about = _read_records(data / "makeup" / "london-faces.tar")
    looks = read_pictures(data / "makeup" / "looks-256.tar", ".jpg")
    names = sorted(people)[:: max(1, len(people) // sources)][:sources]
    draw = np.random.default_rng(seed).permutation(len(looks))[:references]
    drawn = [sorted(looks)[i] for i in draw]

    pipeline = InstantMakeupPipeline()
    references_read, failures = [], []
    for name in tqdm(drawn, desc="reading looks"):
        picture = decode(looks[name])
        face = pipeline.find_faces(picture)[0]
        references_read.append(
            (pipeline.read_look(picture), Colors.measure(face, face.image), face)
        )
    pairs: dict[str, list[float]] = defaultdict(list)
    labels: list[tuple[str, str]] = []
    must_be_zero = defaultdict(int)
    rows = []
    for name in tqdm(names, desc="people"):
        picture = decode(people[name])
        faces = pipeline.find_faces(picture)
        wearer = Wearer(faces[0])
        band = skin_tone_band(individual_typology_angle(wearer.colors.plain))
        gender = about.get(name.split(".")[0], {}).get("face_gender", "unknown")
        row = [_cut_thumbnail(faces[0], faces[0].image)]
        for number, (look, reference, _) in enumerate(references_read):
            try:
                result, broken = _measure_wearing(pipeline, faces, wearer, look)
            except Exception as error:
                failures.append(f"{name} x {drawn[number]}: {error!r}")
                continue
            for rule, count in broken.items():
                must_be_zero[rule] += count
            for key, value in wearer.compare(result, reference, pipeline).items():
                pairs[key].append(value)
            labels.append((band, gender))
            if number < columns:
                row.append(_cut_thumbnail(faces[0], result))
        rows.append(np.hstack(row))
    if sheet:
        top = [np.full_like(rows[0][:, : rows[0].shape[0]], 255)]
        top += [_cut_thumbnail(face, face.image) for _, _, face in references_read[:columns]]
        Image.fromarray(np.vstack([np.hstack(top), *rows])).save(sheet)
    return {
        "pairs": len(names) * len(drawn),
        "failed": failures,
        "must_be_zero": dict(must_be_zero),
        "overall": {key: summarize(values) for key, values in pairs.items()},
        "by_skin_tone": group_by_label(pairs, [band for band, _ in labels]),
        "by_gender": group_by_label(pairs, [gender for _, gender in labels]),
        "seed": seed,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "threads": os.cpu_count(),
            "python": platform.python_version(),
        },
    }


def _measure_wearing(
    pipeline: InstantMakeupPipeline, faces: list[Face], wearer: Wearer, look: Look
) -> tuple[np.ndarray, dict[str, int]]:
    """The result at default strengths, and how many pixels broke each promise."""
    source = wearer.face.image
    layers = pipeline.wear(faces, look, faces=[0])
    result = np.asarray(pipeline.blend(layers))
    layer = layers.by_face[0]
    x0, y0, x1, y1 = layer.box_xyxy
    silent: dict[str, float] = dict.fromkeys(regions.MAKEUP_REGIONS, 0.0)
    lips_only = np.asarray(pipeline.blend(layers, strengths={**silent, "lips": 1.0}))
    allowed = np.zeros(source.shape[:2], bool)
    allowed[y0:y1, x0:x1] = layer.weights["lips"] > 0
    near = fill_loops(
        wearer.face, [regions.LIPS_OUTER], (), -round(0.06 * wearer.face.eye_distance)
    )
    off = np.asarray(pipeline.blend(layers, strength=0.0))
    none = np.asarray(pipeline.blend(layers, strengths=silent))

    def changed(picture: np.ndarray) -> np.ndarray:
        return (picture != source).any(-1)

    broken = {
        "outside_the_face": int((changed(result) & (draw_outline(wearer.face) == 0)).sum()),
        "at_strength_0": int(changed(off).sum()),
        "at_all_regions_0": int(changed(none).sum()),
        "lips_only_outside_their_mask": int((changed(lips_only) & ~allowed).sum()),
        "lips_only_far_from_the_lips": int((changed(lips_only) & ~near).sum()),
    }
    return result, broken


def read_pictures(tar: Path, ending: str) -> dict[str, bytes]:
    """Files of a tar whose names have this ending, by name."""
    with tarfile.open(tar) as archive:
        wanted = (m for m in archive if m.isfile() and m.name.endswith(ending))
        streams = ((m.name, archive.extractfile(m)) for m in wanted)
        return {name: stream.read() for name, stream in streams if stream is not None}


def _read_records(tar: Path) -> dict[str, dict[str, str]]:
    records = {}
    for name, data in read_pictures(tar, ".json").items():
        records[name.split(".")[0]] = json.load(io.BytesIO(data))
    return records


def _cut_thumbnail(face: Face, image: np.ndarray, side: int = 200) -> np.ndarray:
    x0, y0, x1, y1 = face.box_xyxy
    margin = (y1 - y0) // 8
    crop = image[max(0, y0 - margin) : y1 + margin, max(0, x0 - margin) : x1 + margin]
    return cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)


def format_summary(figures: dict[str, Any]) -> str:
    """The figures as a table for people."""
    lines = [f"{figures['pairs']} pairs, {len(figures['failed'])} failed"]
    lines += [f"{rule:<30} {count} pixels" for rule, count in figures["must_be_zero"].items()]
    lines.append(f"{'':<24}{'median':>9}{'p10':>9}{'p90':>9}{'tone gap':>10}")
    for key, spread in figures["overall"].items():
        gap = figures["by_skin_tone"]["gap"][key]
        numbers = [spread.get(name, float("nan")) for name in ("median", "p10", "p90")]
        lines.append(f"{key:<24}" + "".join(f"{n:>9.3f}" for n in numbers) + f"{gap:>10.3f}")
    return "\n".join(lines)
