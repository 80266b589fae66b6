"""Contact sheets of makeup codes, to be judged by eye; faces are shown unfolded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial.distance import cdist

from models.beautybank.drawing import draw_code, made_up, read_code, removal
from models.beautybank.networks import BeautyBank
from models.beautybank.patches import MAP_SIZE
from models.ops.color import lab_to_rgb
from training.data.faces.textures import FaceTextures
from training.evaluation.code_rebuilding import (
    TrueMakeup,
    choose_evenly,
    choose_held_out_looks,
    draw_looks,
    read_photographs,
    tune_in_stages,
)

_NEIGHBOURS = 5
_SAME_RUN = 6  # so near by number, two photographs may be of one session


def write_sheets(
    network: BeautyBank, faces: FaceTextures, wearers: list[int], folder: Path, seed: int
) -> None:
    """Write `neighbours.png`, `removal.png` and `rebuild.png`.

    They show real people: keep them out of the repository.

    Args:
        network: in eval mode.
        faces: the cache; only its validation part is shown.
        wearers: bare faces for drawn looks.
        folder: is made.
        seed: of drawn looks.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _save(find_neighbours(network, faces), folder / "neighbours.png")
    shown = [
        *read_photographs(network, faces, 8),
        *draw_looks(faces, wearers, 6, np.random.default_rng(seed)),
    ]
    removed = [[w.texture.lab, w.texture.lab + removal(network, w.texture)] for w in shown]
    _save(_turn(removed), folder / "removal.png")
    _save(_turn([_rebuild(network, truth) for truth in shown]), folder / "rebuild.png")


def find_neighbours(network: BeautyBank, faces: FaceTextures) -> list[list[np.ndarray]]:
    """Rows: a photograph, then those with the nearest codes, none of its own session."""
    numbers = choose_held_out_looks(faces)
    vectors = np.stack([read_code(network, faces.read_face(k)).vector for k in numbers])
    distance = cdist(vectors, vectors)
    place = np.arange(len(numbers))
    distance[np.abs(place[:, None] - place[None]) <= _SAME_RUN] = np.inf
    rows = []
    for query in choose_evenly(list(place), 8):
        nearest = np.argsort(distance[query])[:_NEIGHBOURS]
        rows.append([faces.read_lab(numbers[k])[0] for k in (query, *nearest)])
    return rows


def _rebuild(network: BeautyBank, truth: TrueMakeup) -> list[np.ndarray]:
    """The face; the code on its bare self at each stage; the known or taken-off makeup on it."""
    codes = tune_in_stages(network, truth.texture).values()
    drawn = [made_up(truth.bare, draw_code(network, code, MAP_SIZE)) for code in codes]
    return [truth.texture.lab, *drawn, truth.made_up]


def _turn(columns: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    return [list(row) for row in zip(*columns, strict=True)]


def _save(rows: list[list[np.ndarray]], path: Path) -> None:
    picture = np.vstack([np.hstack(row) for row in rows]).clip([0, -110, -110], [100, 110, 110])
    pixels = np.rint(lab_to_rgb(np.asarray(picture, np.float32)) * 255).clip(0, 255)
    Image.fromarray(pixels.astype(np.uint8)).save(path)
