"""VITON: read the tars in place, merge LIP's labels into ours, keep arrays at one size in a cache.

The set is for research only. Neither its pictures nor pictures made from them may leave the machine
they are trained on; the list of validation ids beside this file is all of it that is in the repo.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from models.errors import TrainingError
from pipelines.files import replacing
from pipelines.images.decode import decode
from training.data.tryon.viton_labels import fill_garment_mask, merge_labels

VALIDATION_IDS = Path(__file__).with_name("viton_validation_ids.txt")


@dataclass(frozen=True)
class Arrays:
    """One split of the set at one size; the arrays are mapped from files, not loaded.

    Attributes:
        ids: the sample's names.
        person: (N, H, W, 3) uint8, sRGB.
        garment: (N, H, W, 3) uint8, sRGB, flat on white.
        garment_mask: (N, H, W) uint8, 0 or 255, holes filled.
        parts: (N, H, W) uint8, `Part` or IGNORE.
        pose: (N, 18, 3) float32: x and y as shares of width and height, confidence; zeros where a
            point was not found.
    """

    ids: tuple[str, ...]
    person: np.ndarray
    garment: np.ndarray
    garment_mask: np.ndarray
    parts: np.ndarray
    pose: np.ndarray

    def __len__(self) -> int:
        return len(self.ids)


def read_tars(folder: Path) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield (id, {extension: bytes}) of every sample in the folder's tars, in order.

    Raises:
        TrainingError: there is no tar in the folder.
    """
    tars = sorted(folder.glob("*.tar"))
    if not tars:
        raise TrainingError(f"no .tar in {folder}", found=0, needed=1)
    for path in tars:
        with tarfile.open(path) as tar:
            sample: dict[str, bytes] = {}
            name = ""
            for member in tar:
                key, extension = member.name.split(".", 1)
                if key != name and sample:
                    yield name, sample
                    sample = {}
                name = key
                stream = tar.extractfile(member)
                if stream is not None:
                    sample[extension] = stream.read()
            if sample:
                yield name, sample


def read_validation_ids() -> frozenset[str]:
    """Return the ids that are never trained on; a hash of the id once chose them."""
    return frozenset(VALIDATION_IDS.read_text(encoding="utf-8").split())


def _decode_values(data: bytes) -> np.ndarray:
    """Labels or a mask as they are stored: a palette's numbers, not its colours."""
    with Image.open(BytesIO(data)) as image:
        return np.array(image)


def prepare(folder: Path, cache: Path, size_hw: tuple[int, int] = (256, 192)) -> Path:
    """Write the whole set as arrays of one size, once; later calls return at once.

    Args:
        folder: the tars.
        cache: where arrays are kept; about 0.9 GB at 128x96 and 3.3 GB at 256x192 (H x W).
        size_hw: height and width; pictures are averaged down, labels picked.

    Returns:
        The folder with `person.npy`, `garment.npy`, `garment_mask.npy`, `parts.npy`, `pose.npy`
        and `ids.txt`.
    """
    height, width = size_hw
    final = cache / f"viton-{height}x{width}"
    if final.is_dir():
        return final
    with replacing(final) as temporary:
        _write_arrays(folder, temporary, size_hw)
    return final


def _write_arrays(folder: Path, out: Path, size_hw: tuple[int, int]) -> None:
    height, width = size_hw
    out.mkdir(parents=True)
    ids = [name for name, _ in read_tars(folder)]
    shapes = {
        "person": (height, width, 3),
        "garment": (height, width, 3),
        "garment_mask": (height, width),
        "parts": (height, width),
    }
    arrays = {
        name: np.lib.format.open_memmap(
            out / f"{name}.npy", mode="w+", dtype=np.uint8, shape=(len(ids), *shape)
        )
        for name, shape in shapes.items()
    }
    poses = np.zeros((len(ids), 18, 3), np.float32)
    for i, (_, files) in enumerate(read_tars(folder)):
        person = np.array(decode(files["person.jpg"]))
        garment = np.array(decode(files["cloth.jpg"]))
        mask = cv2.imdecode(np.frombuffer(files["cloth_mask.png"], np.uint8), cv2.IMREAD_GRAYSCALE)
        points = json.loads(files["pose.json"])
        pose = np.array(points, np.float32).reshape(-1, 3) if points else np.zeros((18, 3))
        parts = merge_labels(person, _decode_values(files["parse.png"]), pose)
        mask = fill_garment_mask(garment, (mask > 127).astype(np.uint8) * 255)
        full_height, full_width = parts.shape
        shrink = {"dsize": (width, height), "interpolation": cv2.INTER_AREA}
        arrays["person"][i] = cv2.resize(person, **shrink)
        arrays["garment"][i] = cv2.resize(garment, **shrink)
        arrays["garment_mask"][i] = (cv2.resize(mask, **shrink) > 127) * 255
        arrays["parts"][i] = cv2.resize(parts, (width, height), interpolation=cv2.INTER_NEAREST)
        poses[i] = pose / np.array([full_width, full_height, 1], np.float32)
    for array in arrays.values():
        array.flush()
    np.save(out / "pose.npy", poses)
    (out / "ids.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")


def open_split(
    folder: Path, cache: Path, split: str, size_hw: tuple[int, int] = (256, 192)
) -> tuple[Arrays, np.ndarray]:
    """Return the set's arrays and the row numbers of one split.

    Args:
        folder: the tars.
        cache: see `prepare`.
        split: "train" or "validation".
        size_hw: height and width.

    Returns:
        The arrays of the whole set, and the rows of the split, (M,) int64.
    """
    where = prepare(folder, cache, size_hw)
    ids = tuple((where / "ids.txt").read_text(encoding="utf-8").split())
    held_out = read_validation_ids()
    wanted = [i for i, name in enumerate(ids) if (name in held_out) == (split == "validation")]
    names = ("person", "garment", "garment_mask", "parts", "pose")
    arrays = {name: np.load(where / f"{name}.npy", mmap_mode="r") for name in names}
    return Arrays(ids, **arrays), np.array(wanted, np.int64)
