"""Cutting a flat garment out of any photograph: on white, on a bed, on a floor, on a hanger."""

from __future__ import annotations

import cv2
import numpy as np
import torch

from models.analysis.human_parsing import HumanParser

SIDE = 160
"""Side of the square the network sees; a photograph's longer side is brought to it."""

_PLAIN = 7  # a plain ground's pixels differ by no more than this, of 255


class GarmentCutter(HumanParser):
    """A `HumanParser` with two labels, 0 for what lies around a garment and 1 for the garment.

    Build it with `parts=2`. It was trained on tops laid over photographed and drawn rooms.
    """


@torch.inference_mode()
def find_garment(cutter: GarmentCutter, image: np.ndarray) -> np.ndarray:
    """Say for each pixel how likely it is garment.

    Args:
        cutter: in eval mode.
        image: (H, W, 3) uint8, sRGB.

    Returns:
        (H, W) float32 in 0..1.
    """
    height, width = image.shape[:2]
    scale = SIDE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    right, below = SIDE - size[0], SIDE - size[1]
    small = cv2.copyMakeBorder(small, 0, below, 0, right, cv2.BORDER_REPLICATE)
    batch = torch.from_numpy(small).permute(2, 0, 1)[None] / 127.5 - 1.0
    batch = batch.contiguous(memory_format=torch.channels_last)
    likely = cutter(batch).softmax(1)[0, 1, : size[1], : size[0]].numpy()
    return cv2.resize(likely, (width, height), interpolation=cv2.INTER_LINEAR)


def on_plain_ground(image: np.ndarray) -> np.ndarray | None:
    """Cut what lies on a ground of one colour, as in a shop: exact, also white on white.

    The ground is what a flood from the picture's border reaches.

    Args:
        image: (H, W, 3) uint8, sRGB.

    Returns:
        (H, W) float32 in 0..1; None if the ground is not plain, or nothing is left on it.
    """
    border = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]).astype(np.int16)
    ground = np.median(border, 0)
    if (np.abs(border - ground).max(1) <= _PLAIN).mean() < 0.85:
        return None
    near = np.abs(image.astype(np.int16) - ground).max(2) <= _PLAIN
    count, pieces, _, _ = cv2.connectedComponentsWithStats(near.astype(np.uint8), connectivity=4)
    edges = np.concatenate([pieces[0], pieces[-1], pieces[:, 0], pieces[:, -1]])
    flooded = np.zeros(count, bool)
    flooded[edges] = True
    flooded[0] = False  # what is not near the ground's colour
    found = cv2.morphologyEx(
        (~flooded[pieces]).astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    )
    inside = largest(found > 0)
    if not 0.02 < inside.mean() < 0.95:
        return None
    return cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 0.6)


def refine_outline(image: np.ndarray, likely: np.ndarray) -> np.ndarray:
    """Move a coarse outline to the edge that the picture shows.

    GrabCut (Rother et al., 2004) decides in a band around the outline; what is far inside or far
    outside it stays. Its colour models come from this very picture.

    Args:
        image: (H, W, 3) uint8, sRGB.
        likely: (H, W) float32 in 0..1, from `find_garment`.

    Returns:
        (H, W) float32 in 0..1, the one garment with soft edges; all 0 if there is none.
    """
    inside = filled(largest(likely > 0.5))
    if not inside.any():
        return np.zeros_like(likely, np.float32)
    height, width = image.shape[:2]
    scale = min(1.0, 384 / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    band = max(2, round(0.018 * max(size)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * band + 1, 2 * band + 1))
    sure, near = cv2.erode(coarse, kernel), cv2.dilate(coarse, kernel)
    seeds = np.where(sure > 0, cv2.GC_FGD, np.where(near > 0, cv2.GC_PR_FGD, cv2.GC_BGD))
    seeds[(near > 0) & (coarse == 0)] = cv2.GC_PR_BGD
    seeds = seeds.astype(np.uint8)
    if (sure > 0).any() and (near == 0).any():
        blank = np.zeros((1, 65)), np.zeros((1, 65))
        cv2.setRNGSeed(0)
        cv2.grabCut(picture, seeds, None, *blank, 2, cv2.GC_INIT_WITH_MASK)  # pyright: ignore
    found = np.isin(seeds, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    found = cv2.morphologyEx(found, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    found = filled(largest(found > 0)).astype(np.float32)
    soft = cv2.GaussianBlur(found, (0, 0), 0.8)
    return cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR)


def largest(mask: np.ndarray) -> np.ndarray:
    """The largest connected piece of an (H, W) bool mask."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    if count < 2:
        return mask.astype(bool)
    return pieces == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())


def filled(mask: np.ndarray, largest_hole: float = 0.05) -> np.ndarray:
    """An (H, W) bool mask without its small holes, up to a share of its area."""
    count, pieces, stats, _ = cv2.connectedComponentsWithStats((~mask).astype(np.uint8))
    small = [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] < largest_hole * mask.sum()]
    return mask | np.isin(pieces, small)
