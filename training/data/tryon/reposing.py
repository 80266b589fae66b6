"""VTP-DS: persons in poses that are rare in the training set.

DM-VTON (arXiv 2308.13798) makes training persons in poses its try-on does badly; how is not
published. Ours moves the arm of a person that is there, sleeve and all, as a jumping jack's: about
the shoulder and the elbow, before what lay behind it. The flat garment stays the truth for the new
picture, and parts and pose move along exactly. Of several ways to move, the rarest among the set's
own poses is taken; what cannot be moved cleanly is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from scipy.spatial import KDTree

from models.analysis.human_parsing import IGNORE, Part
from models.tryon.agnostic import (
    L_ELBOW,
    L_HIP,
    L_SHOULDER,
    L_WRIST,
    R_ELBOW,
    R_HIP,
    R_SHOULDER,
    R_WRIST,
)

ARMS = {
    Part.RIGHT_ARM: (R_SHOULDER, R_ELBOW, R_WRIST),
    Part.LEFT_ARM: (L_SHOULDER, L_ELBOW, L_WRIST),
}
TORSO = (R_SHOULDER, L_SHOULDER, L_HIP, R_HIP)
NEIGHBOURS = 10


@dataclass(frozen=True)
class Sample:
    """One person.

    Attributes:
        person: (H, W, 3) uint8.
        parts: (H, W) uint8, `Part` or IGNORE.
        pose: (18, 3) float32, shares of width and height, confidence.
    """

    person: np.ndarray
    parts: np.ndarray
    pose: np.ndarray


def measure_arms(poses: np.ndarray) -> np.ndarray:
    """Describe how the arms lie: bones as shares of the torso's length, (N, 8).

    Args:
        poses: (N, 18, 3), shares of width and height; pictures are 3:4.

    Returns:
        NaN for persons with a point missing.
    """
    places = poses[..., :2] * [0.75, 1.0]
    shoulders = places[:, [R_SHOULDER, L_SHOULDER]].mean(1)
    torso = np.linalg.norm(places[:, [R_HIP, L_HIP]].mean(1) - shoulders, axis=1)
    bones = [
        places[:, end] - places[:, start]
        for shoulder, elbow, wrist in ARMS.values()
        for start, end in ((shoulder, elbow), (elbow, wrist))
    ]
    needed = [*TORSO, R_ELBOW, R_WRIST, L_ELBOW, L_WRIST]
    seen = (poses[:, needed, 2] > 0).all(1) & (torso > 0.05)
    features = np.concatenate(bones, 1) / np.maximum(torso, 0.05)[:, None]
    return np.where(seen[:, None], features, np.nan)


class PoseRarity:
    """How far a pose is from those of a set.

    Args:
        poses: (N, 18, 3), the set.
    """

    def __init__(self, poses: np.ndarray) -> None:
        features = measure_arms(poses)
        self.tree = KDTree(features[np.isfinite(features).all(1)])

    def __call__(self, poses: np.ndarray) -> np.ndarray:
        """Return the mean distance to the ten nearest poses, (N,); NaN where points are missing."""
        features = measure_arms(poses)
        known = np.isfinite(features).all(1)
        rarity = np.full(len(poses), np.nan)
        if known.any():
            # One's own pose may be in the set: the nearest at no distance does not count.
            distances = np.atleast_2d(self.tree.query(features[known], NEIGHBOURS + 1)[0])
            own = distances[:, :1] < 1e-9
            rarity[known] = np.where(own, distances[:, 1:], distances[:, :-1]).mean(1)
        return rarity


def repose(
    sample: Sample, rarity: PoseRarity, generator: torch.Generator, tries: int = 6
) -> Sample | None:
    """Move an arm to where arms seldom are.

    Returns:
        The person in another pose, or None where the picture does not allow it: points are missing,
        the arm lies over the body, or no try kept clear of the face and within the picture.
    """
    side = Part.RIGHT_ARM if torch.rand((), generator=generator) < 0.5 else Part.LEFT_ARM
    joints = ARMS[side]
    height, width = sample.parts.shape
    points = sample.pose[:, :2] * np.array([width, height], np.float32)
    if (sample.pose[[*TORSO, *joints], 2] <= 0).any() or _lies_over_the_body(
        points, joints, height
    ):
        return None
    upper, lower = _cut_limbs(sample.parts, points, side, joints)
    if upper.sum() + lower.sum() < 0.01 * height * width:
        return None
    # 1. Which way to turn: the rarest of a few
    draws = torch.rand((tries, 2), generator=generator).numpy()
    turns = (draws - 0.5) * np.array([2.6, 3.6], np.float32)  # radians, shoulder and elbow
    poses = np.stack([_move_pose(sample.pose, points, joints, turn) for turn in turns])
    score = np.nan_to_num(rarity(poses), nan=-1.0)
    score[~_are_allowed(poses, joints)] = -1.0
    best = int(score.argmax())
    if score[best] < 0:
        return None
    # 2. Take the arm off
    removed = cv2.dilate((upper | lower).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    rows, columns = np.asarray(
        distance_transform_edt(removed, return_distances=False, return_indices=True)
    )
    person = sample.person[rows, columns].astype(np.float32)
    person[removed] = cv2.GaussianBlur(person, (0, 0), 2.0)[removed]
    parts = sample.parts[rows, columns]
    # 3. Put it on again, turned
    known = np.where(sample.parts == IGNORE, np.uint8(side), sample.parts)
    for mask, matrix in zip(
        (upper, lower), _find_transforms(points, joints, turns[best]), strict=True
    ):
        alpha = mask.astype(np.float32)
        size = (width, height)
        moved = cv2.warpAffine(sample.person * alpha[..., None], matrix, size)
        share = cv2.warpAffine(alpha, matrix, size)[..., None]
        # Labels are one more here, so that 0 is what the arm's picture does not reach.
        label = cv2.warpAffine(known + 1, matrix, size, flags=cv2.INTER_NEAREST)
        person = person * (1 - share) + moved
        there = (share[..., 0] > 0.5) & (label > 0)
        if (parts[there] == Part.FACE).sum() > 0.02 * max(1, (parts == Part.FACE).sum()):
            return None
        parts[there] = label[there] - 1
    return Sample(person.clip(0, 255).astype(np.uint8), parts, poses[best])


def _lies_over_the_body(points: np.ndarray, joints: tuple[int, ...], height: int) -> bool:
    """Whether elbow or wrist lies on the torso: what is behind such an arm cannot be known."""
    outline = points[list(TORSO)].astype(np.float32)[:, None]
    ends = points[list(joints[1:])].astype(float)
    inside = max(cv2.pointPolygonTest(outline, (x, y), True) for x, y in ends)
    return inside > -0.02 * height


def _cut_limbs(
    parts: np.ndarray, points: np.ndarray, side: Part, joints: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The upper and the lower arm with sleeve and hand, (H, W) bool; both hold the elbow."""
    height, width = parts.shape
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    shoulder, elbow, wrist = points[list(joints)]

    def along(start: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bone = end - start
        share = ((x - start[0]) * bone[0] + (y - start[1]) * bone[1]) / max(1e-6, bone @ bone)
        near = share.clip(0, 1)
        return share, np.hypot(x - start[0] - near * bone[0], y - start[1] - near * bone[1])

    share_up, away_up = along(shoulder, elbow)
    share_low, away_low = along(elbow, wrist)
    sleeve = (parts == Part.UPPER) & (np.minimum(away_up, away_low) < 0.06 * height)
    # A sleeve begins below the shoulder, and outside the line from shoulder to hip.
    outline = points[list(TORSO)].astype(np.int32)
    torso = cv2.fillPoly(np.zeros((height, width), np.uint8), [outline], (1,)) > 0
    sleeve &= ~torso & ((share_up > 0.12) | (away_low < away_up))
    hand = (parts == Part.HANDS) & (np.hypot(x - wrist[0], y - wrist[1]) < 0.12 * height)
    arm = (parts == side) | sleeve | hand
    elbow_disc = np.hypot(x - elbow[0], y - elbow[1]) < 0.03 * height
    lower = arm & ((away_low < away_up) | (share_low > 0.1) & hand | elbow_disc)
    upper = arm & (~lower | elbow_disc)
    return upper, lower


def _find_transforms(
    points: np.ndarray, joints: tuple[int, ...], turn: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The (2, 3) matrices that move upper and lower arm; angles in radians, clockwise."""
    shoulder, elbow = points[joints[0]], points[joints[1]]

    def about(centre: np.ndarray, angle: float) -> np.ndarray:
        cos, sin = np.cos(angle), np.sin(angle)
        rotation = np.array([[cos, -sin], [sin, cos]])
        return np.column_stack([rotation, centre - rotation @ centre])

    upper = about(shoulder, turn[0])
    moved = upper[:, :2] @ elbow + upper[:, 2]
    second = about(moved, turn[1])
    lower = second[:, :2] @ upper
    lower[:, 2] += second[:, 2]
    return upper, lower


def _move_pose(
    pose: np.ndarray, points: np.ndarray, joints: tuple[int, ...], turn: np.ndarray
) -> np.ndarray:
    upper, lower = _find_transforms(points, joints, turn)
    moved = pose.copy()
    size = points[joints[0]] / np.maximum(pose[joints[0], :2], 1e-6)
    for joint, matrix in ((joints[1], upper), (joints[2], lower)):
        moved[joint, :2] = (matrix[:, :2] @ points[joint] + matrix[:, 2]) / size
    return moved


def _are_allowed(poses: np.ndarray, joints: tuple[int, ...]) -> np.ndarray:
    """Whether elbow and wrist stay within the picture and off the torso, (N,) bool."""
    ends = poses[:, list(joints[1:]), :2]
    within = ((ends > 0.02) & (ends < 0.98)).all((1, 2))
    off = [
        not _lies_over_the_body(p[:, :2] * np.array([75, 100], np.float32), joints, 100)
        for p in poses
    ]
    return within & np.array(off)
