"""Makeup on a moving face: one look, frame after frame."""

from __future__ import annotations

import time
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image

from models.instant.face_texture import unfold
from models.instant.layer import blend, render
from models.instant.makeup import Makeup
from pipelines.analysis import FaceAnalyzer
from pipelines.makeup.look import Look

TEXTURE_SIZE = 256  # half of a photograph's: a face in a video is small


class LiveMakeup:
    """Puts looks on the largest face of each frame. It follows one face: one object per visitor.

    Args:
        analyzer: made with `video=True`; a new one if None.
    """

    def __init__(self, analyzer: FaceAnalyzer | None = None) -> None:
        self.analyzer = analyzer or FaceAnalyzer(video=True)
        self._fitted: tuple[Look, Makeup] | None = None

    def __call__(self, frame: np.ndarray, look: Look) -> np.ndarray:
        """Put a look on (H, W, 3) uint8; without a face the frame comes back as it was."""
        faces = self.analyzer(Image.fromarray(frame))
        if not faces:
            return frame
        if self._fitted is None or self._fitted[0] is not look:
            self._fitted = look, resize_makeup(look.makeup, TEXTURE_SIZE)
        face = faces[0]
        layer = render(self._fitted[1], face, unfold(face, TEXTURE_SIZE))
        return blend(frame, layer, look.strengths, look.strength)


def resize_makeup(makeup: Makeup, size: int) -> Makeup:
    """The same look on maps of another size."""

    def fit(values: np.ndarray) -> np.ndarray:
        return cv2.resize(values, (size, size), interpolation=cv2.INTER_AREA)

    return replace(
        makeup,
        deviation=fit(makeup.deviation),
        cover=fit(makeup.cover),
        paint=fit(makeup.paint),
        opacity=fit(makeup.opacity),
    )


class FrameRate:
    """Frames per second over the last second or so."""

    def __init__(self) -> None:
        self._times: list[float] = []

    def tick(self) -> float:
        """Count a frame; returns the present rate, 0 before the second frame."""
        now = time.perf_counter()
        self._times = [t for t in self._times if now - t < 2.0] + [now]
        if len(self._times) < 2:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])
