"""Names of face regions and the mesh points that outline them.

Point numbers are those of MediaPipe's 478-point mesh. "Left" and "right" are the person's own, so
the right eye is on the left of the picture. Loops are closed and ordered.
"""

from __future__ import annotations

LIPS = "lips"
EYES = "eyes"
BROWS = "brows"
CHEEKS = "cheeks"
SKIN = "skin"

MAKEUP_REGIONS = (LIPS, EYES, BROWS, CHEEKS, SKIN)
"""Regions a visitor can set a strength for, in the order the page shows them."""

IRIS_RIGHT, IRIS_LEFT = 468, 473

LIPS_OUTER = (
    61, 146, 91, 181, 84, 17, 314, 405, 321, 375,
    291, 409, 270, 269, 267, 0, 37, 39, 40, 185,
)  # fmt: skip
LIPS_INNER = (
    78, 95, 88, 178, 87, 14, 317, 402, 318, 324,
    308, 415, 310, 311, 312, 13, 82, 81, 80, 191,
)  # fmt: skip
EYE_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
EYE_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
BROW_RIGHT = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
BROW_LEFT = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288,
    397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136,
    172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
