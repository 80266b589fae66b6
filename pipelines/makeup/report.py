"""Measurements of a result: what changed, what was reached, how long it took."""

from __future__ import annotations

from dataclasses import replace
from typing import TypedDict

import numpy as np

from models import regions
from models.instant.face_texture import unfold
from models.ops.color import delta_e
from models.ops.masks import canonical_regions, polygon
from models.structures import Face
from pipelines.analysis import FaceAnalyzer
from pipelines.makeup.look import Look
from pipelines.makeup.output import MakeupOutput


class FaceMeasurements(TypedDict):
    """What was measured of one face, see `measure`."""

    face: int
    landmark_drift: float | None
    delta_e: dict[str, float]


class Measurements(TypedDict):
    """What was measured of a result, see `measure`."""

    pixels_changed_outside: int
    milliseconds: dict[str, float]
    faces: list[FaceMeasurements]


def measure(output: MakeupOutput, analyzer: FaceAnalyzer) -> Measurements:
    """Measure a result against its source.

    Args:
        output: from a makeup pipeline; its picture is judged by the strengths its looks have.
        analyzer: finds the mesh again in the result.

    Returns:
        `pixels_changed_outside` the faces' outlines (must be 0), `milliseconds` by stage, and for
        each face worn: `landmark_drift` in percent of the iris distance, and `delta_e`, by region
        the CIEDE2000 between colour asked for and colour reached.
    """
    result = np.asarray(output.images[0])
    meshes = [face.points_xyz for face in analyzer(output.images[0])]
    return {
        "pixels_changed_outside": count_pixels_changed_outside(output),
        "milliseconds": {stage: round(ms, 1) for stage, ms in output.milliseconds.items()},
        "faces": [
            {
                "face": index,
                "landmark_drift": _drift(output.layers.faces[index], meshes),
                "delta_e": measure_color_error(output.layers.faces[index], result, look),
            }
            for index, look in output.layers.looks.items()
        ],
    }


def count_pixels_changed_outside(output: MakeupOutput) -> int:
    """How many pixels outside the outlines of the faces that wear makeup are not the source's."""
    source, result = np.asarray(output.layers.image), np.asarray(output.images[0])
    outside = np.ones(source.shape[:2], bool)
    for index in output.layers.by_face:
        outside &= draw_outline(output.layers.faces[index]) == 0
    return int(((source != result).any(-1) & outside).sum())


def draw_outline(face: Face) -> np.ndarray:
    """Area of the face mesh in the picture: (H, W) float32, 0 where makeup must not reach."""
    return polygon(face.points_xyz[list(regions.FACE_OVAL), :2], face.size_hw)


def measure_color_error(face: Face, result: np.ndarray, look: Look) -> dict[str, float]:
    """CIEDE2000 between the colour a look asks for and the one reached, median by region.

    Asked is the look at full strength on the wearer's own bare skin, taken to the strength it is
    worn at. Regions in which the look changes nothing, or that are hidden, are left out.

    Args:
        face: the wearer before.
        result: (H, W, 3) uint8, the wearer after.
        look: with the strengths it is worn at.
    """
    before, after = unfold(face), unfold(replace(face, image=result))
    makeup = look.makeup
    opaque = makeup.opacity[..., None]
    skin = before.lab + makeup.cover[..., None] * (before.bare - before.lab) + makeup.deviation
    full = skin + opaque * (makeup.paint - skin)
    errors = {}
    for region, mask in canonical_regions(makeup.size).items():
        if region in (regions.BROWS, regions.SKIN):
            continue
        core = (mask > 0.9) & (before.seen > 0.8)
        if core.sum() < 30 or not np.abs(full - before.lab)[core].max() > 1:
            continue
        share = look.strength * look.strengths.get(region, 1.0)
        own, asked = np.median(before.lab[core], 0), np.median(full[core], 0)
        wanted = own + share * (asked - own)
        errors[region] = round(float(delta_e(np.median(after.lab[core], 0), wanted)), 2)
    return errors


def _drift(face: Face, meshes: list[np.ndarray]) -> float | None:
    """Mean distance of the mesh's points before and after, in percent of the iris distance."""
    if not meshes:
        return None
    moved = [np.linalg.norm(mesh[:, :2] - face.points_xyz[:, :2], axis=1).mean() for mesh in meshes]
    return round(100 * float(min(moved)) / face.eye_distance, 2)
