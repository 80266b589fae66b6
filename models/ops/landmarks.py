"""The canonical face: one flat, left-right symmetric map that every face's mesh unfolds into.

A texture in this map is "makeup without a face": texel (v, u) is the same place on everybody.
The map was made by `training/prepare/face_mesh.py`.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from safetensors.numpy import load_file
from scipy.sparse import csr_matrix

from models.regions import MESH_POINTS

MESH_FILE = (
    Path(__file__).resolve().parents[2] / "assets" / "weights" / "face-mesh"
) / "canonical.safetensors"


class CanonicalFace:
    """Mesh topology and the conversions between a picture and the canonical map.

    Attributes:
        points_uv: (468, 2) float32 in 0..1, u to the picture's right, v down.
        points_xyz: (468, 3) float32, the median frontal face in units of the iris distance.
        triangles: (898, 3) int32; the last 46 close the eyes and the mouth.
        mirror: (468,) int32, the point on the other side of the face.
    """

    def __init__(self) -> None:
        data = load_file(MESH_FILE)
        self.points_uv, self.points_xyz = data["points_uv"], data["points_xyz"]
        self.triangles, self.mirror = data["triangles"], data["mirror"]
        self._matrices: dict[int, tuple[csr_matrix, np.ndarray]] = {}

    def texels(self, size: int) -> tuple[csr_matrix, np.ndarray]:
        """Barycentric weights of each texel centre in the mesh points.

        Returns:
            A (size², 468) sparse matrix and the (size, size) bool mask of texels in the mesh.
        """
        if size not in self._matrices:
            self._matrices[size] = self._build_texels(size)
        return self._matrices[size]

    def _build_texels(self, size: int) -> tuple[csr_matrix, np.ndarray]:
        corners = self.points_uv * size - 0.5
        ids = triangle_ids(corners, self.triangles, (size, size), facing_only=False)
        inside = ids >= 0
        vs, us = np.nonzero(inside)
        chosen = self.triangles[ids[inside]]
        weights = _barycentric(np.stack([us, vs], 1).astype(np.float32), corners[chosen])
        rows = np.repeat(vs * size + us, 3)
        matrix = csr_matrix(
            (weights.ravel(), (rows, chosen.ravel())), (size * size, MESH_POINTS), np.float32
        )
        return matrix, inside

    def interpolate(self, values: np.ndarray, size: int) -> np.ndarray:
        """Spread per-point values, (468, C), over the map: (size, size, C) float32, 0 outside."""
        matrix, _ = self.texels(size)
        return (matrix @ np.asarray(values, np.float32)).reshape(size, size, -1)

    def picture_positions(self, points_xyz: np.ndarray, size: int) -> np.ndarray:
        """Where each texel lies in the picture: (size, size, 2) x, y in pixels; -9 outside."""
        positions = self.interpolate(points_xyz[:MESH_POINTS, :2], size)
        positions[~self.texels(size)[1]] = -9
        return positions

    def texture_positions(
        self, points_xyz: np.ndarray, box_xyxy: tuple[int, int, int, int], coarse: int = 320
    ) -> tuple[np.ndarray, np.ndarray]:
        """Where each pixel of a box of the picture lies in the map.

        Positions are found on a grid of at most `coarse` pixels a side and interpolated, which is
        exact inside a triangle because the map is affine there.

        Returns:
            (h, w, 2) float32 u, v in 0..1 and the (h, w) float32 coverage, 1 inside the mesh.
        """
        x0, y0, x1, y1 = box_xyxy
        height, width = y1 - y0, x1 - x0
        step = max(1.0, max(height, width) / coarse)
        rows, cols = max(2, round(height / step)), max(2, round(width / step))
        scale = np.asarray([cols / width, rows / height], np.float32)
        points = (points_xyz[:MESH_POINTS, :2] - [x0, y0] + 0.5) * scale - 0.5
        order = np.argsort(-points_xyz[:, 2][self.triangles].mean(1))
        ids = triangle_ids(
            np.asarray(points, np.float32), self.triangles, (rows, cols), order=order
        )
        affine = _affine(points[self.triangles], self.points_uv[self.triangles])[ids]
        ys, xs = np.mgrid[:rows, :cols].astype(np.float32)
        uv = affine[..., 0] * xs[..., None] + affine[..., 1] * ys[..., None] + affine[..., 2]
        inside = (ids >= 0).astype(np.float32)
        uv[ids < 0] = -1
        if (rows, cols) == (height, width):
            return uv, inside
        uv = cv2.resize(uv, (width, height), interpolation=cv2.INTER_LINEAR)
        inside = cv2.resize(inside, (width, height), interpolation=cv2.INTER_LINEAR)
        return uv, np.where(inside > 0.999, np.float32(1), np.float32(0))

    def normals(self, points_xyz: np.ndarray) -> np.ndarray:
        """Outward unit normal at each mesh point, (468, 3); z is above 0 towards the camera."""
        corners = points_xyz[:MESH_POINTS][self.triangles]
        normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 1] - corners[:, 0])
        summed = np.zeros((MESH_POINTS, 3), np.float32)
        for corner in range(3):
            np.add.at(summed, self.triangles[:, corner], normals)
        return summed * [-1, -1, 1] / (np.linalg.norm(summed, axis=1, keepdims=True) + 1e-9)

    def facing(self, points_xyz: np.ndarray) -> np.ndarray:
        """Cosine between each mesh point's normal and the view, (468,); below 0 turned away."""
        return self.normals(points_xyz)[:, 2]


@lru_cache(maxsize=1)
def canonical_face() -> CanonicalFace:
    """The one canonical face, read on first use."""
    return CanonicalFace()


def triangle_ids(
    points_xy: np.ndarray,
    triangles: np.ndarray,
    size_hw: tuple[int, int],
    *,
    order: np.ndarray | None = None,
    facing_only: bool = True,
) -> np.ndarray:
    """Draw each triangle's number: (H, W) int32, -1 where there is none; later in `order` wins.

    Args:
        points_xy: (N, 2) positions in pixels, pixel centres at whole numbers.
        triangles: (T, 3) indices.
        size_hw: of the drawing.
        order: the order of drawing; None draws as listed.
        facing_only: leave out triangles turned away from the viewer.
    """
    ids = np.full(size_hw, -1, np.int32)
    corners = points_xy[triangles]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    turned = first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0] >= 0
    fixed = np.round(corners * 16).astype(np.int32)
    for number in range(len(triangles)) if order is None else order:
        if not (facing_only and turned[number]):
            cv2.fillConvexPoly(ids, fixed[number], (int(number),), shift=4)
    return ids


def _barycentric(points: np.ndarray, corners: np.ndarray) -> np.ndarray:
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    ab, ac, ap = b - a, c - a, points - a
    area = ab[:, 0] * ac[:, 1] - ab[:, 1] * ac[:, 0]
    area = np.where(np.abs(area) < 1e-6, 1e-6, area)
    wb = (ap[:, 0] * ac[:, 1] - ap[:, 1] * ac[:, 0]) / area
    wc = (ab[:, 0] * ap[:, 1] - ab[:, 1] * ap[:, 0]) / area
    weights = np.stack([1 - wb - wc, wb, wc], 1)
    # A texel may touch a triangle with its centre outside: fine, but not far outside of a sliver.
    sliver = (np.abs(weights - 0.5) > 1.5).any(1, keepdims=True)
    inside = np.clip(weights, 0, 1)
    return np.where(sliver, inside / inside.sum(1, keepdims=True), weights)


def _affine(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(T, 3, 2) corners to (T, 2, 3) matrices with target = A · (x, y, 1)."""
    edges = np.stack([source[:, 1] - source[:, 0], source[:, 2] - source[:, 0]], 2)
    wanted = np.stack([target[:, 1] - target[:, 0], target[:, 2] - target[:, 0]], 2)
    det = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    det = np.where(np.abs(det) < 1e-6, 1e-6, det)
    inverse = (
        np.stack(
            [
                np.stack([edges[:, 1, 1], -edges[:, 0, 1]], 1),
                np.stack([-edges[:, 1, 0], edges[:, 0, 0]], 1),
            ],
            1,
        )
        / det[:, None, None]
    )
    linear = wanted @ inverse
    offset = target[:, 0] - np.einsum("tij,tj->ti", linear, source[:, 0])
    return np.concatenate([linear, offset[:, :, None]], 2).astype(np.float32)
