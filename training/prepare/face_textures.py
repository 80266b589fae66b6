"""Unfold whole sets of faces into the canonical map: what BeautyBank trains on.

    mirra looks unfold DATA -o CACHE

DATA holds `makeup/london-faces.tar`, `makeup/mt-96.tar` and `makeup/looks-256.tar`. CACHE gets, for
N faces (`training.data.faces.textures.FaceTextures` reads it):

    textures.npy   (N, 192, 192, 4) uint8: sRGB, and how far a texel can be trusted
    names.json     where each came from: "london/001.neutral", "mt/bare/0123", "looks/smoky/0007"
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from models.beautybank.patches import MAP_SIZE
from models.instant.face_texture import unfold
from models.ops.color import lab_to_rgb
from pipelines.analysis import FaceAnalyzer
from pipelines.images.decode import decode

_SETS = {
    "london-faces.tar": ("london", 640),
    "mt-96.tar": ("mt", 384),
    "looks-256.tar": ("looks", 384),
}
"""Archive -> what its names begin with, and the height its pictures are looked at in pixels."""

_EDGE = 0.25  # tight crops are found better with an edge around them


def unfold_all(data: Path, out: Path, most: int = 1000) -> tuple[int, int]:
    """Write the cache; of each folder of a set at most `most` pictures, evenly chosen.

    Returns:
        How many faces were unfolded, and in how many pictures none was found.
    """
    analyzer = FaceAnalyzer()
    textures: list[np.ndarray] = []
    names: list[str] = []
    missed = 0
    for name, picture in tqdm(list(_read_pictures(data, most)), desc="faces"):
        faces = analyzer(picture)
        if not faces:
            missed += 1
            continue
        texture = unfold(faces[0], MAP_SIZE)
        channels = [lab_to_rgb(texture.lab), texture.seen[..., None]]
        textures.append(np.rint(np.concatenate(channels, -1) * 255).astype(np.uint8))
        names.append(name)
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "textures.npy", np.stack(textures))
    (out / "names.json").write_text(json.dumps(names))
    return len(names), missed


def _read_pictures(data: Path, most: int) -> Iterator[tuple[str, Image.Image]]:
    for archive, (prefix, height) in _SETS.items():
        with tarfile.open(data / "makeup" / archive) as tar:
            members = sorted(m.name for m in tar.getmembers() if m.name.endswith(".jpg"))
            folders = sorted({str(Path(name).parent) for name in members})
            for folder in folders:
                own = [name for name in members if str(Path(name).parent) == folder]
                for name in own[:: max(1, -(-len(own) // most))]:
                    file = tar.extractfile(name)
                    assert file is not None
                    picture = decode(file.read())
                    edge = round(_EDGE * max(picture.size)) if prefix == "mt" else 0
                    picture = ImageOps.expand(picture, edge, (128, 128, 128))
                    width = round(picture.width * height / picture.height)
                    yield (
                        f"{prefix}/{name.removesuffix('.jpg')}",
                        picture.resize((width, height), Image.Resampling.BICUBIC),
                    )
