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

MESH_POINTS = 468
"""Points on the skin; the ten after them are the irises'."""
IRIS_RIGHT, IRIS_LEFT = 468, 473
FOREHEAD, CHIN, NOSE_TIP, BETWEEN_BROWS = 10, 152, 4, 9
UPPER_LIP, LOWER_LIP = 13, 14
"""Where the lips meet, in the middle."""
MOUTH_RIGHT, MOUTH_LEFT = 61, 291
"""Corners of the mouth."""
SIDE_RIGHT, SIDE_LEFT = 234, 454
"""The outline at the height of the ears."""
BROW_TOP_RIGHT, BROW_TOP_LEFT = 105, 334

# Along the lower lip from the right corner to the left one, and back along the upper lip.
_LOWER_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375)
_UPPER_OUTER = (291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
_LOWER_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324)
_UPPER_INNER = (308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
LIPS_OUTER = _LOWER_OUTER + _UPPER_OUTER
LIPS_INNER = _LOWER_INNER + _UPPER_INNER
EYE_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
EYE_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
BROW_RIGHT = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
BROW_LEFT = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
# From the forehead down the left side, along the jaw, and up the right side.
_OVAL_LEFT = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288)
_OVAL_JAW = (397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136)
_OVAL_RIGHT = (172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
FACE_OVAL = _OVAL_LEFT + _OVAL_JAW + _OVAL_RIGHT

# On the person's right side; the left side is the mirror image.
SHADOW_RIGHT = (244, 233, 232, 231, 230, 229, 228, 31, 143, 156, 46, 53, 52, 65, 55, 193)
CHEEK_RIGHT = (34, 143, 111, 117, 118, 119, 100, 142, 203, 206, 216, 192, 213, 177, 137, 227)

# Rows from the outer corner of the right eye to the inner one, going up.
LASHES = (33, 246, 161, 160, 159, 158, 157, 173, 133)
FOLD = (130, 247, 30, 29, 27, 28, 56, 190, 243)
SOCKET = (124, 113, 225, 224, 223, 222, 221, 189, 244)
LOWER_LASHES = (33, 7, 163, 144, 145, 153, 154, 155, 133)

AROUND_EYES = (33, 133, 263, 362, 159, 145, 386, 374, 70, 300)
"""Corners and lids of both eyes, and the tails of the brows."""
RIGID = (*EYE_RIGHT, *EYE_LEFT, *FACE_OVAL, 1, 4, 168)
"""Points that no expression moves much."""
LANDED_ON = (*FACE_OVAL, UPPER_LIP, NOSE_TIP, 50, 280, 108, 337)
"""Where hands come to lie: outline, mouth, nose, cheeks and forehead."""

# Areas that evaluation measures, chosen apart from those that makeup is laid on.
MEASURED_LIDS = (
    (226, 247, 30, 29, 27, 28, 56, 190, 221, 222, 223, 224, 225, 113),
    (446, 467, 260, 259, 257, 258, 286, 414, 441, 442, 443, 444, 445, 342),
)
MEASURED_CHEEKS = ((117, 118, 101, 36, 205, 187, 123), (346, 347, 330, 266, 425, 411, 352))
MEASURED_SKIN = (
    (108, 151, 337, 9),
    (6, 197, 195, 5, 281, 51),
    (200, 208, 199, 428),
    (9, 8, 168, 193, 417),
)
"""Skin that wears no makeup: forehead, nose, chin, between the brows."""


def turned(loop: tuple[int, ...]) -> tuple[int, ...]:
    """Return a closed loop from the same first point, the other way round."""
    return (loop[0], *loop[:0:-1])
