"""What the networks see and say, in numbers about 1."""

from __future__ import annotations

import numpy as np

from models.beautybank.patches import REGIONS, cut
from models.instant.face_texture import FaceTexture

MIDDLE = np.array([50, 12, 12], np.float32)
SPREAD = np.array([25, 20, 20], np.float32)
"""CIELAB of paint and skin: what counts as 0, and as 1."""
TINT_SPREAD = np.array([12, 10, 10], np.float32)
"""CIELAB difference of a tint that counts as 1."""

CHANNELS = 14
"""Of a patch the encoders see: colour, deviation from plain skin, seen; twice."""


def patches_of(texture: FaceTexture) -> dict[str, np.ndarray]:
    """A face as the encoders see it: region -> (14, h, w) float32."""
    seen = texture.seen[..., None]
    stacked = np.concatenate(
        [
            (texture.lab - MIDDLE) / SPREAD * seen,
            texture.deviation / TINT_SPREAD * seen / 2,
            seen,
        ],
        axis=-1,
    )
    stacked = np.clip(np.asarray(stacked, np.float32), -4, 4)
    return {region: cut(stacked, region) for region in REGIONS}
