"""Read a product picture: what it shows, and the colour and finish of every shade in it.

extractor = AttributeExtractor()
attributes = extractor(decode("palette.jpg"), title="Norvina eyeshadow palette")
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from models.attributes.color_names import color_name
from models.attributes.shade_color import shade_color
from models.attributes.shades import Region, reading_order
from models.errors import ShapeError
from models.ops.color import chroma, lab_to_rgb, rgb_to_lab
from pipelines.catalog.attributes import Attributes, Shade
from pipelines.catalog.drawing import draw_shades
from pipelines.catalog.words import category_in, finish_in

__all__ = ["PIPELINE_VERSION", "AttributeExtractor", "draw_shades"]

PIPELINE_VERSION = "0.1"
WORKING_SIDE = 512


class AttributeExtractor:
    """Reads one picture at a time; the weights are loaded at the first.

    The answer depends on the picture and the words alone: not on earlier pictures, and not on the
    number of threads.
    """

    def __call__(self, image: Image.Image, *, title: str = "", description: str = "") -> Attributes:
        """Read a picture.

        Args:
            image: mode "RGB", upright, sRGB; see `pipelines.images.decode`.
            title: the product's, evidence for category and finish.
            description: likewise.

        Returns:
            Kind, category and shades.

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
        pixels = np.asarray(image)
        regions = _chromatic_regions(pixels)
        order = reading_order(np.array([region.bbox_xyxy for region in regions]))
        regions = [regions[i] for i in order]
        lab = rgb_to_lab(pixels)
        shades = tuple(
            self._shade(index, region, lab, words) for index, region in enumerate(regions)
        )
        kind = "palette" if len(shades) > 3 else "smear" if shades else "packaging"
        best = int(np.argmax([region.area for region in regions])) if shades else 0
        attributes = Attributes(kind, category_in(words) or "unknown", shades, best, image.size)
        return attributes, tuple(region.mask for region in regions)

    def _shade(self, index: int, region: Region, lab: np.ndarray, words: str) -> Shade:
        x0, y0, x1, y1 = region.bbox_xyxy
        inside = lab[y0:y1, x0:x1][region.mask]
        color = shade_color(inside, np.ones(len(inside)))
        rgb = np.round(lab_to_rgb(color.lab[None])[0] * 255).astype(int)
        return Shade(
            index=index,
            hex="#{:02x}{:02x}{:02x}".format(*rgb),
            lab=tuple(round(float(v), 2) for v in color.lab),
            name=color_name(color.lab),
            spread=round(color.spread, 2),
            finish=finish_in(words) or "satin",
            gloss=0.0,
            sparkle_density=0.0,
            sparkle_size=0.0,
            hue_shift=0.0,
            opacity=1.0,
            bbox_xyxy=region.bbox_xyxy,
            confidence=region.score,
        )


def _chromatic_regions(pixels: np.ndarray) -> list[Region]:
    """Where the most colourful 30 % of what is not white lies."""
    scale = min(1.0, WORKING_SIDE / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    lab = rgb_to_lab(small)
    colourful, seen = chroma(lab), lab[..., 0] < 92
    if seen.sum() < 64:
        return []
    mask = seen & (colourful >= max(8.0, np.percentile(colourful[seen], 70)))
    mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    size = pixels.shape[1], pixels.shape[0]
    mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    areas = stats[1:, cv2.CC_STAT_AREA]
    least = 0.15 * areas.max() if count > 1 else 0
    return [Region.of(labels == i + 1, 0.5) for i in range(count - 1) if areas[i] >= least]
