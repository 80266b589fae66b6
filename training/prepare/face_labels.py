"""Cut faces out of folders of photographs and let two teachers say what covers them.

    python -m training.prepare.face_labels --data DATA --garments TAR --teachers TEACHERS \
        --out CACHE

DATA holds `london-faces/`, `looks-256/{japanese,smoky}/` and `mt-96/{makeup,bare}/`. TEACHERS holds
`skin_clothes_hair_pan.onnx` (MIT) and MediaPipe's `hair_segmentation.tflite` (Apache-2.0). Needs
onnxruntime and ai-edge-litert, which nothing else in Mirra does. Where the teachers agree a pixel
has a label; where they do not, it has none. CACHE then holds, for N faces in squares of 224 pixels:

    pixels.npy   (N, 224, 224, 3) uint8 RGB
    labels.npy   (N, 224, 224) uint8: 0 skin, 1 hair, 2 other, 255 unknown
    hair.npy     (N, 224, 224) uint8: how much hair, 0..255, soft at the strands
    points.npy   (N, 478, 2) float32: mesh points in pixels of the square
    names.json   the picture each came from, relative to DATA
    objects.npy  (M, 192, 192, 3) uint8: things and rooms to draw occluders and backgrounds from
"""

from __future__ import annotations

import json
import logging
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import tyro

from models.analysis.face_parsing import HAIR, OTHER, SKIN, align_face, crop_face
from models.errors import ImageError
from pipelines.images.decode import decode
from training.data.faces.store import NOMINAL, STORE_SIZE, UNKNOWN

log = logging.getLogger(__name__)

_TEACHER_SIZE = 512
_FOLDERS = (
    "london-faces",
    "looks-256/japanese",
    "looks-256/smoky",
    "mt-96/makeup",
    "mt-96/bare",
)

Maps = Callable[[np.ndarray], dict[str, np.ndarray]]


def align_to_store(points_xy: np.ndarray, size: int = STORE_SIZE) -> np.ndarray:
    """Picture to stored square: the parser's alignment, with room around it to jitter."""
    zoom = NOMINAL / STORE_SIZE
    matrix = align_face(points_xy, size) * zoom
    matrix[:, 2] += (size - 1) / 2 * (1 - zoom)
    return matrix


def make_mesh_finder() -> Callable[[np.ndarray], np.ndarray | None]:
    """A function from an RGB picture to its first face's (478, 2) points in pixels, or None.

    Tight crops are found better with an edge around them and at a larger size.
    """
    import mediapipe as mp

    mesh = mp.solutions.face_mesh.FaceMesh(  # pyright: ignore
        static_image_mode=True, refine_landmarks=True, min_detection_confidence=0.3
    )

    def find(image: np.ndarray) -> np.ndarray | None:
        for share in (0.25, 0.0, 0.6):
            edge = round(max(image.shape[:2]) * share)
            padded = cv2.copyMakeBorder(
                image, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(128, 128, 128)
            )
            found = mesh.process(padded).multi_face_landmarks
            if found:
                height, width = padded.shape[:2]
                points = [(p.x * width - edge, p.y * height - edge) for p in found[0].landmark]
                return np.array(points, np.float32)
        return None

    return find


def load_teachers(folder: Path) -> Maps:
    """A function from a (512, 512, 3) uint8 square to soft maps `skin`, `hair_a`, `hair_b`."""
    import onnxruntime
    from ai_edge_litert.interpreter import Interpreter  # pyright: ignore

    pan = onnxruntime.InferenceSession(str(folder / "skin_clothes_hair_pan.onnx"))
    pan_input = pan.get_inputs()[0].name
    hair = Interpreter(str(folder / "hair_segmentation.tflite"), num_threads=2)
    hair.allocate_tensors()
    hair_input = hair.get_input_details()[0]["index"]
    hair_output = hair.get_output_details()[0]["index"]
    mean, spread = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])

    def maps(square: np.ndarray) -> dict[str, np.ndarray]:
        normal = ((square / 255.0 - mean) / spread).astype(np.float32)
        skin, _, hair_a = np.asarray(
            pan.run(None, {pan_input: normal.transpose(2, 0, 1)[None]})[0]
        )[0]
        with_past = np.zeros((1, *square.shape[:2], 4), np.float32)  # no mask of an earlier frame
        with_past[0, ..., :3] = square / 255.0
        hair.set_tensor(hair_input, with_past)
        hair.invoke()
        logits = hair.get_tensor(hair_output)[0]
        hair_b = 1 / (1 + np.exp(np.clip(logits[..., 0] - logits[..., 1], -30, 30)))
        return {"skin": skin, "hair_a": hair_a, "hair_b": hair_b}

    return maps


def label_where_teachers_agree(
    maps: dict[str, np.ndarray], oval: np.ndarray, inside: np.ndarray
) -> np.ndarray:
    """Labels where the teachers agree.

    The first teacher takes face paint for clothes or hair; well inside the mesh, where the second
    sees no hair, eyes, brows, lips, teeth and paint are all skin.

    Args:
        maps: `skin`, `hair_a`, `hair_b`, each (S, S) in 0..1.
        oval: (S, S) uint8, 255 inside the outline of the mesh.
        inside: (S, S) uint8, 255 inside the picture.

    Returns:
        (S, S) uint8: 0 skin, 1 hair, 2 other, 255 unknown.
    """
    skin, hair_a, hair_b = maps["skin"], maps["hair_a"], maps["hair_b"]
    size = oval.shape[0]
    core = cv2.erode(oval, np.ones((size // 14, size // 14), np.uint8)) > 127
    labels = np.full(oval.shape, UNKNOWN, np.uint8)
    labels[(skin < 0.25) & (hair_a < 0.25) & (hair_b < 0.25)] = OTHER
    labels[(skin > 0.6) & (hair_a < 0.4) & (hair_b < 0.4)] = SKIN
    labels[core & (hair_b < 0.3) & (hair_a < 0.6)] = SKIN
    labels[(hair_a > 0.55) & (hair_b > 0.5) & (skin < 0.5)] = HAIR
    edge = cv2.erode(inside, np.ones((size // 40, size // 40), np.uint8), borderValue=(255,))
    labels[edge < 128] = UNKNOWN
    return labels


def _label_faces(data: Path, teach: Maps) -> Iterator[dict[str, object]]:
    find = make_mesh_finder()
    for folder in _FOLDERS:
        for path in sorted((data / folder).glob("*.jpg")):
            try:
                image = np.array(decode(path))
            except ImageError as error:
                log.warning("%s: %s", path.name, error)
                continue
            if max(image.shape[:2]) < 200:
                image = cv2.resize(image, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
            points = find(image)
            if points is None:
                log.warning("no face: %s", path.name)
                continue
            crop = crop_face(image, points, _TEACHER_SIZE, align_to_store(points, _TEACHER_SIZE))
            maps = teach(crop.pixels)
            labels = label_where_teachers_agree(maps, crop.oval, crop.inside)
            square = (STORE_SIZE, STORE_SIZE)
            soft_hair = np.minimum(maps["hair_a"], maps["hair_b"]) * (crop.inside > 0)
            matrix = align_to_store(points)
            yield {
                "name": str(path.relative_to(data)),
                "pixels": cv2.resize(crop.pixels, square, interpolation=cv2.INTER_AREA),
                "labels": cv2.resize(labels, square, interpolation=cv2.INTER_NEAREST),
                "hair": cv2.resize(
                    (soft_hair * 255).astype(np.uint8), square, interpolation=cv2.INTER_AREA
                ),
                "points": (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32),
            }


def _read_objects(tar: Path, side: int = 192) -> Iterator[np.ndarray]:
    with tarfile.open(tar) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.name.endswith(".jpg") else None
            if stream is None:
                continue
            try:
                picture = np.array(decode(stream.read()))
            except ImageError as error:
                log.warning("%s: %s", member.name, error)
                continue
            yield cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)


def write_labels(data: Path, garments: Path, teachers: Path, out: Path) -> None:
    """Write the cache the parser is trained from.

    Args:
        data: folder of photographs, see above.
        garments: tar of JPEGs of things to draw occluders and backgrounds from.
        teachers: folder of the two networks.
        out: the cache.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    out.mkdir(parents=True, exist_ok=True)
    faces = list(_label_faces(data, load_teachers(teachers)))
    for key in ("pixels", "labels", "hair", "points"):
        np.save(out / f"{key}.npy", np.stack([np.asarray(face[key]) for face in faces]))
    np.save(out / "objects.npy", np.stack(list(_read_objects(garments))))
    names = [face["name"] for face in faces]
    (out / "names.json").write_text(json.dumps(names, indent=0), encoding="utf-8")
    log.info("%d faces in %s", len(faces), out)


if __name__ == "__main__":
    tyro.cli(write_labels, description=__doc__)
