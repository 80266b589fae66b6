"""What may change when a person puts something on: a mask to begin with, and to edit."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import torch
from torch import Tensor

from models.analysis.human_parsing import Part
from models.errors import NoPersonError
from models.ops.crops import paste
from models.structures import Person
from models.tryon import agnostic as points
from models.tryon.agnostic import LIMBS, PRESERVED, REMOVED, grow, is_part, limb_mask

Wear = Literal["top", "bottom", "dress"]
Length = Literal["long", "short"]

FOREARMS = ((points.R_ELBOW, points.R_WRIST, 0.05), (points.L_ELBOW, points.L_WRIST, 0.05))
# Thighs and shins with room for wide trousers, and between them room for a skirt.
THIGHS = (
    (points.R_HIP, points.R_KNEE, 0.1),
    (points.L_HIP, points.L_KNEE, 0.1),
    (points.R_KNEE, points.L_KNEE, 0.08),
    (points.R_HIP, points.L_HIP, 0.1),
    (points.R_HIP, points.L_KNEE, 0.08),
    (points.L_HIP, points.R_KNEE, 0.08),
)
SHINS = (
    (points.R_KNEE, points.R_ANKLE, 0.08),
    (points.L_KNEE, points.L_ANKLE, 0.08),
    (points.R_ANKLE, points.L_ANKLE, 0.06),
    (points.R_KNEE, points.L_ANKLE, 0.06),
    (points.L_KNEE, points.R_ANKLE, 0.06),
)
_MARGIN = 0.045  # around what is taken off, as in training
_SMALLEST = 64  # pixels of a hand in the crop at the networks' size
_LEGS = 2.2  # times the height of the crop a standing person reaches down


def agnostic_mask(
    person: Person, wear: Wear = "top", *, sleeves: Length = "long", legs: Length = "long"
) -> np.ndarray:
    """Return where a garment of a shape may be painted.

    The shape is that of the new garment: a dress covers trousers, long sleeves bare arms. What the
    old garment covers is always in the mask, else it would show. With long sleeves the mask is the
    same whatever the old sleeves were. Face, hair and hands stay.

    Args:
        person: as found in the picture.
        wear: what is put on.
        sleeves: "short" leaves bare forearms alone.
        legs: "short" leaves bare shins alone.

    Returns:
        (H, W) bool of the whole picture.

    Raises:
        NoPersonError: something is to be worn on legs that the picture does not show.
    """
    x0, y0, x1, y1 = person.box_xyxy
    stretch = 1.0 if wear == "top" else _LEGS
    box = x0, y0, x1, y0 + round(stretch * (y1 - y0))
    rows, columns = person.parts.shape[1:]
    canvas = round(stretch * rows), columns
    parts = torch.full((1, *canvas), int(Part.BACKGROUND))
    parts[0, :rows] = torch.from_numpy(person.parts.argmax(0))
    pose = torch.from_numpy(person.body.openpose_in(box))[None]
    removed, limbs = _what_goes(wear, sleeves, legs)
    kept = (
        (*PRESERVED, Part.UPPER, Part.LEFT_ARM, Part.RIGHT_ARM) if wear == "bottom" else PRESERVED
    )
    shape = limb_mask(pose, canvas, [(a, b, half / stretch) for a, b, half in limbs])
    old = _parts_of_body(is_part(parts, *removed), shape)
    stay = _without_specks(is_part(parts, *kept))
    free = torch.maximum(grow(old, _MARGIN / stretch), shape) * (1 - stay)
    if wear == "bottom" and not free.any():
        raise NoPersonError("the picture shows no legs to dress", found=0, needed=1)
    size = box[2] - box[0], box[3] - box[1]
    mask = cv2.resize(free[0, 0].numpy(), size, interpolation=cv2.INTER_LINEAR) > 0.5
    return paste(np.zeros(person.image.shape[:2], bool), mask, box)


def _what_goes(
    wear: Wear, sleeves: Length, legs: Length
) -> tuple[tuple[Part, ...], tuple[points.Limb, ...]]:
    """Return the parts that are taken off, and the limbs that the new garment covers."""
    lower = (Part.LOWER,) if legs == "short" else (Part.LOWER, Part.LEGS)
    below = THIGHS if legs == "short" else THIGHS + SHINS
    if wear == "bottom":
        return lower, below
    upper, above = REMOVED, LIMBS
    if sleeves == "short":
        upper = Part.UPPER, Part.NECK
        above = tuple(limb for limb in LIMBS if limb not in FOREARMS)
    return (upper, above) if wear == "top" else ((*upper, *lower), above + below)


def _parts_of_body(mask: Tensor, shape: Tensor) -> Tensor:
    """Keep of (1, 1, H, W) the pieces that touch a body's shape: a sleeve does, a sofa does not.

    All stays where the pose shows nothing.
    """
    pieces, numbers = cv2.connectedComponents(mask[0, 0].numpy().astype(np.uint8))[:2]
    if not shape.any() or pieces < 2:
        return mask
    touching = np.unique(numbers[shape[0, 0].numpy() > 0])
    return mask * torch.from_numpy(np.isin(numbers, touching))


def _without_specks(mask: Tensor) -> Tensor:
    """Drop of (1, 1, H, W) the pieces too small to be a hand."""
    pieces = mask[0, 0].numpy().astype(np.uint8)
    numbers, stats = cv2.connectedComponentsWithStats(pieces)[1:3]
    large = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= _SMALLEST)
    return mask * torch.from_numpy(np.isin(numbers, large))
