"""VITON's labels as ours: LIP's parts merged, necks and hands found, masks of garments filled."""

from __future__ import annotations

import cv2
import numpy as np

from models.analysis.human_parsing import IGNORE, Part

# LIP's 20 labels -> ours. LIP has no neck; `find_neck` adds it.
LIP_TO_PART = np.array(
    [
        Part.BACKGROUND,
        Part.OTHER,  # hat
        Part.HAIR,
        Part.OTHER,  # glove
        Part.FACE,  # sunglasses
        Part.UPPER,  # upper clothes
        Part.UPPER,  # dress
        Part.UPPER,  # coat
        Part.LEGS,  # socks
        Part.LOWER,  # trousers
        Part.LOWER,  # jumpsuit
        Part.OTHER,  # scarf
        Part.LOWER,  # skirt
        Part.FACE,
        Part.LEFT_ARM,
        Part.RIGHT_ARM,
        Part.LEGS,
        Part.LEGS,
        Part.LEGS,  # shoes
        Part.LEGS,
    ],
    dtype=np.uint8,
)
# OpenPose points: elbow and wrist of the right and of the left arm.
FOREARMS = ((3, 4, Part.RIGHT_ARM), (6, 7, Part.LEFT_ARM))


def fill_garment_mask(garment: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Close the holes that pale fabric leaves in a garment's mask.

    Args:
        garment: (H, W, 3) uint8 on white.
        mask: (H, W) uint8, 0 or 255.

    Returns:
        (H, W) uint8, 0 or 255: what is inside the outline of the mask and of all that is not white.
    """
    colored = (cv2.medianBlur(garment, 5).min(2) < 250).astype(np.uint8) * 255
    colored = cv2.erode(colored, np.ones((5, 5), np.uint8))
    missed = (colored > 0) & (mask == 0)
    whole = mask | colored if missed.sum() > 0.04 * max(1, (mask > 0).sum()) else mask
    whole = cv2.morphologyEx(whole, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    whole = cv2.morphologyEx(whole, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    outlines, tree = cv2.findContours(whole, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(mask)
    if tree is None:
        return mask
    large = 0.02 * mask.size
    for outline, (_, _, _, parent) in zip(outlines, tree[0], strict=True):
        if parent < 0 and cv2.contourArea(outline) > large:
            cv2.drawContours(filled, [outline], -1, (255,), cv2.FILLED)
    # A hole that the given mask and the colour agree on, and that is not small, is a real one
    # (the loop of a strap, the gap between sleeve and waist).
    for outline, (_, _, _, parent) in zip(outlines, tree[0], strict=True):
        if parent >= 0 and cv2.contourArea(outline) > 0.003 * mask.size:
            inside = cv2.drawContours(np.zeros_like(mask), [outline], -1, (255,), cv2.FILLED) > 0
            if garment[inside].min(1).mean() > 252 and garment[inside].std() < 2.5:
                filled[inside & (whole == 0)] = 0
    return filled if filled.any() else mask


def find_foreground(person: np.ndarray) -> np.ndarray:
    """Return where a studio photograph is not its plain background, (H, W) bool."""
    lab = cv2.cvtColor(person, cv2.COLOR_RGB2LAB).astype(np.float32)
    height, width = person.shape[:2]
    edge = max(2, width // 32)
    corners = np.concatenate(
        [lab[: height // 4, :edge].reshape(-1, 3), lab[: height // 4, -edge:].reshape(-1, 3)]
    )
    distance = np.abs(cv2.GaussianBlur(lab, (3, 3), 0) - np.median(corners, 0)).max(2)
    return distance > 14


def merge_labels(person: np.ndarray, lip: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Turn LIP's labels into ours: neck found by place and colour, hands by the wrists.

    Args:
        person: (H, W, 3) uint8, sRGB.
        lip: (H, W) uint8, 0 to 19.
        pose: (18, 3) x, y in pixels and confidence.

    Returns:
        (H, W) uint8, `Part`, or IGNORE where LIP says background and the picture does not.
    """
    parts = LIP_TO_PART[np.minimum(lip, 19)]
    unlabelled = (parts == Part.BACKGROUND) & find_foreground(person)
    neck = find_neck(person, parts, unlabelled)
    solid = cv2.morphologyEx(
        (unlabelled & ~neck).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    )
    parts = np.where(solid > 0, np.uint8(IGNORE), parts)
    parts[neck] = Part.NECK
    return mark_hands(parts, pose)


def find_neck(person: np.ndarray, parts: np.ndarray, unlabelled: np.ndarray) -> np.ndarray:
    """Return the skin of neck and chest, (H, W) bool: below the face, and of its colour."""
    face = parts == Part.FACE
    nothing = np.zeros_like(face)
    if face.sum() < 30:
        return nothing
    rows, columns = np.nonzero(face)
    top, bottom = np.percentile(rows, [2, 98])
    left, right = np.percentile(columns, [2, 98])
    tall, wide = bottom - top, right - left
    window = nothing.copy()
    y0, y1 = int(bottom - 0.35 * tall), int(bottom + 1.6 * tall)
    x0, x1 = int(left - 1.1 * wide), int(right + 1.1 * wide)
    window[max(0, y0) : max(0, y1), max(0, x0) : max(0, x1)] = True
    lab = cv2.cvtColor(person, cv2.COLOR_RGB2LAB).astype(np.float32)
    skin = np.median(lab[face], 0)
    gap = np.abs(lab - skin)
    # A neck lies in the shadow of the chin: lightness may differ much, hue may not.
    like_skin = (gap[..., 0] < 90) & (gap[..., 1:].max(2) < 22)
    candidate = (unlabelled & window & like_skin).astype(np.uint8)
    candidate = cv2.morphologyEx(candidate, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, components, stats, _ = cv2.connectedComponentsWithStats(candidate)
    large = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] > 0.05 * face.sum()]
    return np.isin(components, large)


def mark_hands(parts: np.ndarray, pose: np.ndarray) -> np.ndarray:
    """Label as hands what lies beyond the wrists of the arms; in place, and returned."""
    height, width = parts.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    for elbow, wrist, arm in FOREARMS:
        if pose[wrist, 2] <= 0:
            continue
        to_x, to_y = x - pose[wrist, 0], y - pose[wrist, 1]
        if pose[elbow, 2] > 0:
            along = pose[wrist, :2] - pose[elbow, :2]
            length = max(float(np.hypot(*along)), 1.0)
            beyond = (to_x * along[0] + to_y * along[1]) / length > -0.06 * length
            near = np.hypot(to_x, to_y) < max(0.9 * length, 0.12 * height)
        else:
            beyond, near = np.True_, np.hypot(to_x, to_y) < 0.07 * height
        parts[(parts == arm) & beyond & near] = Part.HANDS
    return parts
