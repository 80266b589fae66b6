"""Unfold a face into the canonical map and take its light and skin apart from what is on them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models import regions
from models.ops.color import chroma, rgb_to_lab
from models.ops.landmarks import canonical_face
from models.ops.masks import blur, canonical_regions, face_fade, smoothstep
from models.ops.warp import sample
from models.structures import Face

TEXTURE_SIZE = 512
_FIELD_SIZE = 64  # light is smooth: it is fitted on this coarse grid


@dataclass(frozen=True)
class FaceTexture:
    """A face in the canonical map, with its own bare skin under its own light.

    Attributes:
        lab: (S, S, 3) float32 CIELAB of the unfolded picture.
        bare: (S, S, 3) float32, the person's plain skin as the light of the picture shows it at
            each texel: a robust low-order fit over visible skin.
        seen: (S, S) float32 in 0..1, how far a texel can be trusted: facing the camera, inside
            the picture, not covered by hair, glasses or a hand.
        tone: (3,) float32, median CIELAB of the visible skin.
    """

    lab: np.ndarray
    bare: np.ndarray
    seen: np.ndarray
    tone: np.ndarray

    @property
    def deviation(self) -> np.ndarray:
        """What lies on the skin: (S, S, 3) CIELAB difference from the person's own bare skin."""
        return self.lab - self.bare


def unfold(face: Face, size: int = TEXTURE_SIZE) -> FaceTexture:
    """Unfold `face` into the canonical map.

    Args:
        face: the face and the picture it is in.
        size: side S of the map in texels.
    """
    mesh = canonical_face()
    positions = mesh.picture_positions(face.points_xyz, size)
    texture = sample(face.image, positions, extend=True)
    lab = rgb_to_lab(texture)
    coarse = positions[::2, ::2]
    front = _front(face, coarse)
    seen = front
    if face.skin is not None:
        offset = np.asarray(face.box_xyxy[:2], np.float32)
        seen = front * sample(face.skin, coarse - offset)
    seen = cv2.resize(seen, (size, size), interpolation=cv2.INTER_LINEAR)
    bare, tone = bare_skin(lab, seen)
    # Hair, hands and frames are not of bright colours: what is, is paint, whatever the parser says.
    bright = smoothstep(30, 45, chroma(lab - bare)[::2, ::2]) * front
    seen = np.maximum(seen, cv2.resize(bright, (size, size), interpolation=cv2.INTER_LINEAR))
    return FaceTexture(lab, bare, seen, tone)


def _front(face: Face, positions: np.ndarray) -> np.ndarray:
    """1 where a texel faces the camera and lies inside the picture, falling to 0 at the sides."""
    mesh = canonical_face()
    facing = mesh.interpolate(mesh.facing(face.points_xyz)[:, None], len(positions))[..., 0]
    height, width = face.size_hw
    x, y = positions[..., 0], positions[..., 1]
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    return smoothstep(0.12, 0.42, facing) * inside


def bare_skin(lab: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fit the light on plain skin: quadratic in L*, linear in a* and b*, robust to paint.

    Args:
        lab: (S, S, 3) float32 CIELAB of an unfolded face.
        seen: (S, S) float32 in 0..1, how far a texel can be trusted.

    Returns:
        (S, S, 3) plain skin under its light, and (3,) its tone; see `FaceTexture`.

    Colour is held to a linear fit because a quadratic one would follow blush on both cheeks.
    """
    size = lab.shape[0]
    small = cv2.resize(lab, (_FIELD_SIZE, _FIELD_SIZE), interpolation=cv2.INTER_AREA)
    masks = canonical_regions(_FIELD_SIZE)
    trust = cv2.resize(seen, (_FIELD_SIZE, _FIELD_SIZE), interpolation=cv2.INTER_AREA)
    trust = trust**2 * masks[regions.SKIN]  # cheeks may wear blush
    trust = trust * (face_fade(_FIELD_SIZE) > 0.6) * (1 - masks[regions.BROWS])
    v, u = np.mgrid[:_FIELD_SIZE, :_FIELD_SIZE].astype(np.float32) / (_FIELD_SIZE - 1) * 2 - 1
    basis = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], -1).reshape(-1, 6)
    weights = trust.ravel()
    if weights.sum() < 8:  # next to nothing is visible: take what there is
        weights = np.maximum(weights, 1e-3)
    counts = weights > 0
    samples, weights, known = small.reshape(-1, 3)[counts], weights[counts], basis[counts]
    tone = _weighted_median(samples, weights)
    # Skin lies near its own median; hair, paint and deep shadow do not.
    prior = np.exp(-0.5 * (((samples - tone) / [14, 7, 8]) ** 2).sum(1))
    robust = np.ones(len(samples), np.float32)
    fit = np.zeros((6, 3), np.float32)
    for _ in range(4):
        for channels, terms in ((slice(0, 1), 6), (slice(1, 3), 1)):
            used = known[:, :terms]
            weight = (weights * prior * robust)[:, None]
            ridge = np.diag([1e-3, 1, 1, 12, 12, 12][:terms]) * 0.03 * weight.sum()
            target = samples[:, channels] - tone[channels]
            fit[:terms, channels] = np.linalg.solve(
                used.T @ (used * weight) + ridge, used.T @ (target * weight)
            )
        residual = (samples - tone - known @ fit) / [6, 3, 3]
        robust = np.asarray(1 / (1 + (residual**2).sum(1)), np.float32)
    field = (tone + basis @ fit).reshape(_FIELD_SIZE, _FIELD_SIZE, 3)
    low, high = (
        np.percentile(field[trust > 0.05], [2, 98], axis=0)
        if trust.max() > 0.05
        else (
            tone - 5,
            tone + 5,
        )
    )
    field = np.asarray(np.clip(field, low, high), np.float32)
    bare = cv2.resize(blur(field, 1.5), (size, size), interpolation=cv2.INTER_LINEAR)
    return bare, np.asarray(tone, np.float32)


def _weighted_median(samples: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Median of each column under the weights."""
    order = np.argsort(samples, axis=0)
    cumulative = np.cumsum(weights[order], axis=0)
    middle = (cumulative >= cumulative[-1:] / 2).argmax(0)
    columns = np.arange(samples.shape[1])
    return np.asarray(samples[order[middle, columns], columns], np.float32)
