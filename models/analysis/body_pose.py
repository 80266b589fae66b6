"""Find a person and the points of their body."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np

from models.errors import NoPersonError
from models.ops.one_euro import OneEuroFilter
from models.structures import L_SHOULDER, R_SHOULDER, SEEN, Body

# Where a person is looked for around a face, in face sides: to either side, above, below.
AROUND_FACE = (4.0, 1.5, 8.0)


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

        The pose model sees one person at a time, so where there are several faces it searches
        around each of them.

        Raises:
            NoPersonError: nobody, or shoulders that cannot be seen.
        """
        self.load()
        with self._lock:
            windows = [] if self.video else self._around_faces(image)
            found = [self._detect(image, (0, 0, image.shape[1], image.shape[0]))]
            if len(windows) > 1:
                found += [self._detect(image, window) for window in windows]
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

    def _detect(self, image: np.ndarray, window_xyxy: tuple[int, int, int, int]) -> Body | None:
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
