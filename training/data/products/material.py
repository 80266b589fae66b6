"""Light on makeup: a small physically based shader with known colour and finish.

Highlights are what the surface mirrors of the studio (`product_light`), blurred by its roughness,
with Schlick's Fresnel; flakes are facets with normals of their own; a colour-shifting pigment turns
its hue towards the mirror direction; sheer layers let through what lies under them by Beer's law.
All light is linear sRGB.

What makes a finish, the same for training and for what is held out (`_RANGES` has the numbers):

- matte: so rough that it mirrors nothing; its grain may be seen.
- satin: half as rough, with a little mica: a broad sheen without edges.
- cream, dewy, gloss: ever smoother. The softboxes are soft patches on a slightly wrinkled surface,
  then bright lights with soft edges, then windows with sharp ones. Gloss is thin and flows: a
  smear of it levels to a smooth drop, a dewy one keeps half of its streaks, a cream one all.
- sheer: covers less than half of what lies under it.
- shimmer, glitter: flakes; many of 1 % of the shade's height, or fewer of 5 %.
- metallic: light comes back from coloured platelets on wrinkled foil: highlights have its colour.
- duochrome: foil whose hue turns by 60 to 150 degrees towards the mirror direction.

From a flat pan seen where no lamp is mirrored, cream, dewy and gloss look alike, as they do to a
person; shimmer whose flakes are below a pixel becomes an even sheen.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from models.ops.color import lab_to_rgb, rgb_to_lab
from training.data.products.light import Rig, normalize


@dataclass(frozen=True)
class Material:
    """A product's substance.

    Attributes:
        finish: the name of the ranges its numbers were drawn from.
        lab: (3,) CIELAB of the colour it shows where light falls flat on a covering layer.
        roughness: of the surface, 0..1; GGX's alpha is its square.
        coat: strength of white highlights; 1 is a dielectric of index 1.5.
        metal: share of light reflected by coloured platelets, 0..1.
        flake_density: share of the area covered by flakes, 0..1.
        flake_size: diameter as a share of the shade's height.
        hue_shift: degrees between the body's hue and the mirror direction's.
        opacity: 1 covers fully.
        grain: roughness of a dry surface that can be seen, pixels of height.
        ripple: depth of the wrinkles of foil and pearl, as a share of the shade's height.
        flow: how far a wet layer levels before it is photographed; 0 keeps every streak, 1 none.
    """

    finish: str
    lab: np.ndarray
    roughness: float
    coat: float = 1.0
    metal: float = 0.0
    flake_density: float = 0.0
    flake_size: float = 0.0
    hue_shift: float = 0.0
    opacity: float = 1.0
    grain: float = 0.0
    ripple: float = 0.0
    flow: float = 0.0

    @property
    def gloss(self) -> float:
        """0 (no highlight) to 1 (mirror), growing with smoothness and strength."""
        return float(np.clip((1 - self.roughness) * max(self.coat, self.metal), 0, 1))

    @property
    def axes(self) -> np.ndarray:
        """(5,) gloss, sparkle density, sparkle size, hue shift in degrees, opacity."""
        size = self.flake_size if self.flake_density > 0 else 0.0
        return np.array([self.gloss, self.flake_density, size, self.hue_shift, self.opacity])


_RANGES: dict[str, dict[str, tuple[float, float]]] = {
    "matte": {"roughness": (0.8, 1.0), "coat": (0.2, 0.8), "grain": (0.04, 0.12)},
    "satin": {"roughness": (0.47, 0.55), "coat": (1.4, 2.0), "metal": (0.3, 0.45)},
    "cream": {"roughness": (0.3, 0.35), "ripple": (0.0015, 0.003)},
    "sheer": {"roughness": (0.3, 0.6), "opacity": (0.2, 0.5)},
    "shimmer": {
        "roughness": (0.5, 0.7),
        "flake_density": (0.3, 0.6),
        "flake_size": (0.008, 0.016),
    },
    "metallic": {"roughness": (0.33, 0.45), "metal": (0.8, 0.95), "ripple": (0.006, 0.012)},
    "glitter": {
        "roughness": (0.4, 0.7),
        "flake_density": (0.15, 0.4),
        "flake_size": (0.035, 0.065),
    },
    "gloss": {"roughness": (0.04, 0.1), "flow": (0.85, 0.95)},
    "dewy": {"roughness": (0.19, 0.23), "opacity": (0.85, 1.0), "flow": (0.4, 0.6)},
    "duochrome": {
        "roughness": (0.35, 0.45),
        "metal": (0.6, 0.85),
        "hue_shift": (60.0, 150.0),
        "ripple": (0.006, 0.012),
    },
}


def draw_material(finish: str, lab: np.ndarray, rng: np.random.Generator) -> Material:
    """Draw a material of one finish; numbers a finish does not name stay at their defaults."""
    drawn = {key: float(rng.uniform(*ends)) for key, ends in _RANGES[finish].items()}
    return Material(finish, np.asarray(lab, np.float32), **drawn)


def draw_noise(size_hw: tuple[int, int], cells: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise, (h, w), deviation about 1, `cells` bumps along the shorter side."""
    step = max(1.0, min(size_hw) / cells)
    grid = rng.normal(size=(int(size_hw[0] / step) + 2, int(size_hw[1] / step) + 2))
    return cv2.resize(grid.astype(np.float32), size_hw[::-1], interpolation=cv2.INTER_CUBIC)


def to_linear(rgb: np.ndarray) -> np.ndarray:
    """SRGB 0..1 to linear light."""
    rgb = np.asarray(rgb, np.float32)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """Linear light to sRGB 0..1; what is too bright is clipped."""
    x = np.clip(linear, 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055).astype(np.float32)


def shade_surface(
    height: np.ndarray,
    materials: Material,
    rig: Rig,
    under: np.ndarray,
    rng: np.random.Generator,
    *,
    origin_xy: tuple[float, float] = (0.0, 0.0),
    pixel: float = 1 / 256,
    tone: np.ndarray | None = None,
) -> np.ndarray:
    """Light a height field.

    Args:
        height: (h, w) in pixels, growing towards the camera.
        materials: the substance.
        rig: lights and camera.
        under: (h, w, 3) linear light from below, seen through sheer layers.
        rng: draws flakes.
        origin_xy: place of the upper left pixel in the picture, 0..1.
        pixel: side of a pixel in the picture, 0..1.
        tone: (h, w) factor on the body's colour, such as marbling; 1 where None.

    Returns:
        (h, w, 3) float32 linear light.
    """
    size_hw = height.shape[0], height.shape[1]
    thickness = height
    height = height + materials.grain * rng.normal(size=size_hw)
    if materials.ripple > 0:
        height = height + materials.ripple * size_hw[0] * draw_noise(size_hw, 16, rng)
    slope_y, slope_x = np.gradient(height)
    normal = normalize(np.stack([-slope_x, -slope_y, np.ones(size_hw)], -1))
    ys, xs = np.mgrid[: size_hw[0], : size_hw[1]] * pixel
    place = np.stack([xs + origin_xy[0], ys + origin_xy[1], np.zeros(size_hw)], -1)
    view = normalize(np.array([0.5, 0.5, rig.camera_z]) - place)
    albedo = to_linear(lab_to_rgb(materials.lab[None])[0])
    albedo = np.broadcast_to(albedo, (*size_hw, 3)) * (1 if tone is None else tone[..., None])
    facets, covered = _draw_flakes(normal, materials, rng)

    diffuse = np.full(size_hw, rig.ambient)
    platelets = np.full(size_hw, rig.ambient)
    coat, sparkle, toward_mirror = (np.zeros(size_hw) for _ in range(3))
    alpha = materials.roughness**2
    mirrored = _trace_reflection(view, normal)
    glanced = _trace_reflection(view, facets) if materials.flake_density > 0 else mirrored
    fresnel = 0.04 + 0.96 * (1 - (normal * view).sum(-1)).clip(0, 1) ** 5
    for lamp, share in rig.lamps:
        light = normalize(lamp.place_xyz - place)
        level = light[..., 2].clip(0.2)
        radiance = np.pi * share / (lamp.solid_angle * level)
        diffuse += share * (normal * light).sum(-1).clip(0) / level
        coat += (
            materials.coat
            * fresnel
            * radiance
            * lamp.measure_share(mirrored, light, max(alpha, 0.004))
        )
        if materials.metal > 0:
            platelets += radiance * lamp.measure_share(mirrored, light, max(alpha, 0.1))
            facing = (normal * normalize(light + view)).sum(-1).clip(0)
            toward_mirror = np.maximum(toward_mirror, facing**20)
        if materials.flake_density > 0:
            sparkle += radiance * lamp.measure_share(glanced, light, 0.05)
    fine = min(1.0, materials.flake_size * size_hw[0])  # a pixel shows many flakes at once
    sparkle = sparkle.mean() + fine * (sparkle - sparkle.mean())
    body = albedo * diffuse[..., None]
    pigment = _turn_hue(albedo, materials.hue_shift)
    if materials.metal > 0:
        shine = pigment * platelets[..., None]
        toward = (toward_mirror if materials.hue_shift else 1.0) * materials.metal
        body = body + np.asarray(toward)[..., None] * (shine - body)
    glint = (0.5 * pigment + 0.5 * pigment.max(-1, keepdims=True)) * sparkle[..., None]
    body = body + covered[..., None] * (glint - 0.35 * body)
    layer = 1 - (1 - materials.opacity) ** np.clip(
        thickness / max(float(thickness.max()), 1e-3), 0.3, 1
    )
    if materials.opacity < 1:
        body = under * (body + (1 - body) * (1 - layer[..., None])) * (1 - layer[..., None]) + (
            body * layer[..., None]
        )
    return (rig.exposure * (body + coat[..., None])).astype(np.float32)


def _trace_reflection(view: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Where a mirror with this normal would look, seen from `view`."""
    return 2 * (normal * view).sum(-1, keepdims=True) * normal - view


def _draw_flakes(
    normal: np.ndarray, material: Material, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Normals of the flakes, and (h, w) in 0..1 where they lie."""
    height, width = normal.shape[:2]
    if material.flake_density <= 0:
        return normal, np.zeros((height, width))
    cell = max(1.0, material.flake_size * height)
    cells = max(2, round(height / cell)), max(2, round(width / cell))
    lean = rng.normal(0, 0.35, (*cells, 3)) * [1, 1, 0]
    there = (rng.random(cells) < material.flake_density).astype(np.float32)
    # Sample the cells through a jittered grid, so that flakes are shards and not tiles.
    ys, xs = np.mgrid[:height, :width].astype(np.float32)
    wobble = rng.normal(0, 0.28, (2, height, width)).astype(np.float32)
    wobble = np.stack([cv2.GaussianBlur(w, (0, 0), max(0.4, cell / 5)) for w in wobble]) * cell
    map_x = (xs + wobble[0]) * (cells[1] / width)
    map_y = (ys + wobble[1]) * (cells[0] / height)
    packed = np.dstack([lean.astype(np.float32), there])
    sampled = cv2.remap(packed, map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
    return normalize(normal + sampled[..., :3]), sampled[..., 3]


def _turn_hue(albedo: np.ndarray, degrees: float) -> np.ndarray:
    """The colour with its hue turned in CIELAB; a grey one is given some colour to turn."""
    if degrees == 0:
        return albedo
    lab = rgb_to_lab(to_srgb(albedo[:1, :1]))[0, 0]
    hue = np.arctan2(lab[2], lab[1]) + np.radians(degrees)
    chroma = max(35.0, float(np.hypot(lab[1], lab[2])))
    turned = np.array([[max(lab[0], 50.0), chroma * np.cos(hue), chroma * np.sin(hue)]], np.float32)
    return np.broadcast_to(to_linear(lab_to_rgb(turned)[0]), albedo.shape)
