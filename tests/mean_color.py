"""The simplest real extractor: a picture is one shade of its mean colour.

It lives in a module of its own so that worker processes can import it.
"""

import os

import numpy as np
from PIL import Image

from models.ops.color import lab_to_rgb, rgb_to_lab
from pipelines.catalog.extract.attributes import Attributes, Shade


def shade_of(lab, index=0, box=(0, 0, 1, 1), **given) -> Shade:
    """A shade of some colour, dull and opaque unless told otherwise."""
    lab = np.float32(lab)
    red, green, blue = np.rint(lab_to_rgb(lab[None])[0] * 255).astype(int)
    said = {
        "name": "mean",
        "spread": 0.5,
        "finish": "matte",
        "gloss": 0.1,
        "sparkle_density": 0.0,
        "sparkle_size": 0.0,
        "hue_shift": 0.0,
        "opacity": 1.0,
        "confidence": 0.9,
    }
    return Shade(
        index=index,
        hex=f"#{red:02x}{green:02x}{blue:02x}",
        lab=tuple(float(value) for value in lab),
        bbox_xyxy=box,
        **{**said, **given},
    )


class MeanColor:
    """Top and bottom half as two shades of a palette when `two`, else all of it as a pan."""

    two = False

    def __call__(self, image: Image.Image, *, title: str = "", description: str = "") -> Attributes:
        lab = rgb_to_lab(np.asarray(image))
        width, height = image.size
        halves = [(0, height // 2), (height // 2, height)] if self.two else [(0, height)]
        shades = tuple(
            shade_of(lab[top:bottom].mean((0, 1)), index, (0, top, width, bottom))
            for index, (top, bottom) in enumerate(halves)
        )
        category = "lipstick" if "lip" in title else "eyeshadow"
        kind = "palette" if self.two else "pan"
        return Attributes(kind, category, shades, 0, image.size)


class TwoColors(MeanColor):
    two = True


class Deadly(MeanColor):
    """Ends its process at the sight of a pure white picture, as a broken decoder would."""

    def __call__(self, image: Image.Image, **words: str) -> Attributes:
        if np.asarray(image).min() == 255:
            os._exit(9)
        return super().__call__(image, **words)


class Picky(MeanColor):
    """Raises what nobody expected at pure black."""

    def __call__(self, image: Image.Image, **words: str) -> Attributes:
        if np.asarray(image).max() == 0:
            raise ZeroDivisionError
        return super().__call__(image, **words)


class Unready(MeanColor):
    """Finds its weights missing when it needs them."""

    def __call__(self, image: Image.Image, **words: str) -> Attributes:
        raise FileNotFoundError("weights")
