import numpy as np
import pytest
import torch

from models.analysis.human_parsing import Part
from models.tryon.agnostic import L_ELBOW, L_SHOULDER, L_WRIST, R_ELBOW, R_SHOULDER, R_WRIST
from training.data.tryon.reposing import PoseRarity, Sample, measure_arms, repose

POSE = np.zeros((18, 3), np.float32)
for point, place in {
    1: (0.50, 0.25),
    R_SHOULDER: (0.40, 0.25),
    R_ELBOW: (0.24, 0.45),
    R_WRIST: (0.14, 0.65),
    L_SHOULDER: (0.60, 0.25),
    L_ELBOW: (0.76, 0.45),
    L_WRIST: (0.86, 0.65),
    8: (0.42, 0.75),
    11: (0.58, 0.75),
}.items():
    POSE[point] = (*place, 1)


def person_with_open_arms():
    """A red torso and two blue arms before a grey wall, 128x96."""
    from cv2 import fillPoly, line

    def at(*points):
        return [tuple(int(v) for v in POSE[p, :2] * [96, 128]) for p in points]

    parts = np.zeros((128, 96), np.uint8)
    fillPoly(parts, [np.array(at(R_SHOULDER, L_SHOULDER, 11, 8))], int(Part.UPPER))
    for joints, side in (
        ((R_SHOULDER, R_ELBOW, R_WRIST), Part.RIGHT_ARM),
        ((L_SHOULDER, L_ELBOW, L_WRIST), Part.LEFT_ARM),
    ):
        shoulder, elbow, wrist = at(*joints)
        line(parts, shoulder, elbow, int(side), 7)
        line(parts, elbow, wrist, int(side), 7)
    colors = np.full((11, 3), 200, np.uint8)
    colors[Part.UPPER], colors[Part.LEFT_ARM] = (200, 20, 20), (20, 20, 200)
    colors[Part.RIGHT_ARM] = colors[Part.LEFT_ARM]
    return Sample(colors[parts], parts, POSE)


def some_poses(count=200):
    generator = np.random.default_rng(0)
    poses = np.repeat(POSE[None], count, 0)
    poses[..., :2] += generator.normal(0, 0.01, poses[..., :2].shape)
    return poses


def test_an_arm_moves_with_its_label_and_its_points():
    generator = torch.Generator().manual_seed(1)
    sample, rarity = person_with_open_arms(), PoseRarity(some_poses())
    found = [repose(sample, rarity, generator) for _ in range(20)]
    moved = [x for x in found if x is not None]
    assert len(moved) >= 10
    for new in moved:
        for elbow, wrist, side in (
            (R_ELBOW, R_WRIST, Part.RIGHT_ARM),
            (L_ELBOW, L_WRIST, Part.LEFT_ARM),
        ):
            x, y = (new.pose[[elbow, wrist], :2].mean(0) * [96, 128]).astype(int)
            assert new.parts[y, x] == side
            assert new.person[y, x] == pytest.approx([20, 20, 200], abs=40)
        bone = np.linalg.norm((new.pose[R_ELBOW] - new.pose[R_SHOULDER])[:2] * [96, 128])
        old = np.linalg.norm((POSE[R_ELBOW] - POSE[R_SHOULDER])[:2] * [96, 128])
        assert bone == pytest.approx(old, rel=1e-3)
        changed = (new.pose != POSE).any(1).nonzero()[0]
        assert set(changed) in ({R_ELBOW, R_WRIST}, {L_ELBOW, L_WRIST})


def test_new_poses_are_rarer_than_the_sets_own():
    generator = torch.Generator().manual_seed(2)
    poses = some_poses()
    rarity = PoseRarity(poses)
    found = [repose(person_with_open_arms(), rarity, generator) for _ in range(20)]
    new = rarity(np.stack([x.pose for x in found if x is not None]))
    assert np.median(new) > np.percentile(rarity(poses), 95)


def test_an_arm_before_the_body_is_left_alone():
    sample = person_with_open_arms()
    pose = sample.pose.copy()
    pose[[R_WRIST, L_WRIST], :2] = (0.5, 0.5)
    folded = Sample(sample.person, sample.parts, pose)
    generator = torch.Generator().manual_seed(0)
    assert all(repose(folded, PoseRarity(some_poses()), generator) is None for _ in range(8))


def test_a_pose_with_a_missing_wrist_has_no_rarity():
    pose = POSE.copy()
    pose[R_WRIST] = 0
    assert np.isnan(measure_arms(pose[None])).all()
