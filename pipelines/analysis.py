"""Look once, keep the result: faces and bodies in a picture."""

from __future__ import annotations

import numpy as np
from PIL import Image

from models.analysis.face_landmarks import FaceMesh
from models.ops.landmarks import canonical_face
from models.structures import Face


class FaceAnalyzer:
    """Finds every face in a picture.

    Analysing is the slow part of trying makeup on; keep the `Face` and try often.
    """

    def __init__(self) -> None:
        self._mesh = FaceMesh()

    def __call__(self, image: Image.Image) -> list[Face]:
        """Find the faces, the largest first; an empty list if there is none."""
        pixels = np.ascontiguousarray(image.convert("RGB"))
        return [_face(pixels, points) for points in self._mesh.find(pixels)]


def _face(pixels: np.ndarray, points: np.ndarray) -> Face:
    height, width = pixels.shape[:2]
    low, high = np.floor(points[:, :2].min(0)) - 2, np.ceil(points[:, :2].max(0)) + 3
    box = (
        int(np.clip(low[0], 0, width)), int(np.clip(low[1], 0, height)),
        int(np.clip(high[0], 0, width)), int(np.clip(high[1], 0, height)),
    )  # fmt: skip
    yaw, pitch, roll = head_pose(points)
    return Face(pixels, points, box, yaw, pitch, roll)


def head_pose(points_xyz: np.ndarray) -> tuple[float, float, float]:
    """Yaw, pitch and roll in degrees: the rotation that best turns the median face to this one.

    Least-squares rotation between the two point sets (Kabsch, 1976).
    """
    frontal = canonical_face().points_xyz
    found = np.float64(points_xyz[: len(frontal)])
    u, _, vt = np.linalg.svd((frontal - frontal.mean(0)).T @ (found - found.mean(0)))
    flip = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u @ flip @ vt).T
    yaw = np.degrees(np.arctan2(-rotation[0, 2], rotation[2, 2]))
    pitch = np.degrees(np.arcsin(np.clip(rotation[1, 2], -1, 1)))
    roll = np.degrees(np.arctan2(rotation[1, 0], rotation[1, 1]))
    return float(yaw), float(pitch), float(roll)
