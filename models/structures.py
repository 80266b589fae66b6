"""What analysis finds in a picture. Plain frozen records; nothing here draws, saves or computes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.analysis.body_pose import Body


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


@dataclass(frozen=True)
class Person:
    """One person as try-on sees them.

    Attributes:
        body: the whole picture and the points of the body.
        box_xyxy: the 3:4 crop that try-on works on, whole pixels of the picture; may reach beyond.
        crop: that crop at the networks' size, (256, 192, 3) uint8.
        parts: probability of each `human_parsing.Part` in the crop, (11, 256, 192) float32.
        people: how many people the picture shows; this is the largest.
    """

    body: Body
    box_xyxy: tuple[int, int, int, int]
    crop: np.ndarray
    parts: np.ndarray
    people: int = 1

    @property
    def image(self) -> np.ndarray:
        """The whole picture, (H, W, 3) uint8, sRGB."""
        return self.body.image

    def share_of(self, *parts: int) -> np.ndarray:
        """Probability that a pixel of the crop is one of these parts, (256, 192) float32."""
        return self.parts[list(parts)].sum(0)
