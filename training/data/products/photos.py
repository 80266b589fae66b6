"""Real product photographs, of which only the tuning half is ever read for training.

`photos.json` lists the halves by id and the kind of each picture, judged by eye; and of the
tuning half the finish where an eye is sure of it. The sets state no licence or are for research
only: pictures stay where they are.
"""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np

from models.attributes.crops import crop_shade, letterbox
from models.attributes.finding import find_shades
from models.attributes.networks import ShadeFinder
from models.attributes.vocabulary import FINISHES, KINDS
from pipelines.images.decode import decode
from training.data.products.finish_data import AXIS_SCALES, FinishData, measure_in_shops
from training.data.products.scene_data import BARE, COLORED, KIND_ONLY, SceneStore

SPLIT = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
FACES, ROOMS = 60, 40
"""How many faces without products and how many garments at home join the tuning half."""


def read_members(tar: Path, most: int | None = None) -> dict[str, bytes]:
    """Files of a tar by name; evenly spread ones when there are more than `most`."""
    with tarfile.open(tar) as archive:
        members = [member for member in archive if member.isfile()]
        step = 1 if most is None else max(1, len(members) // most)
        streams = ((m.name, archive.extractfile(m)) for m in members[::step][:most])
        return {name: stream.read() for name, stream in streams if stream is not None}


def read_labels(files: dict[str, bytes]) -> list[dict[str, Any]]:
    """The lines of `labels.jsonl`."""
    return [json.loads(line) for line in files["labels.jsonl"].decode().splitlines()]


def read_photos(data: Path, size: int = 256) -> SceneStore:
    """Read the tuning half.

    Args:
        data: folder with products/, makeup/ and garments/.
        size: side of the squares the pictures are scaled into.
    """
    rows: list[tuple[bytes, str, int, Any]] = []
    files = read_members(data / "products" / "lip-and-cheek.tar")
    kinds = SPLIT["lip-and-cheek"]["tune"]
    for label in read_labels(files):
        if label["id"] in kinds:
            rows.append((files[label["image"]], kinds[label["id"]], COLORED, label["lab"]))
    files = read_members(data / "products" / "palettes-unlabelled.tar")
    for name, kind in SPLIT["palettes-unlabelled"]["tune"].items():
        known = KIND_ONLY if kind == "palette" else BARE
        rows.append((files[f"{name}.jpg"], kind, known, None))
    for picture in read_members(data / "makeup" / "looks-256.tar", FACES).values():
        rows.append((picture, "on_model", BARE, None))
    for picture in read_members(data / "garments" / "home-photos.tar", ROOMS).values():
        rows.append((picture, "packaging", BARE, None))
    pixels = [letterbox(np.asarray(decode(picture)), size)[0] for picture, *_ in rows]
    colors = [np.full(3, np.nan) if lab is None else np.array(lab) for *_, lab in rows]
    return SceneStore(
        np.stack(pixels),
        np.zeros((len(rows), size, size), np.uint8),
        np.array(colors, np.float32)[:, None],
        np.array([KINDS.index(kind) for _, kind, *_ in rows]),
        np.array([known for *_, known, _ in rows], np.uint8),
    )


def read_shades(data: Path, finder: ShadeFinder, pan_finder: ShadeFinder) -> FinishData:
    """Cut the largest shades out of the tuning half; most of their finishes nobody knows.

    Args:
        data: folder with products/.
        finder: see `find_shades`.
        pan_finder: likewise.
    """
    shades, finishes = [], []
    for tar, most in (("lip-and-cheek", 1), ("palettes-unlabelled", 4)):
        files = read_members(data / "products" / f"{tar}.tar")
        for name in SPLIT[tar]["tune"]:
            (file,) = [file for file in files if Path(file).stem == name]
            pixels = np.asarray(decode(files[file]))
            regions = find_shades(finder, pan_finder, pixels).regions
            for region in sorted(regions, key=lambda region: -region.area)[:most]:
                shades.append(crop_shade(pixels, region.mask, region.bbox_xyxy))
                known = SPLIT["finishes"].get(name) if most == 1 else None
                finishes.append(-1 if known is None else FINISHES.index(known))
    unknown = np.full((len(shades), len(AXIS_SCALES)), np.nan, np.float32)
    return FinishData(measure_in_shops(shades, seed=0), np.array(finishes), unknown)
