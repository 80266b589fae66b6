"""Build the canonical face: the flat, symmetric map in which Mirra keeps makeup.

MediaPipe's wheel carries the mesh's edges but neither its triangles nor a texture map, so both are
made here: the triangles from the directed edges (each used by exactly one triangle), the map from
the median of frontal faces.

    python -m training.prepare.face_mesh --tar london-faces.tar --out assets/weights/face-mesh

Data: Face Research Lab London Set, CC BY 4.0 (neutral, frontal). What is kept is 468 median
positions; no picture and no single person's measurements.
"""

from __future__ import annotations

import tarfile
from collections import defaultdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from scipy.optimize import linear_sum_assignment

from models.analysis.face_landmarks import FaceMesh
from models.regions import EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT, LIPS_INNER, MESH_POINTS
from pipelines.images.decode import decode

# Cheeks turn away from the camera towards the ears; stretching them keeps texels for turned heads.
SIDE_STRETCH = 0.18
SPAN = 2.76  # the map's side, in distances between the irises
CENTRE_Y = 0.47  # of the map, below the line through the irises, same unit


def find_triangles(edges: set[tuple[int, int]], points_xy: np.ndarray) -> np.ndarray:
    """Find the triangles of which `edges` are the directed sides, each side used exactly once.

    Args:
        edges: directed edges of an oriented triangle mesh with holes.
        points_xy: (N, 2) positions, used only to break ties between equally possible triangles.

    Returns:
        (T, 3) int32 vertex indices.
    """
    after = defaultdict(set)
    for a, b in edges:
        after[a].add(b)
    cycles = {_begin_with_smallest((a, b, c)) for a, b in edges for c in after[b] if a in after[c]}
    users: dict[tuple[int, int], set] = defaultdict(set)
    for cycle in cycles:
        for side in _list_sides(cycle):
            users[side].add(cycle)
    open_sides, chosen = set(edges), []
    while open_sides:
        forced = next((side for side in open_sides if len(users[side]) == 1), None)
        if forced is not None:
            pick = next(iter(users[forced]))
        else:
            pick = min(
                (c for side in open_sides for c in users[side] if _measure_area(c, points_xy) < 0),
                key=lambda c: -_measure_area(c, points_xy),
            )
        chosen.append(pick)
        for side in _list_sides(pick):
            open_sides.discard(side)
            for rival in list(users[side]):
                for other in _list_sides(rival):
                    users[other].discard(rival)
    return np.array(sorted(chosen), np.int32)


def _begin_with_smallest(cycle: tuple[int, int, int]) -> tuple[int, ...]:
    start = cycle.index(min(cycle))
    return cycle[start:] + cycle[:start]


def _list_sides(cycle: tuple[int, ...]) -> list[tuple[int, int]]:
    return [(cycle[k], cycle[(k + 1) % 3]) for k in range(3)]


def _measure_area(cycle: tuple[int, ...], points_xy: np.ndarray) -> float:
    a, b, c = points_xy[list(cycle)]
    return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))


def turn_upright(points_xyz: np.ndarray) -> np.ndarray:
    """Move the middle of the irises to 0, their line to the x axis, their distance to 1."""
    right, left = points_xyz[IRIS_RIGHT, :2], points_xyz[IRIS_LEFT, :2]
    along = left - right
    scale = float(np.hypot(*along))
    turn = np.array([[along[0], along[1]], [-along[1], along[0]]]) / scale
    moved = points_xyz / scale
    moved[:, :2] = (points_xyz[:, :2] - (right + left) / 2) @ turn.T / scale
    return moved


def main(tar: str, out: str) -> None:
    """Read the frontal faces in `tar` and write `out/canonical.safetensors`."""
    from mediapipe.python.solutions.face_mesh_connections import FACEMESH_TESSELATION

    mesh, faces = FaceMesh(), []
    with tarfile.open(tar) as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file and member.name.endswith(".neutral.jpg"):
                picture = np.asarray(decode(file.read()))
                faces.append(turn_upright(mesh.find(picture)[0]))
    median = np.median(faces, axis=0)[:MESH_POINTS]

    mirrored = median * [-1, 1, 1]
    cost = np.linalg.norm((mirrored[:, None] - median[None]) * [1, 1, 0.3], axis=-1)
    mirror = linear_sum_assignment(cost + cost.T)[1]
    if not (mirror[mirror] == np.arange(MESH_POINTS)).all():
        raise SystemExit("the median face is not symmetric enough to pair left with right")
    median = (median + median[mirror] * [-1, 1, 1]) / 2

    skin = find_triangles(set(FACEMESH_TESSELATION), median[:, :2])
    sides = {side for triangle in skin.tolist() for side in _list_sides(tuple(triangle))}
    holes = []
    for loop in (EYE_LEFT, EYE_RIGHT, LIPS_INNER):
        # The skin runs along the hole in one direction, so what closes it runs in the other.
        around = loop if (loop[1], loop[0]) in sides else loop[::-1]
        holes += [(around[0], around[k], around[k + 1]) for k in range(1, len(around) - 1)]
    x, y = median[:, 0], median[:, 1]
    uv = np.stack([x + SIDE_STRETCH * np.sign(x) * x**2, y - CENTRE_Y], 1) / SPAN + 0.5
    Path(out).mkdir(parents=True, exist_ok=True)
    save_file(
        {
            "points_uv": uv.astype(np.float32),
            "points_xyz": median.astype(np.float32),
            "triangles": np.concatenate([skin, np.array(holes, np.int32)]),
            "mirror": mirror.astype(np.int32),
        },
        f"{out}/canonical.safetensors",
        metadata={"faces": str(len(faces)), "data": "Face Research Lab London Set, CC BY 4.0"},
    )


if __name__ == "__main__":
    import tyro

    tyro.cli(main)
