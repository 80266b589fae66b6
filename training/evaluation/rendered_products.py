"""Pans and finishes of rendered products, whose truth is exact."""

from __future__ import annotations

from collections import Counter

import numpy as np
from PIL import Image
from scipy.optimize import linear_sum_assignment
from tqdm import tqdm

from models.ops.color import delta_e
from pipelines.catalog.extract.attributes import FINISHES
from pipelines.catalog.extract.extractor import AttributeExtractor
from training.data.products.finish_data import AXIS_SCALES
from training.data.products.scenes import Scene
from training.evaluation.product_figures import summarize_errors


def measure_rendered_pans(extractor: AttributeExtractor, scenes: list[Scene]) -> dict[str, object]:
    """F1 of pans at IoU 0.5, order and colours of the pans that were found."""
    hits = found_count = true_count = whole = 0
    errors: list[float] = []
    for scene in tqdm(scenes, desc="rendered palettes"):
        attributes, masks = extractor.read(Image.fromarray(scene.pixels))
        truth = [number + 1 for number in range(len(scene.materials))]
        truth = [number for number in truth if (scene.ids == number).sum() >= 64]
        table = np.zeros((len(truth), len(masks)))
        for column, (shade, mask) in enumerate(zip(attributes.shades, masks, strict=True)):
            full = np.zeros(scene.ids.shape, bool)
            x0, y0, x1, y1 = shade.bbox_xyxy
            full[y0:y1, x0:x1] = mask
            for number in np.unique(scene.ids[full]):
                if number in truth:
                    other = scene.ids == number
                    table[truth.index(number), column] = (full & other).sum() / (full | other).sum()
        pairs = [
            (r, c)
            for r, c in zip(*linear_sum_assignment(-table), strict=True)
            if table[r, c] >= 0.5
        ]
        hits, found_count, true_count = (
            hits + len(pairs),
            found_count + len(masks),
            true_count + len(truth),
        )
        whole += len(pairs) == len(truth) == len(masks) and all(r == c for r, c in pairs)
        errors += [
            float(delta_e(np.array(attributes.shades[c].lab), scene.materials[truth[r] - 1].lab))
            for r, c in pairs
        ]
    return {
        "palettes": len(scenes),
        "pans": true_count,
        "f1": round(2 * hits / max(1, found_count + true_count), 4),
        "precision": round(hits / max(1, found_count), 4),
        "recall": round(hits / max(1, true_count), 4),
        "all_pans_in_order": round(whole / len(scenes), 3),
        "delta_e": summarize_errors(np.array(errors)),
    }


def measure_rendered_finishes(
    extractor: AttributeExtractor, scenes: list[Scene]
) -> dict[str, object]:
    """Finish and axes of rendered shades, given where they are; F1 by finish."""
    truth, seen, axes, axes_read = [], [], [], []
    for scene in scenes:
        for number, material in enumerate(scene.materials, start=1):
            reading = extractor.read_finish(scene.pixels, scene.ids == number)
            if reading is not None:
                truth.append(material.finish)
                axes.append(material.axes / AXIS_SCALES)
                seen.append(reading[0])
                axes_read.append(reading[1])
    f1 = {}
    for finish in FINISHES:
        hit = sum(t == s == finish for t, s in zip(truth, seen, strict=True))
        f1[finish] = round(2 * hit / max(1, truth.count(finish) + seen.count(finish)), 3)
    mistaken = Counter(f"{t} as {s}" for t, s in zip(truth, seen, strict=True) if t != s)
    apart = np.abs(np.array(axes) - np.array(axes_read))
    names = ("gloss", "sparkle_density", "sparkle_size", "hue_shift", "opacity")
    return {
        "shades": len(truth),
        "macro_f1": round(float(np.mean(list(f1.values()))), 4),
        "f1": f1,
        "mistaken": dict(mistaken.most_common()),
        "axes_mean_error": {
            name: round(float(value), 3)
            for name, value in zip(names, apart.mean(0) * AXIS_SCALES, strict=True)
        },
    }
