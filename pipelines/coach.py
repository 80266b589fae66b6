"""The photo coach: says what is wrong with a picture before work begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from models import regions
from models.ops.color import rgb_to_lab
from models.ops.landmarks import canonical_face
from models.ops.masks import canonical_regions, polygon
from models.ops.warp import sample
from models.structures import Face

SMALLEST_FACE = 64  # pixels from forehead to chin; below this the mesh is guesswork
SMALL_FACE = 160  # below this lips are a few pixels and makeup looks painted on
DARK, BRIGHT = 25.0, 93.0  # median L* of the skin
LIT = 40.0  # L* of eye whites and highlights in a face that has light enough, however dark its skin
UNEVEN = 22.0  # difference of L* between the halves of the face
SOFT = 1.2  # sharpness below which a face is blurred, see `measure_sharpness`
TURNED = 35.0  # degrees of yaw or pitch
COVERED = 0.55  # share of the face that must be bare of hair, glasses and hands
CUT_OFF = 0.15  # share of mesh points outside the picture


@dataclass(frozen=True)
class Advice:
    """One thing to tell the person who took the picture.

    Attributes:
        code: what it is about; `app/messages.py` has the sentence.
        severity: "refuse" when no good result is possible, "warn" when it will suffer.
        found: the measured value.
        needed: the bound it missed.
        face: which face, 0 the largest; None when it is about the whole picture.
    """

    code: Literal[
        "no_face",
        "several_faces",
        "tiny",
        "small",
        "dark",
        "bright",
        "uneven_light",
        "blurred",
        "turned",
        "covered",
        "cut_off",
        "no_person",
        "several_people",
        "cropped_torso",
        "arms_crossed",
        "small_person",
        "top_covered",
        "garment_cut_off",
    ]
    severity: Literal["refuse", "warn"]
    found: float
    needed: float
    face: int | None = None


def coach(faces: Sequence[Face]) -> list[Advice]:
    """Look for what would spoil a result, worst first.

    Args:
        faces: all faces of the picture, the largest first, from `FaceAnalyzer`.

    Returns:
        Advice on the picture and its largest face; empty when the picture is good.
    """
    if not faces:
        return [Advice("no_face", "refuse", 0, 1)]
    advice = _about_face(faces[0])
    if len(faces) > 1:
        advice.append(Advice("several_faces", "warn", len(faces), 1))
    return sorted(advice, key=lambda item: item.severity != "refuse")


def _about_face(face: Face) -> list[Advice]:
    height = float(np.ptp(face.points_xyz[:, 1]))
    if height < SMALLEST_FACE:
        return [Advice("tiny", "refuse", height, SMALLEST_FACE, 0)]
    left, right = _half_lightness(face)
    light = (left + right) / 2
    turned = max(abs(face.yaw), abs(face.pitch))
    outside = _outside(face)
    sharp = measure_sharpness(face)
    covered = 1.0 if face.skin is None else _uncovered(face)
    checks = [
        ("small", height < SMALL_FACE, height, SMALL_FACE),
        ("dark", light < DARK and _highlights(face) < LIT, light, DARK),
        ("bright", light > BRIGHT, light, BRIGHT),
        ("uneven_light", abs(left - right) > UNEVEN, abs(left - right), UNEVEN),
        ("blurred", height >= SMALL_FACE and sharp < SOFT, sharp, SOFT),
        ("turned", turned > TURNED, turned, TURNED),
        ("covered", covered < COVERED, covered, COVERED),
        ("cut_off", outside > CUT_OFF, outside, CUT_OFF),
    ]
    return [Advice(code, "warn", float(f), float(n), 0) for code, bad, f, n in checks if bad]


def measure_sharpness(face: Face) -> float:
    """How fine the finest detail is: mean absolute Laplacian of L* around the eyes.

    Measured with the face brought to 96 pixels between the irises at most, so that a large soft
    picture and a small crisp one compare. Portraits in focus measure 1.2 to
    6, the same blurred by a fortieth of the iris distance below 1.
    """
    points = face.points_xyz[list(regions.AROUND_EYES), :2]
    low = np.maximum(points.min(0) - 0.1 * face.eye_distance, 0).astype(int)
    high = np.ceil(points.max(0) + 0.1 * face.eye_distance).astype(int)
    crop = face.image[low[1] : high[1], low[0] : high[0]]
    if crop.size == 0:
        return 0.0
    scale = min(1.0, 96 / max(face.eye_distance, 1.0))
    crop = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    lightness = rgb_to_lab(crop)[..., 0]
    return float(np.abs(cv2.Laplacian(lightness, cv2.CV_32F)).mean())


def _half_lightness(face: Face) -> tuple[float, float]:
    """Median L* of the plain skin on the picture's left and right half of the face."""
    size = 64
    positions = canonical_face().picture_positions(face.points_xyz, size)
    lightness = rgb_to_lab(sample(face.image, positions))[..., 0]
    masks = canonical_regions(size)
    plain = masks["skin"] + masks["cheeks"] > 0.8
    half = size // 2
    return (
        float(np.median(lightness[:, :half][plain[:, :half]])),
        float(np.median(lightness[:, half:][plain[:, half:]])),
    )


def _highlights(face: Face) -> float:
    """L* of the brightest hundredth of the face: what tells a dark photo from dark skin."""
    outline = polygon(face.points_xyz[list(regions.FACE_OVAL), :2], face.size_hw)
    return float(np.percentile(rgb_to_lab(face.image)[outline > 0.5, 0], 99))


def _outside(face: Face) -> float:
    height, width = face.size_hw
    x, y = face.points_xyz[:, 0], face.points_xyz[:, 1]
    return float(((x < 0) | (y < 0) | (x > width - 1) | (y > height - 1)).mean())


def _uncovered(face: Face) -> float:
    """Share of the face's own area that shows skin."""
    assert face.skin is not None
    size = 64
    positions = canonical_face().picture_positions(face.points_xyz, size)
    seen = sample(face.skin, positions - np.asarray(face.box_xyxy[:2], np.float32))
    return float(seen[canonical_face().texels(size)[1]].mean())
