"""What can be measured of a shade's surface: how light, colour and detail are spread over it.

A finish shows in how far highlights stand out and how sharp their edges are, in the size of what
sparkles, in whether highlights keep the body's hue, and in what shines through. All are measured
inside the mask at a scale fixed by the shade's own size, as differences to its median colour: a
picture's exposure, white balance and pixel count do not enter.
"""

from __future__ import annotations

import cv2
import numpy as np

from models.ops.color import rgb_to_lab

LEVELS = 4
"""Octaves of detail, from a pixel of the square to a sixth of the shade."""


def surface_features(square: np.ndarray) -> np.ndarray:
    """Measure one shade.

    Args:
        square: (S, S, 4) uint8, RGB and mask; see `crops.crop_shade`.

    Returns:
        (K,) float32.
    """
    lab = rgb_to_lab(np.ascontiguousarray(square[..., :3])).astype(np.float32)
    mask = cv2.erode(square[..., 3], np.ones((5, 5), np.uint8)) > 127
    if mask.sum() < 64:
        mask = square[..., 3] > 127
    if not mask.any():
        mask = np.ones(mask.shape, bool)
    body = np.median(lab[mask], axis=0)
    off = _toward_hue(lab - body, body)
    every_other = off[mask][::2]
    features = [
        *_histogram(every_other),
        *_highlights(every_other),
        *_octaves(off, mask),
        *_sparkles(off[..., 0], mask),
        *_slopes(off, mask),
        *_surround(off, square[..., 3] > 127, mask),
        body[0] / 50 - 1,
        np.hypot(*body[1:]) / 30 - 1,
    ]
    return np.asarray(features, np.float32)


def _toward_hue(off: np.ndarray, body: np.ndarray) -> np.ndarray:
    """Differences in lightness, along the body's hue, and across it."""
    hue = body[1:] / max(float(np.hypot(*body[1:])), 1e-3)
    turn = np.array([[1, 0, 0], [0, hue[0], -hue[1]], [0, hue[1], hue[0]]], np.float32)
    return off @ turn


def _histogram(off: np.ndarray) -> list[float]:
    """Quantiles of lightness, chroma and hue, small differences drawn apart."""
    quantiles = np.quantile(off, (0.005, 0.03, 0.1, 0.25, 0.75, 0.9, 0.97, 0.995), axis=0)
    return _compressed(quantiles).ravel().tolist()


def _highlights(off: np.ndarray) -> list[float]:
    """Colour of the brightest and darkest pixels; their chroma and hue per lightness."""
    features: list[float] = []
    order = np.argsort(off[:, 0], kind="stable")
    for part in (
        order[-max(1, len(order) // 50) :],
        order[-max(1, len(order) // 8) :],
        order[: max(1, len(order) // 8)],
    ):
        mean = off[part].mean(0)
        features += _compressed(mean).tolist() + (mean[1:] / (abs(mean[0]) + 4)).tolist()
    return features


def _octaves(off: np.ndarray, mask: np.ndarray) -> list[float]:
    """Strength, lean and peakedness of detail in each octave, of lightness and of colour."""
    features: list[float] = []
    weight = mask.astype(np.float32)
    fine, under = off * weight[..., None], weight
    for _ in range(LEVELS):
        size = fine.shape[1] // 2, fine.shape[0] // 2
        low, low_under = (
            cv2.resize(cv2.GaussianBlur(plane, (5, 5), 1.0), size, interpolation=cv2.INTER_AREA)
            for plane in (fine, under)
        )
        mean = low / np.maximum(low_under, 1e-3)[..., None]
        back = cv2.resize(mean, under.shape[::-1], interpolation=cv2.INTER_LINEAR)
        inside = under > 0.7
        if inside.sum() < 8:
            features += [0.0] * 7
        else:
            detail = (fine[inside] / under[inside][:, None]) - back[inside]
            deviation = detail.std(0) + 0.05
            light = detail[:, 0] / deviation[0]
            square = light * light
            features += np.log(deviation).tolist()
            features += [np.cbrt((square * light).mean()), np.log((square * square).mean() + 0.1)]
            features += _compressed(np.quantile(detail[:, 0], (0.01, 0.99))).tolist()
        fine, under = mean * (low_under > 0.3)[..., None] * low_under[..., None], low_under
    return features


def _sparkles(light: np.ndarray, mask: np.ndarray) -> list[float]:
    """Share, number and size of bright and of dark spots on their neighbourhood."""
    features: list[float] = []
    weight = mask.astype(np.float32)
    around = cv2.blur(light * weight, (31, 31)) / np.maximum(cv2.blur(weight, (31, 31)), 1e-3)
    area = float(mask.sum())
    for sign, least in ((1, 4), (1, 10), (1, 22), (-1, 4), (-1, 10)):
        spots = (sign * (light - around) > least) & mask
        count, _, stats, _ = cv2.connectedComponentsWithStats(spots.astype(np.uint8))
        sizes = stats[1:, cv2.CC_STAT_AREA]
        largest = float(sizes.max()) if count > 1 else 0.0
        features += [
            float(np.sqrt(spots.sum() / area)),
            np.log1p((count - 1) * 4000 / area) / 3,
            np.log1p(spots.sum() / max(1, count - 1)) / 3,
            np.sqrt(largest / area),
        ]
    return features


def _slopes(off: np.ndarray, mask: np.ndarray) -> list[float]:
    """How steep edges of light are, beside how far the light reaches; and its broad gradient."""
    light = cv2.GaussianBlur(off[..., 0], (0, 0), 0.8)
    steep = np.hypot(cv2.Sobel(light, cv2.CV_32F, 1, 0), cv2.Sobel(light, cv2.CV_32F, 0, 1))[mask]
    reach = float(np.quantile(light[mask], 0.995) - np.quantile(light[mask], 0.3)) + 3
    quantiles = np.quantile(steep, (0.5, 0.8, 0.95, 0.99, 0.998))
    features = np.log(quantiles / 8 + 0.1).tolist() + np.log(quantiles[2:] / reach + 0.02).tolist()
    ys, xs = np.nonzero(mask)
    design = np.column_stack([np.ones(len(xs)), xs / 80 - 1, ys / 80 - 1])[:: 1 + len(xs) // 2000]
    values = off[mask][:: 1 + len(xs) // 2000]
    plane = np.linalg.lstsq(design, values, rcond=None)[0]
    return features + _compressed(np.hypot(plane[1], plane[2])).tolist()


def _surround(off: np.ndarray, whole: np.ndarray, inner: np.ndarray) -> list[float]:
    """Difference to what lies around, and how it grows from the rim inwards; the outline's form."""
    near = cv2.dilate(whole.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    ring = near & ~(cv2.dilate(whole.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0)
    ground = np.median(off[ring], axis=0) if ring.sum() > 20 else np.zeros(3)
    depth = cv2.distanceTransform(inner.astype(np.uint8), cv2.DIST_L2, 3)[inner]
    toward = off[inner] @ (ground / max(float(np.linalg.norm(ground)), 1.0))
    edge = np.quantile(depth, (0.3, 0.7))
    features = [
        *_compressed(ground).tolist(),
        float(np.log(np.linalg.norm(ground) + 3)),
        *_compressed(np.quantile(toward, (0.1, 0.5, 0.9))).tolist(),
        *_compressed(np.array([toward[depth <= edge[0]].mean(), toward[depth >= edge[1]].mean()])),
    ]
    ys, xs = np.nonzero(inner)
    wide, high = float(np.ptp(xs)) + 1, float(np.ptp(ys)) + 1
    filled = len(xs) / (wide * high)
    return [*features, filled, np.log(wide / high), float(depth.max()) / 40]


def _compressed(values: np.ndarray) -> np.ndarray:
    """Small differences told finely, large ones coarsely."""
    values = np.asarray(values, np.float64)
    return np.sign(values) * np.log1p(np.abs(values) / 2)
