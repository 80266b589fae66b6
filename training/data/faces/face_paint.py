"""What lies on the skin and stays skin: paint, makeup, other tones of skin and hair."""

from __future__ import annotations

import cv2
import numpy as np

from models import regions
from models.analysis.face_parsing import HAIR
from training.data.faces.drawing import (
    draw_line,
    draw_noise,
    fill_polygon,
    recolor,
    soften,
    trace_superellipse,
)
from training.data.faces.scene import FaceScene, Materials

RIGHT_EYE = regions.turned(regions.EYE_RIGHT)
LEFT_EYE = regions.turned(regions.EYE_LEFT)
LIPS = regions.turned(regions.LIPS_OUTER)


def draw_face_paint(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """Coloured patches, stripes, dots and glitter on the skin, which shines through."""
    size, unit = scene.size, scene.unit
    canvas = np.zeros((size, size), np.float32)
    outline = scene.points[list(regions.FACE_OVAL)]
    kind = rng.random()
    if kind < 0.25:  # the whole face
        canvas = fill_polygon(size, outline, 0.05 * unit)
        if rng.random() < 0.5:
            canvas *= draw_noise(size, max(4, int(unit)), rng) > rng.uniform(0.2, 0.6)
    elif kind < 0.7:
        for _ in range(rng.integers(1, 7)):
            centre = scene.points[rng.integers(regions.MESH_POINTS)]
            if rng.random() < 0.5:
                shape = trace_superellipse(
                    centre, rng.uniform(0.06, 0.6, 2) * unit, rng.uniform(1, 4), rng.uniform(0, 3)
                )
            else:
                shape = centre + rng.uniform(-0.5, 0.5, (rng.integers(3, 8), 2)) * unit
            canvas = np.maximum(canvas, fill_polygon(size, shape))
    elif kind < 0.85:
        for _ in range(rng.integers(1, 9)):
            path = scene.points[rng.integers(0, regions.MESH_POINTS, rng.integers(2, 4))]
            canvas = np.maximum(canvas, draw_line(size, path, rng.uniform(0.02, 0.2) * unit))
    else:  # glitter, freckles, gems
        for point in scene.points[rng.integers(0, regions.MESH_POINTS, rng.integers(5, 60))]:
            dot = point + rng.normal(0, 0.1 * unit, 2)
            radius = max(1, int(rng.uniform(0.01, 0.06) * unit))
            cv2.circle(canvas, (int(dot[0]), int(dot[1])), radius, (1.0,), -1, cv2.LINE_AA)
    skin = scene.target[..., 0] * fill_polygon(size, outline)
    alpha = soften(canvas, rng.uniform(0, 0.06) * unit) * skin * rng.uniform(0.3, 0.97)
    color = rng.uniform(0, 255, 3) if rng.random() < 0.8 else np.full(3, rng.uniform(0, 255))
    light = scene.pixels.mean(-1, keepdims=True)
    light = light / max(20.0, float(light[skin > 0.5].mean()) if (skin > 0.5).any() else 128.0)
    scene.cover((color * light ** rng.uniform(0.5, 1.0)).clip(0, 255), alpha, None)
    if rng.random() < 0.2:
        sparkle = (rng.random((size, size)) < 0.06) * alpha * rng.uniform(0.3, 1)
        scene.cover(np.full(3, 255.0), sparkle.astype(np.float32), None)


def draw_eye_makeup(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """Shadow around the eyes, from a light veil to black up to the brows."""
    color = rng.uniform(0, 90, 3) if rng.random() < 0.6 else rng.uniform(0, 255, 3)
    strength, reach = rng.uniform(0.3, 0.97), rng.uniform(0.12, 0.5)
    lift = rng.uniform(0.0, 0.25)
    for ring in (RIGHT_EYE, LEFT_EYE):
        eye = scene.points[list(ring)]
        middle = eye.mean(0)
        grown = middle + (eye - middle) * (1 + reach * np.array([1.2, 3.0]))
        grown = grown - np.array([0, lift * scene.unit])
        alpha = fill_polygon(scene.size, grown, rng.uniform(0.02, 0.14) * scene.unit)
        if rng.random() < 0.8:
            alpha *= 1 - fill_polygon(scene.size, eye)
        alpha *= strength * scene.target[..., 0]
        scene.cover(color, alpha, None)
        if rng.random() < 0.5:
            wing = eye[8 if rng.random() < 0.1 else 0]
            path = np.stack([eye[8], eye[4], wing, wing + (wing - middle) * rng.uniform(0.1, 0.8)])
            line = draw_line(scene.size, path, rng.uniform(0.02, 0.1) * scene.unit)
            scene.cover(rng.uniform(0, 60, 3), line * scene.target[..., 0], None)


def draw_lip_paint(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """Lipstick of any colour, red and black more than others."""
    color = np.array([rng.uniform(60, 220), rng.uniform(0, 60), rng.uniform(0, 90)])
    if rng.random() < 0.4:
        color = rng.uniform(0, 60, 3) if rng.random() < 0.5 else rng.uniform(0, 255, 3)
    lips = fill_polygon(scene.size, scene.points[list(LIPS)], 0.02 * scene.unit)
    scene.cover(color, lips * scene.target[..., 0] * rng.uniform(0.4, 0.95), None)


def change_skin_tone(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """Another skin: much darker, sometimes a little lighter, with the light it had."""
    skin = soften(scene.target[..., 0] * scene.weight, 0.8)
    share = rng.uniform(0.25, 0.9) if rng.random() < 0.8 else rng.uniform(0.9, 1.2)
    brown = np.array([1.0, 1.0 - 0.22 * (1 - share), 1.0 - 0.45 * (1 - share)])
    scene.cover((scene.pixels * share * brown).clip(0, 255), skin, None)


def change_hair_tone(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """Other hair: black, bleached, grey, dyed."""
    hair = soften(scene.target[..., HAIR] * scene.weight, 0.8)
    if float(hair.max()) > 0.5:
        scene.cover(recolor(scene.pixels, rng, 0.25), hair, None)
