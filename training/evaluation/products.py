"""How well are product pictures read? Measured on photographs and on rendered products.

`delta_e` is CIEDE2000 between the best shade and the label. The photographs are split by product;
everything that was tuned was tuned on the half called `tune`, and both halves are reported. Words
(title and description) are withheld wherever the picture is what is measured. A label is *suspect*
when hardly any pixel of its picture has its colour: those are listed, and counted like the others.
"""

from __future__ import annotations

import io
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.optimize import linear_sum_assignment
from tqdm import tqdm

from models.ops.color import delta_e, rgb_to_lab
from pipelines.catalog.extract.attributes import Attributes
from pipelines.catalog.extract.extractor import AttributeExtractor
from pipelines.catalog.extract.words import find_finish
from pipelines.images.decode import decode
from training.data.products.photos import SPLIT, read_labels, read_members
from training.data.products.scene_data import CLOSE_UPS, render_scenes
from training.evaluation.product_figures import (
    find_most_colorful,
    mean_share,
    measure_calibration,
    summarize_errors,
)
from training.evaluation.rendered_products import measure_rendered_finishes, measure_rendered_pans

FINISH_SIDE = 384
"""Side of the pictures whose finishes are read: the largest that was trained on."""
NOTHING_FOUND = 100.0
"""CIEDE2000 counted where no shade was found."""
CATEGORY_OF_LABEL = {"lipgloss": "lip_gloss", "lipliner": "lip_liner"}


def evaluate(data: Path, rendered: int, seed: int) -> dict[str, Any]:
    """Measure everything.

    Args:
        data: folder that holds `products/lip-and-cheek.tar`, `palettes.tar` and
            `palettes-unlabelled.tar`.
        rendered: how many scenes to render for each of pans and finishes.
        seed: of the rendered scenes.
    """
    extractor = AttributeExtractor()
    files = read_members(data / "products" / "lip-and-cheek.tar")
    labels = {label["id"]: label for label in read_labels(files)}
    pictures = {name: decode(files[label["image"]]) for name, label in labels.items()}
    readings = [
        PhotoReading.read(extractor, pictures[name], labels[name], half, kind)
        for half, kinds in SPLIT["lip-and-cheek"].items()
        for name, kind in tqdm(kinds.items(), desc=half)
    ]
    report = [reading for reading in readings if reading.half == "report"]
    return {
        "colors": {
            half: _summarize_colors([r for r in readings if r.half == half])
            for half in ("tune", "report")
        },
        "suspect_labels": sorted((r.name for r in readings if r.suspect), key=int),
        "kinds": measure_kinds(readings),
        "words": _compare_words(report),
        "repeatability": _measure_repeatability(extractor, [pictures[r.name] for r in report[::3]]),
        "palettes": measure_palettes(extractor, data / "products" / "palettes.tar"),
        "unlabelled": _measure_unlabelled(extractor, data / "products" / "palettes-unlabelled.tar"),
        "rendered_pans": measure_rendered_pans(
            extractor, render_scenes(rendered, 512, seed, held_out=True, kinds=("palette",))
        ),
        "rendered_finishes": measure_rendered_finishes(
            extractor,
            render_scenes(4 * rendered, FINISH_SIDE, seed, held_out=True, kinds=CLOSE_UPS),
        ),
        "seed": seed,
    }


class PhotoReading:
    """One photograph, read without words and compared with its label.

    Attributes:
        name: the picture's id.
        delta_e: CIEDE2000 of the best shade to the label.
        baseline: the same for the median of the most colourful 30 % of what is not white.
        suspect: hardly a pixel of the picture has the label's colour.
    """

    def __init__(self, name: str, half: str, kind: str, label: dict[str, Any]) -> None:
        self.name, self.half, self.kind, self.label = name, half, kind, label
        self.attributes: Attributes
        self.named: Attributes
        self.delta_e = self.baseline = NOTHING_FOUND
        self.suspect = False

    @classmethod
    def read(
        cls,
        extractor: AttributeExtractor,
        picture: Image.Image,
        label: dict[str, Any],
        half: str,
        kind: str,
    ) -> PhotoReading:
        """Read one picture, without words and with them."""
        reading = cls(label["id"], half, kind, label)
        reading.attributes = extractor(picture)
        reading.named = extractor(
            picture, title=label["product"], description=label["description"] or ""
        )
        truth, lab = np.array(label["lab"]), rgb_to_lab(np.asarray(picture))
        shades = reading.attributes.shades
        if shades:
            best = np.array(shades[reading.attributes.best].lab)
            reading.delta_e = float(delta_e(best, truth))
        reading.baseline = float(delta_e(find_most_colorful(lab), truth))
        pixels = lab.reshape(-1, 3)[:: max(1, lab.size // 3 // 20_000)]
        reading.suspect = bool((delta_e(pixels, truth[None]) < 6).mean() < 0.002)
        return reading

    @property
    def confidence(self) -> float:
        """Of the best shade; 0 where none was found."""
        shades = self.attributes.shades
        return shades[self.attributes.best].confidence if shades else 0.0


def _summarize_colors(readings: list[PhotoReading]) -> dict[str, Any]:
    error = np.array([reading.delta_e for reading in readings])
    sure = np.array([reading.confidence for reading in readings])
    order = np.argsort(-sure, kind="stable")
    half = len(order) // 2
    groups: dict[str, list[float]] = defaultdict(list)
    for reading in readings:
        groups[reading.kind].append(reading.delta_e)
    return {
        **summarize_errors(error),
        "baseline": summarize_errors(np.array([reading.baseline for reading in readings])),
        "more_confident_half": summarize_errors(error[order[:half]]),
        "less_confident_half": summarize_errors(error[order[half:]]),
        "calibration": measure_calibration(sure, error < 5),
        "by_kind": {
            kind: summarize_errors(np.array(values)) for kind, values in sorted(groups.items())
        },
        "over_10": sorted((r.name for r in readings if r.delta_e > 10), key=int),
    }


def measure_kinds(readings: list[PhotoReading]) -> dict[str, object]:
    """Share of kinds and, without and with words, of categories that are right, by half."""
    figures: dict[str, object] = {}
    for half in ("tune", "report"):
        ours = [reading for reading in readings if reading.half == half]
        truth = [CATEGORY_OF_LABEL.get(r.label["category"], r.label["category"]) for r in ours]
        figures[half] = {
            "kind": mean_share(r.attributes.kind == r.kind for r in ours),
            "category": mean_share(
                r.attributes.category == t for r, t in zip(ours, truth, strict=True)
            ),
            "category_with_words": mean_share(
                r.named.category == t for r, t in zip(ours, truth, strict=True)
            ),
        }
    return figures


def _compare_words(readings: list[PhotoReading]) -> dict[str, object]:
    """Finish by the picture alone against the finish its words name."""
    pairs = []
    for reading in readings:
        named = find_finish(f"{reading.label['product']} {reading.label['description'] or ''}")
        shades = reading.attributes.shades
        if named and shades:
            pairs.append((reading.name, named, shades[reading.attributes.best].finish))
    shiny = {"gloss", "dewy", "metallic", "shimmer", "glitter", "duochrome"}
    return {
        "named": len(pairs),
        "same": mean_share(named == seen for _, named, seen in pairs),
        "same_shine": mean_share((named in shiny) == (seen in shiny) for _, named, seen in pairs),
        "disagree": [list(pair) for pair in pairs if pair[1] != pair[2]],
    }


def make_variants(picture: Image.Image, rng: np.random.Generator) -> dict[str, Image.Image]:
    """The same product as another shop might show it."""
    width, height = picture.size
    cut = [int(n * rng.uniform(0.0, 0.05)) for n in (width, height, width, height)]
    pixels = np.asarray(picture).astype(np.float32)
    tinted = np.clip(pixels * (1 + rng.uniform(-0.04, 0.04, 3)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    picture.save(buffer, "jpeg", quality=int(rng.integers(50, 80)))
    return {
        "crop": picture.crop((cut[0], cut[1], width - cut[2], height - cut[3])),
        "scale": picture.resize((max(1, int(width * 0.7)), max(1, int(height * 0.7)))),
        "jpeg": decode(buffer.getvalue()),
        "white_balance": Image.fromarray(tinted),
    }


def _measure_repeatability(
    extractor: AttributeExtractor, pictures: list[Image.Image]
) -> dict[str, Any]:
    """Finish and colour of the best shade under every variant, against the picture as it is."""
    same: dict[str, list[bool]] = defaultdict(list)
    apart: dict[str, list[float]] = defaultdict(list)
    rng = np.random.default_rng(0)
    for picture in tqdm(pictures, desc="repeating"):
        first = extractor(picture)
        for name, other in make_variants(picture, rng).items():
            again = extractor(other)
            if first.shades and again.shades:
                one, two = first.shades[first.best], again.shades[again.best]
                same[name].append(one.finish == two.finish)
                apart[name].append(float(delta_e(np.array(one.lab), np.array(two.lab))))
            elif first.shades or again.shades:
                same[name].append(False)
                apart[name].append(NOTHING_FOUND)
    return {
        name: {"same_finish": mean_share(same[name]), **summarize_errors(np.array(apart[name]))}
        for name in same
    }


def measure_palettes(extractor: AttributeExtractor, tar: Path) -> list[dict[str, Any]]:
    """Pans found, and their colours against the listed ones in reading order."""
    files = read_members(tar)
    figures = []
    for label in read_labels(files):
        found = extractor(decode(files[label["image"]])).shades
        entry = {"palette": label["palette"], "pans": len(label["hex"]), "found": len(found)}
        if len(found) == len(label["hex"]):
            codes = [[int(code[i : i + 2], 16) for i in (1, 3, 5)] for code in label["hex"]]
            truth = rgb_to_lab(np.array([codes], np.uint8))[0]
            error = delta_e(np.array([shade.lab for shade in found]), truth)
            # In order if no other assignment of colours to places is much better.
            table = delta_e(np.array([s.lab for s in found])[:, None], truth[None])
            rows, columns = linear_sum_assignment(table)
            entry |= {
                "delta_e": [round(float(value), 1) for value in error],
                "median": round(float(np.median(error)), 2),
                "best_assignment_mean": round(float(table[rows, columns].mean()), 2),
                "mean": round(float(error.mean()), 2),
            }
        figures.append(entry)
    return figures


def _measure_unlabelled(extractor: AttributeExtractor, tar: Path) -> dict[str, object]:
    """Kind and number of shades by picture, beside the kind a person sees."""
    files = read_members(tar)
    seen, right = {}, []
    for half in SPLIT["palettes-unlabelled"]:
        for name, kind in SPLIT["palettes-unlabelled"][half].items():
            found = extractor(decode(files[f"{name}.jpg"]))
            seen[name] = [kind, found.kind, len(found.shades)]
            if half == "report":
                right.append(found.kind == kind)
    return {"report_kind": mean_share(right), "by_id": dict(sorted(seen.items()))}


def format_summary(figures: dict[str, Any]) -> str:
    """The figures in a few lines for people."""
    lines = []
    for half, colors in figures["colors"].items():
        lines.append(
            f"{half:<8} dE00 median {colors['median']:.2f}, under 5 {colors['under_5']:.0%}; "
            f"baseline {colors['baseline']['median']:.2f}, {colors['baseline']['under_5']:.0%}; "
            f"confident half {colors['more_confident_half']['median']:.2f}"
        )
    for entry in figures["palettes"]:
        lines.append(
            f"{entry['palette']}: {entry['found']} of {entry['pans']} pans, "
            f"dE00 median {entry.get('median', float('nan')):.2f}"
        )
    lines.append(f"rendered pans F1 {figures['rendered_pans']['f1']:.3f}")
    lines.append(f"rendered finishes macro-F1 {figures['rendered_finishes']['macro_f1']:.3f}")
    for name, entry in figures["repeatability"].items():
        lines.append(
            f"{name:<14} same finish {entry['same_finish']:.0%}, dE00 median {entry['median']:.2f}"
        )
    return "\n".join(lines)
