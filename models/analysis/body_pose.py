"""Find a person and the points of their body, and where a try-on looks at them."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.errors import NoPersonError
from models.ops.one_euro import OneEuroFilter

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
# Where a person is looked for around a face, in face sides: to either side, above, below.
AROUND_FACE = (4.0, 1.5, 8.0)

# MediaPipe's point for each of OpenPose's 18; -1 is the neck, the middle of the shoulders.
OPENPOSE = (0, -1, 12, 14, 16, 11, 13, 15, 24, 26, 28, 23, 25, 27, 5, 2, 8, 7)


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


class BodyFinder:
    """MediaPipe's pose model; loaded at first use. One object may be shared by threads.

    Args:
        video: follow one person from picture to picture, smoothly, which is faster than to look
            anew.
    """

    def __init__(self, video: bool = False) -> None:
        self.video = video
        self._smooth = OneEuroFilter()
        self._lock = threading.Lock()
        self._pose: Any = None
        self._faces: Any = None

    def load(self) -> None:
        """Load the models now rather than with the first picture."""
        with self._lock:
            if self._pose is None:
                from mediapipe.python.solutions.face_detection import FaceDetection
                from mediapipe.python.solutions.pose import Pose

                self._faces = FaceDetection(model_selection=1)
                self._pose = Pose(static_image_mode=not self.video, model_complexity=1)

    def __call__(self, image: np.ndarray) -> Body:
        """Find the person in (H, W, 3) uint8, sRGB; the largest of several.

        Raises:
            NoPersonError: nobody, or shoulders that cannot be seen.
        """
        return self.find_all(image)[0]

    def find_all(self, image: np.ndarray) -> list[Body]:
        """Find the people in (H, W, 3) uint8, sRGB, the largest first; in a video only one.

        The pose model sees one person at a time, so where there are several faces it looks around
        each of them.

        Raises:
            NoPersonError: nobody, or shoulders that cannot be seen.
        """
        self.load()
        with self._lock:
            windows = [] if self.video else self._around_faces(image)
            found = [self._look(image, (0, 0, image.shape[1], image.shape[0]))]
            if len(windows) > 1:
                found += [self._look(image, window) for window in windows]
        bodies: list[Body] = []
        for body in sorted((b for b in found if b), key=_size, reverse=True):
            if _shoulders(body) >= SEEN and not any(_same(body, other) for other in bodies):
                bodies.append(body)
        if bodies:
            return bodies
        hidden = max((_shoulders(body) for body in found if body), default=None)
        if hidden is None:
            raise NoPersonError("no person found in the picture", found=0, needed=1)
        raise NoPersonError(
            "the shoulders of the person cannot be seen; try-on needs the upper body",
            found=round(hidden, 2),
            needed=SEEN,
        )

    def _look(self, image: np.ndarray, window_xyxy: tuple[int, int, int, int]) -> Body | None:
        x0, y0, x1, y1 = window_xyxy
        found = self._pose.process(np.ascontiguousarray(image[y0:y1, x0:x1])).pose_landmarks
        if found is None:
            return None
        points = np.array([(p.x, p.y) for p in found.landmark], np.float32)
        points *= np.array([x1 - x0, y1 - y0], np.float32)
        points += np.array([x0, y0], np.float32)
        if self.video:
            points = self._smooth(points, time.perf_counter())
        return Body(image, points, np.array([p.visibility for p in found.landmark], np.float32))

    def _around_faces(self, image: np.ndarray) -> list[tuple[int, int, int, int]]:
        height, width = image.shape[:2]
        beside, above, below = AROUND_FACE
        windows = []
        for face in self._faces.process(image).detections or []:
            box = face.location_data.relative_bounding_box
            side = max(box.width * width, box.height * height)
            x, y = (box.xmin + box.width / 2) * width, (box.ymin + box.height / 2) * height
            x0, x1 = int(max(0, x - beside * side)), int(min(width, x + beside * side))
            y0, y1 = int(max(0, y - above * side)), int(min(height, y + below * side))
            if x1 - x0 > 8 and y1 - y0 > 8:
                windows.append((x0, y0, x1, y1))
        return windows


def _shoulders(body: Body) -> float:
    return float(body.visibility[[L_SHOULDER, R_SHOULDER]].min())


def _size(body: Body) -> int:
    x0, _, x1, _ = body.crop_xyxy()
    return x1 - x0


def _same(a: Body, b: Body) -> bool:
    near = 0.12 * max(_size(a), _size(b))
    return float(np.linalg.norm(a.neck_xy - b.neck_xy)) < near
