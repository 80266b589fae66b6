"""What analysis finds in a picture. Plain frozen records; nothing here draws, saves or computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Face:
    """One face as the mesh sees it.

    Attributes:
        image: the whole picture the face is in, (H, W, 3) uint8, sRGB.
        points_xyz: the 478 points of MediaPipe's face mesh with irises, (478, 3) float32; x and y
            in pixels of `image`, z in the same scale, smaller towards the camera.
        box_xyxy: bounds of the points in whole pixels with a small margin, clipped to the picture.
        skin: float32 in 0..1 over `box_xyxy`, (h, w): where the picture shows this face's skin
            (lips, brows and painted skin count; hair, glasses and hands do not); None when nobody
            looked.
        yaw, pitch, roll: head pose in degrees; 0 looks into the camera. Yaw is positive when the
            face turns to the picture's right, pitch when it looks down, roll when the head tilts
            clockwise as seen in the picture.
    """

    image: np.ndarray
    points_xyz: np.ndarray
    box_xyxy: tuple[int, int, int, int]
    yaw: float
    pitch: float
    roll: float
    skin: np.ndarray | None = None

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width of the whole picture."""
        return self.image.shape[0], self.image.shape[1]

    @property
    def eye_distance(self) -> float:
        """Distance between the two iris centres in pixels."""
        return float(np.linalg.norm(self.points_xyz[468, :2] - self.points_xyz[473, :2]))
