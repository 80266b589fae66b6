"""What analysis finds in a picture. Plain frozen records; nothing here finds, draws or saves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.regions import IRIS_LEFT, IRIS_RIGHT

# What the crops of VITON look like, as shares of their height (3:4, medians over the set): the
# neck's place, and the distance from neck to the middle of the hips.
NECK_ROW = 0.31
NECK_TO_HIP = 0.47
# Shoulder width there, for pictures that end above the hips.
SHOULDERS = 0.255
ASPECT = 0.75

# MediaPipe's points by name; its "left" is the person's.
L_SHOULDER, R_SHOULDER, L_WRIST, R_WRIST, L_HIP, R_HIP = 11, 12, 15, 16, 23, 24
# A point is seen if its visibility is more.
SEEN = 0.5

# MediaPipe's point for each of OpenPose's 18; -1 is the neck, the middle of the shoulders.
OPENPOSE = (0, -1, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)


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
        right, left = self.points_xyz[IRIS_RIGHT, :2], self.points_xyz[IRIS_LEFT, :2]
        return float(np.linalg.norm(right - left))


@dataclass(frozen=True)
class Body:
    """One person as the pose model sees them.

    Attributes:
        image: the whole picture, (H, W, 3) uint8, sRGB.
        points_xy: MediaPipe's 33 points in pixels of `image`, (33, 2) float32.
        visibility: (33,) in [0, 1].
    """

    image: np.ndarray
    points_xy: np.ndarray
    visibility: np.ndarray

    @property
    def neck_xy(self) -> np.ndarray:
        """Middle of the shoulders, in pixels."""
        return (self.points_xy[L_SHOULDER] + self.points_xy[R_SHOULDER]) / 2

    @property
    def hips_seen(self) -> bool:
        """Whether both hips are within the picture."""
        inside = self.points_xy[[L_HIP, R_HIP], 1] < self.image.shape[0]
        return bool(inside.all() and (self.visibility[[L_HIP, R_HIP]] > SEEN).all())

    @property
    def arms_crossed(self) -> bool:
        """Whether each hand lies on the other's side of the chest."""
        if (self.visibility[[L_WRIST, R_WRIST]] < SEEN).any():
            return False
        across = self.points_xy[L_SHOULDER] - self.points_xy[R_SHOULDER]
        wrists = self.points_xy[[L_WRIST, R_WRIST]] - self.neck_xy
        left, right = wrists @ across / max(float(across @ across), 1.0)
        return bool(left < 0 < right)

    def openpose_in(self, box_xyxy: tuple[int, int, int, int]) -> np.ndarray:
        """Return OpenPose's 18 points as shares of a box, (18, 3): x, y, confidence.

        Points that are not seen, or lie outside the box or the picture, are zeros, as in VITON.
        """
        x0, y0, x1, y1 = box_xyxy
        points = np.concatenate([self.points_xy, self.neck_xy[None]])[list(OPENPOSE)]
        shoulders = self.visibility[[L_SHOULDER, R_SHOULDER]].min()
        confidence = np.append(self.visibility, shoulders)[list(OPENPOSE)]
        shares = (points - [x0, y0]) / [x1 - x0, y1 - y0]
        height, width = self.image.shape[:2]
        there = (confidence > SEEN) & ((points >= 0) & (points < [width, height])).all(1)
        there &= ((shares >= 0) & (shares < 1)).all(1)
        pose = np.concatenate([shares, confidence[:, None]], 1) * there[:, None]
        return pose.astype(np.float32)

    def crop_xyxy(self) -> tuple[int, int, int, int]:
        """Return the 3:4 box that shows this person as the training pictures show theirs.

        It may reach beyond the picture.
        """
        neck = self.neck_xy
        across = self.points_xy[L_SHOULDER] - self.points_xy[R_SHOULDER]
        height = float(np.linalg.norm(across)) / SHOULDERS
        if self.hips_seen:
            hips = (self.points_xy[L_HIP] + self.points_xy[R_HIP]) / 2
            # Shoulders narrow when a body turns; the longer measure is the truer one.
            height = max(float(np.linalg.norm(hips - neck)) / NECK_TO_HIP, 0.8 * height)
        height = max(height, 8.0)
        x0, y0 = neck[0] - ASPECT * height / 2, neck[1] - NECK_ROW * height
        return round(x0), round(y0), round(x0 + ASPECT * height), round(y0 + height)


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
