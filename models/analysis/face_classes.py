"""A face as the 19 classes of CelebAMask-HQ's parsers, drawn from mesh points and visible skin.

FLUX-Makeup's data and its masking of references speak of faces in these numbers. The mesh has no
ears and no neck; hair, glasses and hands over the face are background here.
"""

from __future__ import annotations

import numpy as np

from models import regions
from models.ops.masks import polygon
from models.structures import Face

SKIN, LEFT_BROW, RIGHT_BROW, LEFT_EYE, RIGHT_EYE = 1, 2, 3, 4, 5
MOUTH, UPPER_LIP, LOWER_LIP = 11, 12, 13

FACE_CLASSES = (1, 2, 3, 6, 7, 8, 10, 11, 12, 13)
"""What FLUX-Makeup keeps of a reference: skin, brows, glasses, ears, nose, mouth and lips; no eyes.
"""

REGION_CLASSES = {
    regions.LIPS: (UPPER_LIP, LOWER_LIP),
    regions.BROWS: (LEFT_BROW, RIGHT_BROW),
}


def parse_map(face: Face) -> np.ndarray:
    """Class of every pixel of the picture the face is in: (H, W) uint8.

    Left and right are the person's own, as in CelebAMask-HQ.
    """
    outer, inner = regions.LIPS_OUTER, regions.LIPS_INNER
    lower = (*outer[:11], *reversed(inner[:11]))
    upper = (*outer[10:], outer[0], inner[0], *reversed(inner[10:]))
    drawn = (
        (SKIN, regions.FACE_OVAL),
        (LEFT_BROW, regions.BROW_LEFT),
        (RIGHT_BROW, regions.BROW_RIGHT),
        (LEFT_EYE, regions.EYE_LEFT),
        (RIGHT_EYE, regions.EYE_RIGHT),
        (MOUTH, inner),
        (UPPER_LIP, upper),
        (LOWER_LIP, lower),
    )
    x0, y0, x1, y1 = face.box_xyxy
    points = face.points_xyz[:, :2] - np.asarray([x0, y0], np.float32)
    classes = np.zeros((y1 - y0, x1 - x0), np.uint8)
    for number, loop in drawn:
        classes[polygon(points[list(loop)], (y1 - y0, x1 - x0)) > 0.5] = number
    if face.skin is not None:
        eyes = np.isin(classes, (LEFT_EYE, RIGHT_EYE, MOUTH))
        classes[(face.skin < 0.5) & ~eyes] = 0
    result = np.zeros(face.size_hw, np.uint8)
    result[y0:y1, x0:x1] = classes
    return result
