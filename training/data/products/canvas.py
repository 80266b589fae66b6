"""What rendered products are painted on: linear light, shade numbers and a rig of lights."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from training.data.products.light import Rig
from training.data.products.material import Material, draw_material, shade_surface, to_linear


@dataclass
class Canvas:
    """What a scene is painted on: linear light, shade numbers, and who paints."""

    light: np.ndarray
    rig: Rig
    rng: np.random.Generator
    held_out: bool = False
    ids: np.ndarray = field(init=False)
    materials: list[Material] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids = np.zeros(self.light.shape[:2], np.int16)

    @property
    def size(self) -> int:
        """Side in pixels."""
        return self.light.shape[0]

    def lay(self, mask: np.ndarray, color: np.ndarray, at_xy: tuple[int, int], shade: int) -> None:
        """Put (h, w, 3) linear light on the canvas where `mask` (h, w) is 1; the rest is cut off.

        Args:
            mask: 0..1.
            color: light, or (3,) for one colour.
            at_xy: upper left corner; may lie outside.
            shade: number from 1, or 0 for what is no shade.
        """
        x, y = at_xy
        height, width = mask.shape
        x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + width, self.size), min(y + height, self.size)
        if x1 <= x0 or y1 <= y0:
            return
        part = np.s_[y0 - y : y1 - y, x0 - x : x1 - x]
        here = np.s_[y0:y1, x0:x1]
        color = np.broadcast_to(color, (height, width, 3))[part]
        self.light[here] += mask[part][..., None] * (color - self.light[here])
        self.ids[here][mask[part] > 0.5] = shade

    def read_light(self, size_hw: tuple[int, ...], at_xy: tuple[int, int]) -> np.ndarray:
        """The light that is there, (h, w, 3), mirrored beyond the edge."""
        x, y = at_xy
        ys = np.clip(np.arange(y, y + size_hw[0]), 0, self.size - 1)
        xs = np.clip(np.arange(x, x + size_hw[1]), 0, self.size - 1)
        return self.light[np.ix_(ys, xs)]

    def lay_shade(
        self,
        mask: np.ndarray,
        height: np.ndarray,
        material: Material,
        at_xy: tuple[int, int],
        *,
        number: int | None = None,
        tone: np.ndarray | None = None,
    ) -> None:
        """Lay a lit piece of a product; a new shade unless `number` says which."""
        if number is None:
            self.materials.append(material)
            number = len(self.materials)
        place = at_xy[0] / self.size, at_xy[1] / self.size
        color = shade_surface(
            height,
            material,
            self.rig,
            self.read_light(mask.shape, at_xy),
            self.rng,
            origin_xy=place,
            pixel=1 / self.size,
            tone=tone,
        )
        self.lay(mask, color, at_xy, number)

    def lay_prop(
        self,
        mask: np.ndarray,
        height: np.ndarray,
        lab: np.ndarray,
        at_xy: tuple[int, int],
        *,
        finish: str = "gloss",
    ) -> None:
        """Lay a lit piece of what is no shade: caps, cases, trays."""
        self.lay_shade(mask, height, draw_material(finish, lab, self.rng), at_xy, number=0)

    def drop_shadow(self, mask: np.ndarray, at_xy: tuple[int, int], strength: float = 0.3) -> None:
        """Darken the ground below a mask."""
        reach = self.size * 0.015
        soft = cv2.GaussianBlur(np.pad(mask, 12), (0, 0), reach) * strength
        x, y = at_xy[0] - 12 + int(reach), at_xy[1] - 12 + int(reach)
        ground = self.read_light(soft.shape, (x, y)) * 0.25
        ids = self.ids.copy()
        self.lay(soft.astype(np.float32), ground, (x, y), 0)
        self.ids = ids

    def write(self, count: int, box_xyxy: tuple[int, int, int, int]) -> None:
        """Write words somewhere in a box."""
        x0, y0, x1, y1 = box_xyxy
        for _ in range(count):
            text = "".join(self.rng.choice(list("ABCDEILMNORSTUabceilnorst "), 7))
            ink = to_linear(self.rng.choice([0.05, 0.95, 0.5]) * np.ones(3))
            layer = np.zeros((self.size, self.size), np.float32)
            spot = int(self.rng.uniform(x0, max(x0 + 1, x1 - 30))), int(self.rng.uniform(y0, y1))
            scale = float(self.rng.uniform(0.2, 0.7)) * self.size / 256
            cv2.putText(layer, text, spot, int(self.rng.integers(5)), scale, (1.0,), 1, cv2.LINE_AA)
            self.light += layer[..., None] * (ink - self.light)
