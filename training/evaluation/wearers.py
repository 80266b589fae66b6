"""One person's colours and face, measured once, and compared with many results.

`training.evaluation.makeup` says what the measures mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from PIL import Image

from models import regions
from models.ops.color import delta_e, rgb_to_lab
from models.structures import Face
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline

FURTHEST_APART = 4.0  # pairs closer than this have nothing to reach


class Colors:
    """Median colours of one picture of a face, by region."""

    def __init__(self, lab: np.ndarray, masks: dict[str, list[np.ndarray]]) -> None:
        medians = {
            name: np.mean([np.median(lab[mask], axis=0) for mask in parts], axis=0)
            for name, parts in masks.items()
        }
        self.lips: np.ndarray = medians["lips"]
        self.plain: np.ndarray = medians["plain"]
        self.deviation = {name: medians[name] - self.plain for name in ("eyes", "cheeks")}

    @classmethod
    def measure(cls, face: Face, image: np.ndarray) -> Colors:
        """Measure `image` at the places `face` says."""
        return cls(rgb_to_lab(image), find_region_masks(face))


def find_region_masks(face: Face) -> dict[str, list[np.ndarray]]:
    """Where lips, eyes, cheeks and plain skin are measured, each a list of (H, W) bool masks."""
    shrink = max(1, round(0.02 * face.eye_distance))
    return {
        "lips": [fill_loops(face, [regions.LIPS_OUTER], [regions.LIPS_INNER], shrink)],
        "eyes": [fill_loops(face, [loop]) for loop in regions.MEASURED_LIDS],
        "cheeks": [fill_loops(face, [loop]) for loop in regions.MEASURED_CHEEKS],
        "plain": [fill_loops(face, regions.MEASURED_SKIN)],
    }


class Wearer:
    """One person, measured once, and compared with many results."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.lab = rgb_to_lab(face.image)
        self.masks = find_region_masks(face)
        self.colors = Colors(self.lab, self.masks)
        features = [regions.LIPS_OUTER, regions.EYE_LEFT, regions.EYE_RIGHT, *regions.MEASURED_LIDS]
        features += [regions.BROW_LEFT, regions.BROW_RIGHT]
        self.skin = fill_loops(face, [regions.FACE_OVAL], features, 6)
        self.fine = cv2.Laplacian(self.lab[..., 0], cv2.CV_32F)
        band = np.zeros(face.size_hw, np.uint8)
        oval = np.round(face.points_xyz[list(regions.FACE_OVAL), :2]).astype(np.int32)
        cv2.polylines(band, [oval], True, (1,), max(1, round(0.1 * face.eye_distance)))
        self.band = band > 0

    def compare(
        self, result: np.ndarray, reference: Colors, pipeline: InstantMakeupPipeline
    ) -> dict[str, float]:
        """Every measure of one pair; NaN where a pair has nothing to measure."""
        lab = rgb_to_lab(result)
        after, before = Colors(lab, self.masks), self.colors
        measures = {
            "lips_delta_e": float(delta_e(after.lips, reference.lips)),
            "lips_delta_e_untouched": float(delta_e(before.lips, reference.lips)),
            "skin_shift": float(delta_e(after.plain, before.plain)),
        }
        for region, part in (("eyes", slice(0, 3)), ("cheeks", slice(1, 3))):
            source, asked = before.deviation[region], reference.deviation[region]
            found = after.deviation[region]
            way, gone = (asked - source)[part], (found - source)[part]
            far = np.linalg.norm(way) > FURTHEST_APART
            measures[f"{region}_reached"] = float(gone @ way / (way @ way)) if far else np.nan
            seen = np.linalg.norm(asked) > FURTHEST_APART
            measures[f"{region}_worn"] = float(found @ asked / (asked @ asked)) if seen else np.nan
        fine = cv2.Laplacian(lab[..., 0], cv2.CV_32F)
        measures["laplacian_correlation"] = float(
            np.corrcoef(fine[self.skin], self.fine[self.skin])[0, 1]
        )
        measures["oval_gradient"] = self._measure_edges(lab) / self._measure_edges(self.lab)
        meshes = pipeline.analyzer(Image.fromarray(result))
        drift = [
            np.linalg.norm(f.points_xyz[:, :2] - self.face.points_xyz[:, :2], axis=1).mean()
            for f in meshes
        ]
        measures["landmark_drift"] = 100 * min(drift, default=np.nan) / self.face.eye_distance
        return measures

    def _measure_edges(self, lab: np.ndarray) -> float:
        light = np.ascontiguousarray(lab[..., 0])
        along = cv2.Sobel(light, cv2.CV_32F, 1, 0)[self.band]
        across = cv2.Sobel(light, cv2.CV_32F, 0, 1)[self.band]
        return float((along**2 + across**2).sum())


def fill_loops(
    face: Face,
    loops: Iterable[Sequence[int]],
    without: Iterable[Sequence[int]] = (),
    shrink: int = 0,
) -> np.ndarray:
    """Polygons of mesh points, less others, eroded (or, below 0, dilated) by pixels: bool."""
    mask = np.zeros(face.size_hw, np.uint8)
    for value, outlines in ((1, loops), (0, without)):
        for loop in outlines:
            points = np.round(face.points_xyz[list(loop), :2]).astype(np.int32)
            cv2.fillPoly(mask, [points], (value,))
    kernel = np.ones((2 * abs(shrink) + 1,) * 2, np.uint8)
    mask = cv2.erode(mask, kernel) if shrink > 0 else cv2.dilate(mask, kernel)
    return mask > 0
