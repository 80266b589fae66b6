"""Draw the flat tops that the Try-on tab offers: ours, so that anybody may show them.

python -m training.prepare.example_garments
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from pipelines.images.encode import save

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "examples" / "garments"
WIDTH, HEIGHT, FINE = 480, 640, 2  # drawn at twice the size

# Half outlines from the neck down the sleeve to the hem, as shares of the width, x from the middle.
NECK = ((0.0, 0.185), (0.07, 0.17), (0.125, 0.1))
SHORT = ((0.29, 0.16), (0.38, 0.26), (0.47, 0.44), (0.345, 0.5), (0.295, 0.4))
LONG = ((0.29, 0.16), (0.375, 0.32), (0.44, 0.65), (0.475, 0.98), (0.39, 1.0), (0.295, 0.44))
NONE = ((0.19, 0.115), (0.2, 0.23), (0.235, 0.35), (0.295, 0.42))
BODY = ((0.275, 0.62), (0.275, 0.78), (0.3, 1.02), (0.15, 1.04), (0.0, 1.045))
LOW_NECK = ((0.0, 0.33), (0.08, 0.26), (0.13, 0.1))


def main() -> None:
    """Write every garment."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    red = draw_top([*NECK, *SHORT, *BODY], "#a8323e", seam=SHORT)
    striped = draw_top([*NECK, *LONG, *BODY], "#f1ece2", seam=LONG, stripes=("#27314f", 0.062))
    green = draw_top([*NECK, *LONG, *BODY], "#3f6b57", seam=LONG)
    lettered = draw_top([*NECK, *SHORT, *BODY], "#f3f1ee", seam=SHORT, words="MIRRA", ink="#1f3a5f")
    tank = draw_top([*LOW_NECK, *NONE, *BODY], "#e0a83e")
    dotted = draw_top([*NECK, *SHORT, *BODY], "#31405f", seam=SHORT, dots=("#f3e9d8", 0.085))
    drawn = {
        "red-shirt": red,
        "striped": striped,
        "long-sleeve": green,
        "lettering": lettered,
        "tank-top": tank,
        "dotted": dotted,
    }
    for name, picture in drawn.items():
        save(picture, FOLDER / f"{name}.webp", quality=92)


def draw_top(
    half: Sequence[tuple[float, float]],
    color: str,
    *,
    seam: Sequence[tuple[float, float]] = (),
    stripes: tuple[str, float] | None = None,
    dots: tuple[str, float] | None = None,
    words: str = "",
    ink: str = "#000000",
) -> Image.Image:
    """Draw one top, flat on white.

    Args:
        half: the half outline, see above.
        color: of the cloth.
        seam: the sleeve; its first and last point are joined by a seam.
        stripes: their colour, and their distance as a share of the width.
        dots: the same.
        words: printed across the chest.
        ink: their colour.
    """
    size = WIDTH * FINE, HEIGHT * FINE
    there = draw_area(half, size)
    cloth = Image.new("RGB", size, color)
    pen = ImageDraw.Draw(cloth)
    if stripes:
        step = round(stripes[1] * size[0])
        for y in range(step, size[1], step):
            pen.rectangle((0, y, size[0], y + round(0.4 * step)), fill=stripes[0])
    if dots:
        step = round(dots[1] * size[0])
        for row, y in enumerate(range(0, size[1], step)):
            for x in range(step // 2 * (row % 2), size[0], step):
                pen.circle((x, y), 0.17 * step, fill=dots[0])
    if words:
        font = ImageFont.load_default(round(0.115 * size[0]))
        pen.text((size[0] / 2, 0.42 * size[0]), words, fill=ink, font=font, anchor="mm")
    light = draw_folds(size) * shade_edges(there)
    if len(seam):
        light *= shade_seams((seam[0], seam[-1]), size)
    picture = np.asarray(cloth, np.float32) * light[..., None]
    # The inside of the back shows in the neck.
    back = draw_area([(0.0, 0.1), (half[2][0], half[2][1] - 0.005), half[1], half[0]], size)
    inner = 0.62 * np.asarray(ImageColor.getrgb(color), np.float32) * np.ones_like(picture)
    result = np.full_like(picture, 255.0)
    for mask, paint in ((back, inner), (there, picture)):
        result += mask[..., None] * (paint - result)
    fine = Image.fromarray(result.clip(0, 255).astype(np.uint8))
    return fine.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS)


def draw_area(half: Sequence[tuple[float, float]], size_wh: tuple[int, int]) -> np.ndarray:
    """Mask of a half outline and its mirror image, corners rounded: (H, W) float32 in 0..1."""
    points = np.array([*half, *((-x, y) for x, y in reversed(half))])
    points = (points + np.array([0.5, 0.08])) * size_wh[0]
    for _ in range(2):  # Chaikin's corner cutting
        after = np.roll(points, -1, 0)
        points = np.stack([0.88 * points + 0.12 * after, 0.12 * points + 0.88 * after], 1)
        points = points.reshape(-1, 2)
    mask = np.zeros(size_wh[::-1], np.uint8)
    cv2.fillPoly(mask, [np.int32(np.round(points * 16))], (255,), cv2.LINE_AA, 4)  # pyright: ignore
    return mask.astype(np.float32) / 255


def draw_folds(size_wh: tuple[int, int]) -> np.ndarray:
    """Light and shade of long, soft folds, around 1: (H, W) float32."""
    rng = np.random.default_rng(7)
    light = np.ones(size_wh[::-1], np.float32)
    for cells, strength in (((5, 9), 0.05), ((9, 17), 0.035), ((24, 40), 0.012)):
        few = rng.standard_normal(cells).astype(np.float32)
        light += strength * cv2.resize(few, size_wh, interpolation=cv2.INTER_CUBIC)
    return light


def shade_edges(mask: np.ndarray) -> np.ndarray:
    """Shade towards the outline, where cloth turns away: (H, W) float32 up to 1."""
    distance = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    return 1 - 0.28 * np.exp(-distance / (0.012 * mask.shape[1]))


def shade_seams(ends: Sequence[tuple[float, float]], size_wh: tuple[int, int]) -> np.ndarray:
    """Shade along both sleeve seams: (H, W) float32 up to 1."""
    line = np.zeros(size_wh[::-1], np.uint8)
    for side in (-1, 1):
        points = [((side * x + 0.5) * size_wh[0], (y + 0.08) * size_wh[0]) for x, y in ends]
        corners = np.int32(np.round(points))
        cv2.polylines(line, [corners], False, (255,), 2 * FINE, cv2.LINE_AA)  # pyright: ignore
    return 1 - 0.25 * cv2.GaussianBlur(line.astype(np.float32) / 255, (0, 0), 2)


if __name__ == "__main__":
    main()
