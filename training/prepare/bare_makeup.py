"""Write the bare-makeup synthesis set: pictures of faces without and with makeup, and the looks.

    python -m training.prepare.bare_makeup --cache CACHE --out FOLDER --count 50000 --seed 7

writes `000000.png` ... (left bare, right made up, canonical maps) and `looks.jsonl`, and goes on
where an earlier call stopped. Training draws the same pairs on the fly; see
`training.data.makeup.bare_makeup`.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import tyro
from PIL import Image

from models import seeding
from models.ops.color import lab_to_rgb
from training.data.faces.store import Part
from training.data.faces.textures import FaceTextures
from training.data.makeup.bare_makeup import BareMakeup, draw_pair


def write_pairs(
    out: Path, cache: Path | None = None, count: int = 50_000, seed: int = 7, part: Part = "train"
) -> None:
    """Write pairs to a folder; go on where an earlier call stopped.

    Args:
        out: the folder.
        cache: from `mirra looks unfold`; else synthetic faces.
        count: how many pairs.
        seed: of looks, faces and light.
        part: which people and photographs.
    """
    cv2.setNumThreads(1)
    faces = (
        FaceTextures.load(cache)
        if cache
        else FaceTextures.synthetic(seeding.generator_for(seed, "faces"))
    )
    pairs = BareMakeup(faces, part)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "looks.jsonl").open("a", encoding="utf-8") as lines:
        for number in range(count):
            path = out / f"{number:06d}.png"
            if path.exists():
                continue
            look, pair = draw_pair(pairs, seed, number)
            sides = [lab_to_rgb(side) for side in (pair.lit, pair.made_up.lab)]
            picture = np.rint(np.hstack(sides) * 255).astype(np.uint8)
            Image.fromarray(picture).save(path)
            recipe = dataclasses.asdict(look.recipe) if look.recipe else None
            source = faces.names[look.photograph] if look.photograph is not None else None
            line = {"pair": number, "recipe": recipe, "photograph": source}
            lines.write(json.dumps(line) + "\n")


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and write."""
    tyro.cli(write_pairs, args=arguments, description=__doc__)


if __name__ == "__main__":
    main()
