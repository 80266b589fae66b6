"""Real product photographs, of which only the tuning half is ever read for training.

`product_photos.json` lists the halves by id and the kind of each picture, judged by eye. The sets
state no licence or are for research only: pictures stay where they are.
"""

from __future__ import annotations

import json
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from models.attributes.crops import letterbox
from models.attributes.vocabulary import KINDS
from training.data.products import BARE, COLORED, KIND_ONLY, SceneStore

SPLIT = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
FACES, ROOMS = 60, 40
"""How many faces without products and how many garments at home join the tuning half."""


def read_members(tar: Path, most: int | None = None) -> dict[str, bytes]:
    """Files of a tar by name; evenly spread ones when there are more than `most`."""
    with tarfile.open(tar) as archive:
        members = [member for member in archive if member.isfile()]
        step = 1 if most is None else max(1, len(members) // most)
        return {
            member.name: archive.extractfile(member).read()  # type: ignore[union-attr]
            for member in members[::step][:most]
        }


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
    pixels = [
        letterbox(np.asarray(Image.open(BytesIO(picture)).convert("RGB")), size)[0]
        for picture, *_ in rows
    ]
    colors = [np.full(3, np.nan) if lab is None else np.array(lab) for *_, lab in rows]
    return SceneStore(
        np.stack(pixels),
        np.zeros((len(rows), size, size), np.uint8),
        np.array(colors, np.float32)[:, None],
        np.array([KINDS.index(kind) for _, kind, *_ in rows]),
        np.array([known for *_, known, _ in rows], np.uint8),
    )
