"""Train the networks that read product pictures.

    python -m training.train_attributes tiny                        # seconds, rendered on the spot
    python -m training.train_attributes finder --cache CACHE
    python -m training.train_attributes pans --cache CACHE --start FINDER    # FINDER: its weights
    python -m training.train_attributes reader --cache CACHE

CACHE is what `python -m training.prepare.products` writes. Stop the run, give the
same command, and it goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import torch

from models.attributes.networks import FinishClassifier, ShadeFinder
from training.config import LoopConfig, OptimConfig, RunConfig, from_command_line
from training.data.products.finish_data import FinishData
from training.data.products.scene_data import SceneData, SceneStore, render_scenes
from training.loop import Trainer
from training.methods.attributes import ClassifyFinish, FindShades


@dataclass(frozen=True)
class AttributesConfig(RunConfig):
    """A run of one of the two networks; without `cache` a few products are rendered."""

    network: Literal["finder", "reader"] = "finder"
    cache: Path | None = None
    widths: tuple[int, ...] = (16, 24, 32, 56, 80)
    size: int = 160
    # How many times each photograph of the cache is taken for one rendered picture's once.
    photos_weight: int = 4
    # Weights to go on from, and whether only rendered palettes are looked at.
    start: Path | None = None
    palettes_only: bool = False


PRESETS = {
    "finder": (
        "the network that finds shades",
        AttributesConfig(
            name="shade-finder",
            optim=OptimConfig(lr=3e-3, weight_decay=1e-4, warmup=50),
            loop=LoopConfig(steps=900, batch=10, save_every=50, ema=0.98, threads=1),
        ),
    ),
    "pans": (
        "the finder, gone on with on palettes of every colour; needs --start",
        AttributesConfig(
            name="pan-finder",
            size=192,
            palettes_only=True,
            optim=OptimConfig(lr=2e-3, weight_decay=1e-4, warmup=20),
            loop=LoopConfig(steps=1000, batch=8, save_every=50, ema=0.98, threads=1),
        ),
    ),
    "reader": (
        "the network that reads a shade's finish",
        AttributesConfig(
            name="finish-reader",
            network="reader",
            widths=(512,),
            photos_weight=2,
            optim=OptimConfig(lr=3e-3, weight_decay=0.1, warmup=100),
            loop=LoopConfig(steps=10_000, batch=128, save_every=500, ema=0.995, threads=1),
        ),
    ),
    "tiny": (
        "five steps of the finder on small scenes",
        AttributesConfig(
            name="tiny-shade-finder",
            widths=(8, 8, 8, 8),
            size=64,
            loop=LoopConfig(steps=5, batch=2, save_every=5, log_every=1, threads=1),
        ),
    ),
    "tiny_reader": (
        "five steps of the reader on small scenes",
        AttributesConfig(
            name="tiny-finish-reader",
            network="reader",
            widths=(8,),
            size=64,
            loop=LoopConfig(steps=5, batch=4, save_every=5, log_every=1, threads=1),
        ),
    ),
}


def build(config: AttributesConfig) -> Trainer:
    """Put a run together."""
    stages = len(config.widths)
    depths = (1,) + (2,) * (stages - 1)
    if config.network == "reader":
        shades = _load_shades(config)
        features = torch.from_numpy(shades.features[:, 0])
        classifier = FinishClassifier(signs=features.shape[1], width=config.widths[-1])
        return Trainer(config, ClassifyFinish(classifier, features, config.loop.seed), shades)
    method = FindShades(ShadeFinder(widths=config.widths, depths=depths), config.loop.seed)
    if config.start is not None:
        start = ShadeFinder.from_pretrained(config.start)
        method.networks["finder"].load_state_dict(start.state_dict())
    return Trainer(config, method, _load_scenes(config))


def _load_shades(config: AttributesConfig) -> FinishData:
    if config.cache is None:
        return FinishData.from_scenes(
            render_scenes(8, config.size, config.loop.seed, kinds=("pan", "smear"))
        )
    shades = FinishData.load(config.cache / "close_ups.npz")
    photos = config.cache / "photographed_shades.npz"
    if photos.exists():
        shades = FinishData.join([shades, *[FinishData.load(photos)] * config.photos_weight])
    return shades


def _load_scenes(config: AttributesConfig) -> SceneData:
    if config.cache is None:
        scenes = render_scenes(8, config.size, config.loop.seed)
        return SceneData(SceneStore.from_scenes(scenes), config.size)
    stores = [SceneStore.load(config.cache / "scenes.npz")]
    if config.palettes_only:
        return SceneData(stores[0].select_kind("palette"), config.size)
    photos = config.cache / "photos.npz"
    if photos.exists():
        stores += [SceneStore.load(photos)] * config.photos_weight
    return SceneData(SceneStore.join(*stores), config.size)


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    cv2.setNumThreads(1)  # batches are made beside the step; more threads take turns with it
    build(from_command_line(PRESETS, __doc__ or "", arguments)).run()


if __name__ == "__main__":
    main()
