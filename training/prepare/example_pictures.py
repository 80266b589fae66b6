"""Make the pictures the page and the README show, from scikit-image's astronaut.

python -m training.prepare.example_pictures
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from models.instant.coats import Coat
from models.structures import Face
from pipelines.images.encode import save
from pipelines.makeup.named_looks import NAMES, find_look
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
from pipelines.makeup.pipeline_shade import ShadePipeline

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
README = EXAMPLES.parent / "readme"
FACE_BOX = (168, 68, 284, 184)  # of the astronaut's picture
LIPS_BOX = (196, 132, 252, 161)
FINISHES = ("matte", "satin", "shimmer", "metallic", "glitter", "gloss")
SHADES = (
    [Coat("#a8324a", "lips", "gloss")],
    [Coat("#b87333", "eyes", "metallic"), Coat("#b5654f", "lips", "satin")],
    [Coat("#2f6f5e", "eyes", "shimmer"), Coat("#c98a7c", "lips", "cream")],
    [Coat("#6a4a9a", "eyes", "duochrome"), Coat("#5a2048", "lips", "matte")],
)
HEADLINE = ("classic-red", "smoky-eye", "bronze", "cat-eye", "festival", "sunset", "deep-plum")


def main() -> None:
    """Write the example photo, a swatch of each look and the README's strip."""
    (EXAMPLES / "looks").mkdir(parents=True, exist_ok=True)
    README.mkdir(exist_ok=True)
    photo = Image.fromarray(data.astronaut())
    save(photo, EXAMPLES / "astronaut.png")
    pipeline = InstantMakeupPipeline()
    large = photo.resize((2048, 2048), Image.Resampling.LANCZOS)
    faces = pipeline.find_faces(large)
    left, top, right, bottom = FACE_BOX
    box = (4 * left, 4 * top, 4 * right, 4 * bottom)
    made_up = {
        name: pipeline.blend(pipeline.wear(faces, find_look(name))).crop(box) for name in NAMES
    }
    for name, picture in made_up.items():
        swatch = picture.resize((224, 224), Image.Resampling.LANCZOS)
        save(swatch, EXAMPLES / "looks" / f"{name}.webp", quality=88)
    strip = [large.crop(box), *(made_up[name] for name in HEADLINE)]
    strip = [np.asarray(p.resize((300, 300), Image.Resampling.LANCZOS)) for p in strip]
    rows = [np.hstack(strip[:4]), np.hstack(strip[4:])]
    save(Image.fromarray(np.vstack(rows)), README / "looks.webp", quality=90)
    save(draw_shades(ShadePipeline(pipeline), faces[0]), README / "shades.webp", quality=88)


def draw_shades(pipeline: ShadePipeline, face: Face) -> Image.Image:
    """Four faces in products of several kinds; below, one red in six finishes."""

    def cut(coats: list[Coat], box: tuple[int, ...], size: tuple[int, int]) -> np.ndarray:
        left, top, right, bottom = (4 * edge for edge in box)
        image = Image.fromarray(pipeline.put_on(face, coats)[0]).crop((left, top, right, bottom))
        return np.asarray(image.resize(size, Image.Resampling.LANCZOS))

    coated = [cut(coats, FACE_BOX, (300, 300)) for coats in SHADES]
    lips = [cut([Coat("#b0203a", "lips", finish)], LIPS_BOX, (200, 104)) for finish in FINISHES]
    return Image.fromarray(np.vstack([np.hstack(coated), np.hstack(lips)]))


if __name__ == "__main__":
    main()
