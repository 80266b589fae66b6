"""Finding faces and their 478 mesh points with MediaPipe.

MediaPipe is held at 0.10.21, the last release whose wheel carries its models. Everything Mirra
needs of it passes through `FaceMesh.find`, so that another backend replaces one file.
"""

from __future__ import annotations

import threading
import time

import numpy as np

from models.ops.one_euro import OneEuroFilter

# The mesh's own detector sees faces down to about a tenth of the picture's width. Smaller ones are
# found by the full-range detector and meshed on a crop of this many face widths.
CROP_FACES = 2.0

Box = tuple[float, float, float, float]


class FaceMesh:
    """MediaPipe's face mesh over a whole picture: every face, large or small.

    One object may be shared by threads; calls run one after another.

    Args:
        max_faces: the most faces to return.
        video: follow one face from picture to picture, smoothly, which is faster than to look anew.
    """

    def __init__(self, max_faces: int = 16, video: bool = False) -> None:
        from mediapipe.python.solutions.face_detection import FaceDetection
        from mediapipe.python.solutions.face_mesh import FaceMesh as Mesh

        self.max_faces = 1 if video else max_faces
        self._smooth = OneEuroFilter() if video else None
        self._lock = threading.Lock()
        self._sure, self._lenient = (
            Mesh(
                static_image_mode=not video,
                max_num_faces=self.max_faces,
                refine_landmarks=True,
                min_detection_confidence=confidence,
            )
            for confidence in (0.5, 0.3)
        )
        self._far = FaceDetection(model_selection=1, min_detection_confidence=0.5)

    def find(self, image: np.ndarray, *, lenient: bool = False) -> list[np.ndarray]:
        """Find the mesh of every face.

        Args:
            image: (H, W, 3) uint8, sRGB.
            lenient: accept what the detector is unsure of: tightly cropped faces, but now and then
                a fold of cloth as well.

        Returns:
            One (478, 3) float32 array per face, x and y in pixels of `image`, z in the same
            scale; the largest face first.
        """
        with self._lock:
            meshes = self._mesh_points(image, (0, 0), lenient)
            if self._smooth is not None:
                return [self._smooth(points, time.perf_counter()) for points in meshes]
            boxes = self._far_boxes(image, (0, 0))
            if not meshes and not boxes:
                boxes = [box for tile in _tiles(image) for box in self._far_boxes(*tile)]
            for box in boxes:
                if not any(_covers(points, box) for points in meshes):
                    x0, y0, x1, y1 = _grown(box, CROP_FACES, image.shape)
                    crop = np.ascontiguousarray(image[y0:y1, x0:x1])
                    meshes += [
                        points
                        for points in self._mesh_points(crop, (x0, y0), lenient)
                        if not any(_covers(known, _bounds(points)) for known in meshes)
                    ]
        meshes.sort(key=lambda points: -float(np.ptp(points[:, 0]) * np.ptp(points[:, 1])))
        return meshes[: self.max_faces]

    def _mesh_points(
        self, image: np.ndarray, offset_xy: tuple[int, int], lenient: bool
    ) -> list[np.ndarray]:
        height, width = image.shape[:2]
        mesh = self._lenient if lenient else self._sure
        found = getattr(mesh.process(image), "multi_face_landmarks", None) or []
        scale, offset = (
            np.asarray([width, height, width], np.float32),
            np.asarray([*offset_xy, 0], np.float32),
        )
        return [
            np.asarray([[p.x, p.y, p.z] for p in face.landmark], np.float32) * scale + offset
            for face in found
        ]

    def _far_boxes(self, image: np.ndarray, offset_xy: tuple[int, int]) -> list[Box]:
        height, width = image.shape[:2]
        x, y = offset_xy
        found = getattr(self._far.process(image), "detections", None) or []
        boxes = [detection.location_data.relative_bounding_box for detection in found]
        return [
            (
                x + b.xmin * width,
                y + b.ymin * height,
                x + (b.xmin + b.width) * width,
                y + (b.ymin + b.height) * height,
            )
            for b in boxes
        ]


def _tiles(image: np.ndarray) -> list[tuple[np.ndarray, tuple[int, int]]]:
    """Four overlapping quarters, each with its offset, of a picture worth looking closer at."""
    height, width = image.shape[:2]
    if min(height, width) < 480:
        return []
    tall, wide = int(0.6 * height), int(0.6 * width)
    corners = [(x, y) for y in (0, height - tall) for x in (0, width - wide)]
    return [(np.ascontiguousarray(image[y : y + tall, x : x + wide]), (x, y)) for x, y in corners]


def _bounds(points: np.ndarray) -> Box:
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _covers(points: np.ndarray, box: Box) -> bool:
    x0, y0, x1, y1 = _bounds(points)
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return x0 <= x <= x1 and y0 <= y <= y1


def _grown(box: Box, factor: float, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    half = factor * max(box[2] - box[0], box[3] - box[1]) / 2
    return (
        max(0, int(x - half)),
        max(0, int(y - half)),
        min(shape[1], int(x + half) + 1),
        min(shape[0], int(y + half) + 1),
    )
