"""Make the pictures the page and the README show, from scikit-image's astronaut.

python -m app.ui.examples
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from pipelines.images import save
from pipelines.makeup.named_looks import NAMES, find_look
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline

EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"
README = EXAMPLES.parent / "readme"
FACE_BOX = (168, 68, 284, 184)  # of the astronaut's picture
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
    worn = {name: pipeline.blend(pipeline.wear(faces, find_look(name))).crop(box) for name in NAMES}
    for name, picture in worn.items():
        swatch = picture.resize((224, 224), Image.Resampling.LANCZOS)
        save(swatch, EXAMPLES / "looks" / f"{name}.webp", quality=88)
    strip = [large.crop(box), *(worn[name] for name in HEADLINE)]
    strip = [np.asarray(p.resize((300, 300), Image.Resampling.LANCZOS)) for p in strip]
    rows = [np.hstack(strip[:4]), np.hstack(strip[4:])]
    save(Image.fromarray(np.vstack(rows)), README / "looks.webp", quality=90)


if __name__ == "__main__":
    main()
