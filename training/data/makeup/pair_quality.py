"""Which pairs are good enough to learn from: align, blend back, measure, judge.

An editor moves the face a little and repaints hair and background. Its picture is first laid over
the source by the landmarks of both, then only the face is taken from it. What is left wrong is
measured, and a pair that fails a limit is dropped with the reason.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from models import regions
from models.instant.layer import region_weights
from models.ops.color import delta_e, rgb_to_lab
from models.ops.masks import polygon
from models.structures import Face

"""Mesh points that makeup moves least."""


@dataclass(frozen=True)
class PairLimits:
    """What a pair must keep to.

    Attributes:
        identity: least cosine between the embeddings of both faces.
        drift: most mean movement of the mesh, in percent of the eye distance.
        outside: most mean change outside the face, in 8-bit code values.
        strength: least CIEDE2000 that lips, eyes or cheeks, whichever changed most, must change by.
    """

    identity: float = 0.7
    drift: float = 2.0
    outside: float = 1.0
    strength: float = 4.0


class Embed(Protocol):
    """From a face to a vector that tells who it is."""

    def __call__(self, face: Face) -> np.ndarray:
        """Unit vector of a face."""
        ...


class OnnxEmbedder:
    """A face recogniser of the ArcFace kind, such as mobilefacenet, from an ONNX file.

    Args:
        path: takes (1, 3, 112, 112) RGB in [-1, 1] of faces aligned to ArcFace's five points.
    """

    POINTS = (
        regions.IRIS_RIGHT,
        regions.IRIS_LEFT,
        regions.NOSE_TIP,
        regions.MOUTH_RIGHT,
        regions.MOUTH_LEFT,
    )
    TEMPLATE = (
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    )

    def __init__(self, path: Path) -> None:
        import onnxruntime

        self.session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def __call__(self, face: Face) -> np.ndarray:
        """Unit vector of a face."""
        return self.embed(face.image, face.points_xyz)

    def embed(self, image: np.ndarray, points_xyz: np.ndarray) -> np.ndarray:
        """Unit vector of the face whose mesh is known, in (H, W, 3) uint8."""
        points = points_xyz[list(self.POINTS), :2]
        matrix, _ = cv2.estimateAffinePartial2D(points, np.asarray(self.TEMPLATE, np.float32))
        crop = cv2.warpAffine(image, matrix, (112, 112), flags=cv2.INTER_AREA)
        batch = crop.astype(np.float32).transpose(2, 0, 1)[None] / 127.5 - 1
        vector = np.asarray(self.session.run(None, {self.input: batch})[0])[0]
        return vector / np.linalg.norm(vector)


def align_to_source(edited: Face, source: Face) -> np.ndarray:
    """The edited picture laid over the source: (H, W, 3) uint8 of the source's size.

    Least-squares affine map between the points of both meshes.
    """
    count = len(edited.points_xyz)
    ones = np.concatenate([edited.points_xyz[:, :2], np.ones((count, 1), np.float32)], axis=1)
    chosen = list(regions.RIGID)
    found, *_ = np.linalg.lstsq(ones[chosen], source.points_xyz[chosen, :2], rcond=None)
    height, width = source.size_hw
    return cv2.warpAffine(
        edited.image,
        found.T,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT,
    )


def blend_back(edited: np.ndarray, source: Face) -> np.ndarray:
    """The edited face in the source's picture; outside the face's outline, bit for bit the source.

    Args:
        edited: (H, W, 3) uint8, laid over the source.
        source: the face before.
    """
    outline = polygon(source.points_xyz[list(regions.FACE_OVAL), :2], source.size_hw)
    soft = 0.12 * source.eye_distance
    depth = cv2.distanceTransform((outline > 0.999).astype(np.uint8), cv2.DIST_L2, 5)
    share = np.clip(depth / soft, 0, 1)[..., None]
    mixed = source.image + share * (np.float32(edited) - source.image)
    return (mixed + 0.5).astype(np.uint8)


def measure_pair(source: Face, made: Face, embed: Embed | None = None) -> dict[str, float]:
    """How far a made-up face is from its source.

    Args:
        source: the bare face.
        made: the same face made up, in a picture of the same size.
        embed: tells who a face is; without it `identity` is not measured.

    Returns:
        `identity` (cosine), `drift` (%), `outside` (code values), `strength` (CIEDE2000).
    """
    moved = np.linalg.norm(made.points_xyz[:, :2] - source.points_xyz[:, :2], axis=1).mean()
    outline = polygon(source.points_xyz[list(regions.FACE_OVAL), :2], source.size_hw)
    change = np.abs(np.int16(made.image) - np.int16(source.image)).mean(-1)
    x0, y0, x1, y1 = source.box_xyxy
    before, after = (rgb_to_lab(f.image[y0:y1, x0:x1]) for f in (source, made))
    weights = region_weights(source)
    painted = [
        float(delta_e(np.median(before[w > 0.5], axis=0), np.median(after[w > 0.5], axis=0)))
        for w in (weights[r] for r in (regions.LIPS, regions.EYES, regions.CHEEKS))
        if (w > 0.5).any()
    ]
    found = {
        "drift": 100 * float(moved) / source.eye_distance,
        "outside": float(change[outline == 0].mean()) if (outline == 0).any() else 0.0,
        "strength": max(painted, default=0.0),
    }
    if embed is not None:
        found["identity"] = float(embed(source) @ embed(made))
    return {key: round(value, 3) for key, value in found.items()}


def find_fault(measures: dict[str, float], limits: PairLimits) -> str | None:
    """The first limit a pair fails, in words; None for a good pair."""
    if measures.get("identity", 1.0) < limits.identity:
        return "another person"
    if measures["drift"] > limits.drift:
        return "the face moved"
    if measures["outside"] > limits.outside:
        return "changed outside the face"
    if measures["strength"] < limits.strength:
        return "too little makeup"
    return None
