"""Read a product picture: what it shows, and the colour and finish of every shade in it.

extractor = AttributeExtractor()
attributes = extractor(decode("palette.jpg"), title="Norvina eyeshadow palette")
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from models.attributes.color_names import color_name
from models.attributes.crops import crop_shade
from models.attributes.finding import Finding, find_shades
from models.attributes.networks import FinishClassifier, ShadeFinder
from models.attributes.shade_color import ShadeColor, color_of, confidence
from models.attributes.shades import (
    Region,
    merge_duplicates,
    reading_order,
    rows_of,
    without_mirror,
)
from models.attributes.surface_features import surface_features
from models.attributes.vocabulary import FINISHES, KINDS, SHADELESS
from models.errors import ShapeError
from models.lazy import locked_cached_property
from models.ops.color import lab_to_rgb, rgb_to_lab
from pipelines.analysis import load_network
from pipelines.catalog.extract.attributes import Attributes, Shade
from pipelines.catalog.extract.category import decide_category
from pipelines.catalog.extract.drawing import draw_shades
from pipelines.catalog.extract.words import find_finish

__all__ = ["PIPELINE_VERSION", "AttributeExtractor", "draw_shades"]

PIPELINE_VERSION = "3"
"""Changes whenever the same picture and words may give another answer."""
WEIGHTS = Path(__file__).resolve().parents[3] / "assets" / "weights" / "product-attributes"
READING_SIDE = 1024
"""Larger pictures are read at this size; boxes are given in the picture's own pixels."""
SAME_PRODUCT = 5.0
"""CIEDE2000 below which two pieces of one product are one shade: a bullet and its smear."""
SAME_THROUGH_GLASS = 12.0
"""The same for a bottle and the tip of its wand."""
WORDS_WEIGH = 12.0
"""How many times likelier the finish becomes that title or description name: high, for photographs
are not lit as the rendered products are that the network learned from."""
HIDDEN_FINISH_KINDS = ("bottle", "pencil")
"""Kinds whose surface is glass or wood: there the network's word counts for less."""


class AttributeExtractor:
    """Reads one picture at a time; the weights are loaded at the first.

    The answer depends on the picture and the words alone: not on earlier pictures, and not on the
    number of threads.

    Args:
        weights: folder of `shade-finder`, `pan-finder`, `finish-reader` and `confidence.json`.
    """

    def __init__(self, weights: Path = WEIGHTS) -> None:
        self.weights = weights

    def __call__(self, image: Image.Image, *, title: str = "", description: str = "") -> Attributes:
        """Read a picture.

        Args:
            image: mode "RGB", upright, sRGB; see `pipelines.images.decode.decode`.
            title: the product's, evidence for category and finish.
            description: likewise.

        Returns:
            Kind, category and shades. Where a person wears the product, or only packaging is seen,
            there are no shades.

        Raises:
            ShapeError: the picture has another mode.
        """
        return self.read(image, title=title, description=description)[0]

    def read(
        self, image: Image.Image, *, title: str = "", description: str = ""
    ) -> tuple[Attributes, tuple[np.ndarray, ...]]:
        """As the call, with one (h, w) bool mask inside each shade's `bbox_xyxy`."""
        if image.mode != "RGB":
            raise ShapeError(
                f"an RGB picture is needed, not {image.mode}", found=image.mode, needed="RGB"
            )
        words = f"{title} {description}"
        # 1. Look at the whole picture
        pixels, scale = _reading_size(np.asarray(image))
        finding = find_shades(self._finder, self._pan_finder, pixels)
        regions = [] if finding.kind in SHADELESS else list(finding.regions)
        # 2. Read the colours, and keep one of what is the same
        lab = rgb_to_lab(pixels)
        colors = [color_of(region, lab, finding.tone) for region in regions]
        keep = _ordered(finding, regions, colors)
        regions, colors = [regions[i] for i in keep], [colors[i] for i in keep]
        # 3. Read the finishes
        finishes, axes = self._finishes(pixels, regions)
        # 4. Decide, with the words as evidence
        sure = [self._confidence(finding, *both) for both in zip(regions, colors, strict=True)]
        shades = tuple(
            _shade(
                index,
                colors[index],
                _finish(finishes[index], finding.kind, words),
                axes[index],
                sure[index],
            )
            for index in range(len(regions))
        )
        best = _best(finding, regions, sure)
        kinds = dict(zip(KINDS, finding.kinds.tolist(), strict=True))
        category = decide_category(kinds, colors[best].lab if shades else None, words)
        # 5. Give boxes and masks in the picture's own pixels
        placed = [_at_full_size(region, scale, image.size) for region in regions]
        shades = tuple(
            replace(shade, bbox_xyxy=region.bbox_xyxy)
            for shade, region in zip(shades, placed, strict=True)
        )
        attributes = Attributes(finding.kind, category, shades, best, image.size)
        return attributes, tuple(region.mask for region in placed)

    def read_finish(self, pixels: np.ndarray, mask: np.ndarray) -> tuple[str, np.ndarray] | None:
        """Finish of one shade whose place is known, by the picture alone.

        Args:
            pixels: (H, W, 3) uint8 RGB.
            mask: (H, W) bool.

        Returns:
            The finish and the network's five axes in 0..1, or None for an empty mask.
        """
        if not mask.any():
            return None
        finishes, axes = self._finishes(pixels, [Region.of(mask, 1.0)])
        return FINISHES[int(np.argmax(finishes[0]))], axes[0]

    @locked_cached_property
    def _finder(self) -> ShadeFinder:
        return load_network(ShadeFinder, self.weights / "shade-finder")

    @locked_cached_property
    def _pan_finder(self) -> ShadeFinder:
        return load_network(ShadeFinder, self.weights / "pan-finder")

    @locked_cached_property
    def _finish_classifier(self) -> FinishClassifier:
        return load_network(FinishClassifier, self.weights / "finish-reader")

    @locked_cached_property
    def _calibration(self) -> dict[str, float]:
        return json.loads((self.weights / "confidence.json").read_text(encoding="utf-8"))

    def _confidence(self, finding: Finding, region: Region, color: ShadeColor) -> float:
        return confidence(self._calibration, region, color, finding.kinds)

    @torch.inference_mode()
    def _finishes(self, pixels: np.ndarray, regions: list[Region]) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities (N, F) over `FINISHES` and axes (N, 5) in 0..1."""
        if not regions:
            return np.zeros((0, len(FINISHES))), np.zeros((0, 5))
        features = [surface_features(crop_shade(pixels, r.mask, r.bbox_xyxy)) for r in regions]
        logits, axes = self._finish_classifier(torch.from_numpy(np.stack(features)))
        return logits.softmax(1).numpy(), axes.numpy()


def _reading_size(pixels: np.ndarray) -> tuple[np.ndarray, float]:
    scale = min(1.0, READING_SIDE / max(pixels.shape[:2]))
    if scale == 1:
        return pixels, scale
    size_wh = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    return cv2.resize(pixels, size_wh, interpolation=cv2.INTER_AREA), scale


def _ordered(finding: Finding, regions: list[Region], colors: list[ShadeColor]) -> list[int]:
    """Indices of the shades to keep, in reading order: no mirror images of pans, no duplicates."""
    if not regions:
        return []
    boxes = np.array([region.bbox_xyxy for region in regions])
    labs = np.array([color.lab for color in colors])
    if finding.kind == "palette":
        return without_mirror(rows_of(boxes), labs)
    ranks, nearer = np.array([region.area for region in regions], float), SAME_PRODUCT
    if finding.kind == "bottle":
        ranks[0], nearer = np.inf, SAME_THROUGH_GLASS
    kept = [group[0] for group in merge_duplicates(labs, ranks, nearer)]
    return [kept[i] for i in reading_order(boxes[kept])]


def _finish(probabilities: np.ndarray, kind: str, words: str) -> str:
    chances = probabilities ** (0.3 if kind in HIDDEN_FINISH_KINDS else 1.0)
    named = find_finish(words)
    if named is not None:
        chances = chances * np.where(np.array(FINISHES) == named, WORDS_WEIGH, 1.0)
    return FINISHES[int(np.argmax(chances))]


def _shade(index: int, color: ShadeColor, finish: str, axes: np.ndarray, sure: float) -> Shade:
    rgb = np.round(np.clip(lab_to_rgb(color.lab[None])[0], 0, 1) * 255).astype(int)
    lightness, a, b = (round(float(value), 2) for value in color.lab)
    gloss, density, size, turn, opacity = (round(float(value), 3) for value in axes)
    return Shade(
        index=index,
        hex="#{:02x}{:02x}{:02x}".format(*rgb),
        lab=(lightness, a, b),
        name=color_name(color.lab),
        spread=round(color.spread, 2),
        finish=finish,
        gloss=gloss,
        sparkle_density=density,
        sparkle_size=round(size / 10, 4),
        hue_shift=round(turn * 180, 1),
        opacity=opacity,
        bbox_xyxy=(0, 0, 0, 0),
        confidence=round(sure, 3),
    )


def _best(finding: Finding, regions: list[Region], sure: list[float]) -> int:
    """The shade that is large and sure; of a bottle the first that was found, its wand's tip."""
    if not regions:
        return 0
    if finding.kind == "bottle" and finding.regions[0] in regions:
        return regions.index(finding.regions[0])
    return int(np.argmax([s * np.sqrt(r.area) for s, r in zip(sure, regions, strict=True)]))


def _at_full_size(region: Region, scale: float, size_wh: tuple[int, int]) -> Region:
    if scale == 1:
        return region
    x0, y0, x1, y1 = (round(value / scale) for value in region.bbox_xyxy)
    x1, y1 = min(x1, size_wh[0]), min(y1, size_wh[1])
    mask = cv2.resize(
        region.mask.astype(np.uint8), (x1 - x0, y1 - y0), interpolation=cv2.INTER_NEAREST
    )
    return Region((x0, y0, x1, y1), mask > 0, region.score)
