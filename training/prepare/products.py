"""Render products for training.

    python -m training.prepare.products CACHE
    python -m training.prepare.products CACHE --scenes 0 --close-ups 0 --photos DATA \
        --finders WEIGHTS

writes `scenes.npz` and `close_ups.npz`, of rendered products only; and of the tuning half of the
real photographs (see `training.data.products.photos`) `photos.npz` and, once there are finders that
find them, the shades in it, `photographed_shades.npz`.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import tyro
from tyro.conf import Positional

from models.attributes.networks import ShadeFinder
from training.data.products.finish_data import FinishData
from training.data.products.photos import read_photos, read_shades
from training.data.products.scene_data import CLOSE_UPS, SceneStore, render_scenes

SIDES = (144, 192, 256, 384)
"""Of the pictures that close-ups are cut from, in pixels."""


def write_products(
    cache: Positional[Path],
    scenes: int = 6000,
    close_ups: int = 12_000,
    photos: Path | None = None,
    finders: Path | None = None,
) -> None:
    """Write the cache.

    Args:
        cache: folder written to.
        scenes: how many whole pictures.
        close_ups: how many pictures of single shades.
        photos: folder with products/, makeup/, garments/.
        finders: folder of shade-finder and pan-finder.
    """
    cv2.setNumThreads(1)
    cache.mkdir(parents=True, exist_ok=True)
    if photos:
        read_photos(photos).save(cache / "photos.npz")
        if finders:
            shade_finder, pan_finder = (
                ShadeFinder.from_pretrained(finders / name).float().eval()
                for name in ("shade-finder", "pan-finder")
            )
            shades = read_shades(photos, shade_finder, pan_finder)
            shades.save(cache / "photographed_shades.npz")
    if scenes:
        SceneStore.from_scenes(render_scenes(scenes, 256, seed=1)).save(cache / "scenes.npz")
    if close_ups:
        near = [
            FinishData.from_scenes(
                render_scenes(close_ups // len(SIDES), side, seed=side, kinds=CLOSE_UPS), side
            )
            for side in SIDES
        ]
        FinishData.join(near).save(cache / "close_ups.npz")


if __name__ == "__main__":
    tyro.cli(write_products, description=__doc__)
