"""Look once, keep the result: faces in a picture."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from models.analysis.face_landmarks import FaceMesh
from models.ops.landmarks import canonical_face
from models.ops.masks import smoothstep
from models.structures import Face

if TYPE_CHECKING:
    from models.analysis.face_parsing import FaceParser

PARSER_WEIGHTS = Path(__file__).resolve().parents[1] / "assets" / "weights" / "face-parser"

# The parser's probability of skin is taken as none below the first and as certain above the second.
_SURE_OF_SKIN = (0.2, 0.6)

# An unsure detection counts when the parser sees this much skin on it: cloth does not pass.
_SKIN_OF_A_FACE = 0.35


class FaceAnalyzer:
    """Finds every face in a picture and where it shows skin.

    Analysing is the slow part of trying makeup on; keep the `Face` and try often. One object may
    be shared by threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._mesh: FaceMesh | None = None
        self._parser: FaceParser | None = None

    def load(self) -> None:
        """Load the models now rather than with the first picture."""
        with self._lock:
            if self._mesh is None:
                import torch

                from models.analysis.face_parsing import FaceParser

                parser = FaceParser.from_pretrained(PARSER_WEIGHTS).float().eval()
                parser.to(memory_format=torch.channels_last)  # twice as fast  # pyright: ignore
                self._parser = parser
                self._mesh = FaceMesh()

    def __call__(self, image: Image.Image) -> list[Face]:
        """Find the faces, the largest first; an empty list if there is none."""
        self.load()
        assert self._mesh is not None
        pixels = np.ascontiguousarray(image.convert("RGB"))
        faces = [self._face(pixels, points) for points in self._mesh.find(pixels)]
        if not faces:
            unsure = [
                self._face(pixels, points) for points in self._mesh.find(pixels, lenient=True)
            ]
            faces = [face for face in unsure if _shows_skin(face)]
        return faces

    def _face(self, pixels: np.ndarray, points: np.ndarray) -> Face:
        from models.analysis.face_parsing import SKIN, parse_face

        assert self._parser is not None
        height, width = pixels.shape[:2]
        low, high = np.floor(points[:, :2].min(0)) - 2, np.ceil(points[:, :2].max(0)) + 3
        box = (
            int(np.clip(low[0], 0, width - 1)),
            int(np.clip(low[1], 0, height - 1)),
            int(np.clip(high[0], 1, width)),
            int(np.clip(high[1], 1, height)),
        )
        skin = parse_face(self._parser, pixels, points[:, :2]).in_box(box)[SKIN]
        yaw, pitch, roll = head_pose(points)
        return Face(pixels, points, box, yaw, pitch, roll, smoothstep(*_SURE_OF_SKIN, skin))


def _shows_skin(face: Face) -> bool:
    return face.skin is not None and float(face.skin.mean()) >= _SKIN_OF_A_FACE


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
