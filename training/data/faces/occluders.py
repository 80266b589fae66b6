"""Things drawn over faces, with what they are; and in what share of the pictures they are drawn.

Real occluders are rare in our photographs, and no teacher marks them well. So fringes are cut from
other pictures' hair, hands are made of other pictures' skin, glasses, hats and microphones are
drawn. Each function changes a `FaceScene` in place and takes the generator that draws its shape.

Everything is measured in eye distances, so that it fits a face of any size in the square.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from models import regions
from models.analysis.face_parsing import HAIR, OTHER
from training.data.faces.drawing import (
    draw_line,
    draw_material,
    draw_noise,
    fill_polygon,
    recolor,
    soften,
    spread_patch,
    trace_superellipse,
)
from training.data.faces.face_paint import (
    change_hair_tone,
    change_skin_tone,
    draw_eye_makeup,
    draw_face_paint,
    draw_lip_paint,
)
from training.data.faces.scene import FaceScene, Materials


def draw_fringe(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """Hair that falls over the forehead or the sides of the face, in locks of real texture."""
    size, unit = scene.size, scene.unit
    colors = spread_patch(things.hair, size, rng, rng.uniform(0.6, 1.6))
    if rng.random() < 0.6:
        colors = recolor(colors, rng, 0.1)
    top, brows = scene.points[regions.FOREHEAD], scene.points[regions.BETWEEN_BROWS]
    left, right = scene.points[regions.SIDE_RIGHT], scene.points[regions.SIDE_LEFT]
    alpha = np.zeros((size, size), np.float32)
    locks = int(rng.integers(3, 26))
    parting = rng.uniform(0, 1)
    depth = rng.uniform(0.2, 1.25)
    curtain = rng.random() < 0.35  # open in the middle, long at the sides
    down = brows - top
    for position in np.sort(rng.uniform(-0.12, 1.12, locks)):
        root = left + (right - left) * (0.5 + (position - 0.5) * 0.7) + (top - (left + right) / 2)
        root = root - down * rng.uniform(0.1, 0.6)
        reach = depth * rng.uniform(0.7, 1.2)
        if curtain:
            reach = 0.3 + 4.0 * abs(position - parting) ** 1.3 * rng.uniform(0.7, 1.2)
        sway = (position - parting) * rng.uniform(0.2, 1.2) * unit
        tip = root + down * (0.4 + reach) + scene.across * sway
        middle = (root + tip) / 2 + scene.across * (0.35 * sway + rng.normal(0, 0.1 * unit))
        width = rng.uniform(0.06, 0.4) * unit
        side = scene.across * width
        outline = np.stack(
            [root - side * 1.3, middle - side, tip, middle + side, root + side * 1.3]
        )
        alpha = np.maximum(alpha, fill_polygon(size, outline))
    alpha = soften(alpha, rng.uniform(0, 0.04) * unit)
    if rng.random() < 0.6:
        shift = rng.uniform(0.02, 0.12) * unit
        moved = np.array([[1, 0, rng.normal(0, 0.5) * shift], [0, 1, shift]])
        cast = cv2.warpAffine(soften(alpha, 0.06 * unit + 0.3), moved, (size, size))
        scene.darken(cast * rng.uniform(0.1, 0.5))
    scene.cover(colors, alpha, HAIR)


def draw_strands(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """Single strands across the face; too thin to be certain of, they weigh what they cover."""
    size, unit = scene.size, scene.unit
    colors = spread_patch(things.hair, size, rng)
    alpha = np.zeros((size, size), np.float32)
    start = scene.points[rng.choice(np.array(regions.FACE_OVAL))] - (0, rng.uniform(0, 0.8) * unit)
    lean = rng.normal(0, 0.35) * unit
    for _ in range(rng.integers(2, 16)):
        length = rng.uniform(0.6, 3.0) * unit
        begin = start + rng.normal(0, 0.16, 2) * unit
        bend = rng.normal(0, 0.25) * unit
        t = np.linspace(0, 1, 9)[:, None]
        path = begin + t * np.array([[lean, length]]) + t * (1 - t) * np.array([[4 * bend, 0]])
        alpha = np.maximum(alpha, draw_line(size, path, rng.uniform(0.3, 0.08 * unit + 0.5)))
    scene.cover(colors, alpha * rng.uniform(0.6, 1.0), HAIR)


def draw_glasses(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """Frames of many shapes; clear lenses leave what is seen through them, tinted ones do not."""
    size, unit = scene.size, scene.unit
    angle = float(np.arctan2(scene.across[1], scene.across[0]))
    upright = np.array([-scene.across[1], scene.across[0]])
    radii = np.array([rng.uniform(0.3, 0.48), rng.uniform(0.18, 0.42)]) * unit
    power, slant = rng.uniform(1.8, 6), rng.normal(0, 0.15)
    drop = upright * rng.uniform(-0.06, 0.2) * unit
    apart = scene.across * rng.uniform(-0.02, 0.08) * unit
    right, left = scene.eyes
    lenses = [
        trace_superellipse(right + drop - apart, radii, power, angle + slant),
        trace_superellipse(left + drop + apart, radii, power, angle - slant),
    ]
    aviator = rng.random() < 0.25
    if aviator:  # narrower towards the cheek and the nose
        for lens, eye in zip(lenses, scene.eyes, strict=True):
            below = ((lens - eye) @ upright > 0)[:, None]
            lens -= below * ((lens - eye) @ scene.across)[:, None] * scene.across * 0.3
    width = rng.choice([rng.uniform(0.6, 1.3), rng.uniform(0.03, 0.16) * unit])
    frame = np.zeros((size, size), np.float32)
    if rng.random() < 0.85:
        for lens in lenses:
            frame = np.maximum(frame, draw_line(size, lens, width, closed=True))
    if rng.random() < 0.3:  # a browline: heavy above, thin below
        for lens in lenses:
            frame = np.maximum(frame, draw_line(size, lens[20:], 2 * width + 0.5))
    gap = (right + left) / 2 + drop - upright * rng.uniform(0.0, 0.6) * radii[1]
    reach = scene.across * (np.linalg.norm(left - right) / 2 - radii[0] * 0.9)
    arch = np.stack([gap - reach, gap - upright * 0.06 * unit, gap + reach])
    frame = np.maximum(frame, draw_line(size, arch, width))
    for eye, side, sign in ((right, regions.SIDE_RIGHT, -1), (left, regions.SIDE_LEFT, 1)):
        hinge = eye + drop + sign * scene.across * radii[0] - upright * radii[1] * 0.4
        ear = scene.points[side] * (1, 0) + (0, hinge[1]) + upright * rng.uniform(-0.1, 0.1) * unit
        frame = np.maximum(frame, draw_line(size, np.stack([hinge, ear]), width))
    if rng.random() < 0.5:
        scene.darken(soften(np.roll(frame, 2, axis=0), 1.2) * rng.uniform(0.1, 0.5))

    lens_mask = np.maximum(fill_polygon(size, lenses[0]), fill_polygon(size, lenses[1]))
    if rng.random() < 0.5:  # tinted, mirrored or black
        tint = rng.uniform(0, 60, 3) if rng.random() < 0.65 else rng.uniform(0, 255, 3)
        colors = np.broadcast_to(tint, (size, size, 3)).astype(np.float32).copy()
        if rng.random() < 0.5:
            slope = np.linspace(0, rng.uniform(20, 120), size, dtype=np.float32)[:, None, None]
            colors = (colors + slope).clip(0, 255)
        if rng.random() < 0.35:
            mirrored = spread_patch(things.objects, size, rng, rng.uniform(0.2, 0.8))
            colors += (mirrored - colors) * rng.uniform(0.1, 0.6)
        opaque = rng.uniform(0.45, 1.0)
        scene.cover(colors, lens_mask * opaque, None)
        scene.cover(scene.pixels, lens_mask, OTHER)
    elif rng.random() < 0.5:  # clear, with a reflection
        streak = draw_line(
            size, lenses[rng.integers(2)][[5, 22]] + rng.normal(0, 3, 2), rng.uniform(1, 5)
        )
        alpha = streak * lens_mask
        scene.cover(np.full(3, 250.0), alpha * rng.uniform(0.2, 0.8), None)
        scene.weight *= 1 - alpha
    shade = rng.uniform(0, 70, 3) if rng.random() < 0.6 else rng.uniform(0, 255, 3)
    colors = shade + (draw_noise(size, 6, rng)[..., None] - 0.5) * rng.uniform(0, 90)
    scene.cover(colors.clip(0, 255), frame, OTHER)


def draw_hand(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """Fingers, and sometimes a palm, of another person's skin, rounded by light and shadow."""
    size, unit = scene.size, scene.unit
    colors = spread_patch(things.skin, size, rng, rng.uniform(0.8, 2.0))
    face = scene.pixels[(scene.target[..., 0] > 0.5) & (scene.weight > 0.5)]
    if len(face) and rng.random() < 0.7:  # most hands belong to the face
        colors = colors - colors.mean((0, 1)) + face.mean(0) * rng.uniform(0.75, 1.2)
    aim = scene.points[rng.choice(np.array(regions.LANDED_ON))]
    heading = rng.uniform(0, 2 * np.pi)
    if rng.random() < 0.7:  # from below more often than from above
        heading = rng.uniform(-0.2, np.pi + 0.2)
    back = np.array([np.cos(heading), np.sin(heading)])
    beside = np.array([-back[1], back[0]])
    width = rng.uniform(0.15, 0.3) * unit
    count = int(rng.integers(1, 6))
    mask = np.zeros((size, size), np.float32)
    depth = np.zeros((size, size), np.float32)
    for finger in range(count):
        offset = (finger - (count - 1) / 2) * width * rng.uniform(0.95, 1.25)
        tip = aim + beside * offset - back * rng.uniform(-0.15, 0.5) * unit
        knuckle = tip + back * rng.uniform(0.8, 1.5) * unit + beside * rng.normal(0, 0.1) * unit
        one = draw_line(size, np.stack([tip, knuckle, aim + back * 3.2 * unit]), width)
        core = cv2.distanceTransform((one > 0.5).astype(np.uint8), cv2.DIST_L2, 3)
        rounded = np.sqrt(np.clip(core / max(1.0, width / 2), 0, 1))
        depth = np.where(one > 0.5, rounded, depth)
        mask = np.maximum(mask, one)
        if rng.random() < 0.4 and width > 4:
            nail = fill_polygon(
                size,
                trace_superellipse(tip, (width * 0.28, width * 0.36), 2.5, heading + np.pi / 2),
            )
            tone = rng.uniform(0, 255, 3) if rng.random() < 0.5 else np.array([235, 195, 185])
            colors = colors + nail[..., None] * (tone - colors) * 0.8
    if rng.random() < 0.6:
        palm = fill_polygon(
            size,
            trace_superellipse(aim + back * 2.0 * unit, (unit * 0.8, unit * 0.7), 2.5, heading),
        )
        depth = np.where(palm > 0.5, 0.9, depth)
        mask = np.maximum(mask, palm)
    if rng.random() < 0.75:
        cast = soften(mask, 0.1 * unit) * rng.uniform(0.1, 0.6)
        scene.darken(cast * (1 - mask))
    light = 1 - rng.uniform(0.15, 0.6) * (1 - depth)
    scene.cover((colors * light[..., None]).clip(0, 255), soften(mask, 0.4), OTHER)


def draw_hat(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """A cap, scarf, band or beanie down to somewhere on the forehead, with its shadow."""
    size, unit = scene.size, scene.unit
    top, brows = scene.points[regions.FOREHEAD], scene.points[regions.BETWEEN_BROWS]
    edge = top + (brows - top) * rng.uniform(-0.3, 0.95)
    bend = rng.uniform(-0.25, 0.35) * unit
    reach = rng.uniform(1.3, 2.6) * unit
    t = np.linspace(-1, 1, 13)[:, None]
    tilt = rng.normal(0, 0.12)
    rim = edge + t * scene.across * reach + np.array([[0, 1.0]]) * (bend * (t**2) + tilt * t * unit)
    height = rng.uniform(0.3, 0.8) * unit if rng.random() < 0.3 else 4 * unit
    outline = np.concatenate([rim, rim[::-1] - (0, height)])
    mask = fill_polygon(size, outline, rng.uniform(0, 0.03) * unit)
    moved = np.array([[1.0, 0, 0], [0, 1, rng.uniform(0.03, 0.4) * unit]])
    cast = cv2.warpAffine(soften(mask, 0.08 * unit + 0.3), moved, (size, size))
    scene.darken(cast * rng.uniform(0, 0.6))
    scene.cover(draw_material(things, size, rng), mask, OTHER)


def draw_microphone(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """A round or long head near the mouth, on a stick that comes from below."""
    size, unit = scene.size, scene.unit
    mouth = scene.points[regions.UPPER_LIP]
    centre = mouth + rng.normal(0, 0.35, 2) * unit + (0, rng.uniform(0, 0.5) * unit)
    heading = rng.uniform(0.15, np.pi - 0.15)
    back = np.array([np.cos(heading), np.sin(heading)])
    radius = rng.uniform(0.12, 0.42) * unit
    head = fill_polygon(
        size, trace_superellipse(centre, (radius * rng.uniform(1, 1.6), radius), 2.3, heading)
    )
    stick = draw_line(
        size, np.stack([centre, centre + back * 4 * unit]), radius * rng.uniform(0.5, 1)
    )
    mask = np.maximum(head, stick)
    scene.darken(soften(mask, 0.1 * unit) * rng.uniform(0, 0.5))
    colors = np.full((size, size, 3), rng.uniform(0, 90), np.float32)
    if rng.random() < 0.3:
        colors = draw_material(things, size, rng)
    grain = (rng.random((size, size, 1), np.float32) - 0.5) * rng.uniform(0, 80)
    scene.cover((colors + grain).clip(0, 255), mask, OTHER)


def draw_thing(scene: FaceScene, things: Materials, rng: np.random.Generator) -> None:
    """A bar, a card, a telephone, a cup, a mask over mouth and nose, anything."""
    size, unit = scene.size, scene.unit
    kind = rng.random()
    centre = scene.points[rng.integers(regions.MESH_POINTS)] + rng.normal(0, 0.4, 2) * unit
    if kind < 0.3:
        radii = rng.uniform(0.15, 1.4, 2) * unit
        outline = trace_superellipse(centre, radii, rng.uniform(2, 8), rng.uniform(0, np.pi))
    elif kind < 0.5:
        turn = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 9)))[:, None]
        reach = rng.uniform(0.3, 1.3, (len(turn), 1)) * unit
        outline = centre + np.concatenate([np.cos(turn), np.sin(turn)], axis=1) * reach
    elif kind < 0.75:  # a bar right across, at any height or slant
        angle = rng.normal(0, 0.4) if rng.random() < 0.7 else rng.uniform(0, np.pi)
        outline = trace_superellipse(centre, (6 * unit, rng.uniform(0.08, 0.6) * unit), 10, angle)
    else:  # cloth over mouth and nose
        sides = scene.points[[93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378]]
        more = scene.points[[379, 365, 397, 288, 361, 323]]
        ridge = scene.points[[regions.NOSE_TIP]] - (0, rng.uniform(-0.1, 0.5) * unit)
        outline = np.concatenate([sides, more, ridge])
        outline = outline.mean(0) + (outline - outline.mean(0)) * rng.uniform(1.0, 1.15)
    mask = fill_polygon(size, outline, rng.uniform(0, 0.03) * unit)
    if rng.random() < 0.6:
        scene.darken(soften(mask, 0.1 * unit) * rng.uniform(0.05, 0.6))
    scene.cover(draw_material(things, size, rng), mask, OTHER)


Draw = Callable[[FaceScene, Materials, np.random.Generator], None]
ON_SKIN: dict[str, tuple[Draw, float]] = {
    "skin tone": (change_skin_tone, 0.3),
    "hair tone": (change_hair_tone, 0.3),
    "eye makeup": (draw_eye_makeup, 0.25),
    "lip paint": (draw_lip_paint, 0.2),
    "face paint": (draw_face_paint, 0.22),
}
OVER_SKIN: dict[str, tuple[Draw, float]] = {
    "fringe": (draw_fringe, 0.22),
    "strands": (draw_strands, 0.14),
    "glasses": (draw_glasses, 0.22),
    "hat": (draw_hat, 0.1),
    "hand": (draw_hand, 0.16),
    "microphone": (draw_microphone, 0.05),
    "thing": (draw_thing, 0.14),
}
"""What is drawn, in this order, and in what share of the pictures."""
