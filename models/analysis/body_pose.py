"""Find a person and the points of their body, and where a try-on looks at them."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.errors import NoPersonError

# What the crops of VITON look like, as shares of their height (3:4, medians over the set): the
# neck's place, and the distance from neck to the middle of the hips.
NECK_ROW = 0.31
NECK_TO_HIP = 0.47
# Shoulder width there, for pictures that end above the hips.
SHOULDERS = 0.255
ASPECT = 0.75

# MediaPipe's points by name; its "left" is the person's.
NOSE, L_SHOULDER, R_SHOULDER, L_ELBOW, R_ELBOW, L_WRIST, R_WRIST, L_HIP, R_HIP = (
    0,
    11,
    12,
    13,
    14,
    15,
    16,
    23,
    24,
)
SEEN = 0.5


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


class BodyFinder:
    """MediaPipe's pose model; loaded at first use. One object may be shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pose: Any = None

    def __call__(self, image: np.ndarray) -> Body:
        """Find the person in (H, W, 3) uint8, sRGB.

        Raises:
            NoPersonError: nobody, or shoulders that cannot be seen.
        """
        with self._lock:
            if self._pose is None:
                from mediapipe.python.solutions.pose import Pose

                self._pose = Pose(static_image_mode=True, model_complexity=1)
            found = self._pose.process(image).pose_landmarks
        if found is None:
            raise NoPersonError("no person found in the picture", found=0, needed=1)
        size = np.array([image.shape[1], image.shape[0]], np.float32)
        points = np.array([(p.x, p.y) for p in found.landmark], np.float32) * size
        visibility = np.array([p.visibility for p in found.landmark], np.float32)
        shoulders = float(visibility[[L_SHOULDER, R_SHOULDER]].min())
        if shoulders < SEEN:
            raise NoPersonError(
                "the shoulders of the person cannot be seen; try-on needs the upper body",
                found=round(shoulders, 2),
                needed=SEEN,
            )
        return Body(image, points, visibility)
