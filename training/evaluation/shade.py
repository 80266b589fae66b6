"""Does a shade on a face have the colour that was asked for, and does a finish show?

Lips are measured in the finished 8-bit picture with polygons of mesh points, not with the
pipeline's own mask; other places with the pipeline's own figures. Three distances (CIEDE2000):

`error` is from the median colour reached to the colour expected: the product, as thin as it is
worn, over this skin in this light. `product_error` is from there to the product's own colour,
which no model of light enters. `read_back` is from the product to what `read_makeup` reads off the
result: the way from a face back to a product. `drawn_error` is the product error of the same colour
worn as a drawn lipstick (`models.instant.drawn.Lips`), which paints without regard to the light.

A finish shows in the lips: `highlight` is percentile 98 of L* less the median, `grain` the spread
of L* at the scale of a glint.
"""

from __future__ import annotations

import platform
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from models.instant.coats import Coat
from models.instant.drawn import draw
from models.instant.face_texture import unfold
from models.instant.finish import FINISHES
from models.instant.look_recipe import Lips, LookRecipe
from models.ops.color import (
    delta_e,
    hex_to_lab,
    individual_typology_angle,
    rgb_to_lab,
    skin_tone_band,
)
from models.ops.masks import blur
from models.structures import Face
from pipelines.images.decode import decode
from pipelines.makeup.face_makeup import read_face_makeup
from pipelines.makeup.look import Look
from pipelines.makeup.pipeline_shade import ShadePipeline
from pipelines.makeup.report import draw_outline
from training.evaluation.figures import group_by_label, summarize
from training.evaluation.makeup import read_pictures
from training.evaluation.wearers import find_region_masks

LIPSTICKS = ("#b01030", "#7a2048", "#c98a7c", "#e0607a", "#8a4a35", "#e87a5a", "#3a1a20", "#f0b0b0")
OTHERS = {
    "eyes": ("#2f6f5e", "#b8863b", "#5a4a7a", "#4a3028", "#e8c8b0"),
    "cheeks": ("#d0506a", "#e0906a", "#8a3a4a"),
    "skin": ("#e8c4a8", "#b98a64", "#6e4a34"),
}


def evaluate(data: Path, sources: int) -> dict[str, Any]:
    """Put every shade on every person and measure.

    Args:
        data: folder that holds `makeup/london-faces.tar`.
        sources: how many people, evenly from the set.
    """
    people = read_pictures(data / "makeup" / "london-faces.tar", ".neutral.jpg")
    names = sorted(people)[:: max(1, len(people) // sources)][:sources]
    pipeline = ShadePipeline()
    lips: dict[str, list[float]] = defaultdict(list)
    others: dict[str, list[float]] = defaultdict(list)
    finishes: dict[str, dict[str, list[float]]] = {name: defaultdict(list) for name in FINISHES}
    tones: list[str] = []
    broken: dict[str, int] = defaultdict(int)
    for name in tqdm(names, desc="people"):
        face = pipeline.makeup.find_faces(decode(people[name]))[0]
        band = skin_tone_band(individual_typology_angle(unfold(face).tone))
        area = find_region_masks(face)["lips"][0]
        for color in LIPSTICKS:
            for key, value in _measure_lipstick(pipeline, face, area, color, broken).items():
                lips[key].append(value)
            tones.append(band)
        for place, colors in OTHERS.items():
            reached = [pipeline.put_on(face, [Coat(color, place)])[1][0] for color in colors]
            others[place] += [one.delta_e for one in reached]
        for finish, measures in finishes.items():
            image, (one,) = pipeline.put_on(face, [Coat("#b0304a", "lips", finish)])
            measures["error"].append(one.delta_e)
            for key, value in _make_look(image, area, face.eye_distance).items():
                measures[key].append(value)
    return {
        "people": len(names),
        "must_be_zero": dict(broken),
        "lips": {key: summarize(values) for key, values in lips.items()},
        "lips_by_skin_tone": group_by_label(lips, tones),
        "other_places_error": {place: summarize(values) for place, values in others.items()},
        "finishes_on_lips": {
            finish: {key: summarize(values) for key, values in measures.items()}
            for finish, measures in finishes.items()
        },
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "python": platform.python_version(),
        },
    }


def _measure_lipstick(
    pipeline: ShadePipeline, face: Face, area: np.ndarray, color: str, broken: dict[str, int]
) -> dict[str, float]:
    """Measures of one matte lipstick; counts pixels that broke a promise into `broken`."""
    image, (reached,) = pipeline.put_on(face, [Coat(color)])
    changed = (image != face.image).any(-1)
    broken["outside_the_face"] += int((changed & (draw_outline(face) == 0)).sum())
    none, _ = pipeline.put_on(face, [Coat(color, opacity=0.0)])
    broken["at_opacity_0"] += int((none != face.image).sum())
    drawn = pipeline.makeup.wear([face], Look("drawn", draw(LookRecipe(Lips(color)))))
    painted = np.asarray(pipeline.makeup.blend(drawn))
    found = np.median(rgb_to_lab(image)[area], axis=0)
    colors = {one.region: one for one in read_face_makeup(replace(face, image=image))}
    read = np.array(colors["lips"].lab) if "lips" in colors else np.full(3, np.nan)
    return {
        "error": float(delta_e(found, reached.expected_lab)),
        "product_error": float(delta_e(found, hex_to_lab(color))),
        "drawn_error": float(
            delta_e(np.median(rgb_to_lab(painted)[area], axis=0), hex_to_lab(color))
        ),
        "read_back": float(delta_e(read, hex_to_lab(color))),
    }


def _make_look(image: np.ndarray, area: np.ndarray, eye_distance: float) -> dict[str, float]:
    """How strongly lips shine and sparkle, in units of L*."""
    light = np.ascontiguousarray(rgb_to_lab(image)[..., 0])
    inside = light[area]
    grain = (light - blur(light, 0.012 * eye_distance))[area]
    return {
        "highlight": float(np.percentile(inside, 98) - np.median(inside)),
        "grain": float(grain.std()),
    }


def format_summary(figures: dict[str, Any]) -> str:
    """The figures as a table for people."""
    lines = [f"{figures['people']} people"]
    lines += [f"{rule:<24} {count} pixels" for rule, count in figures["must_be_zero"].items()]
    measures = list(figures["lips"])
    lines.append(f"{'lips, median dE00':<20}" + "".join(f"{name:>15}" for name in measures))
    rows = {"all": figures["lips"], **figures["lips_by_skin_tone"]["groups"]}
    for band, row in rows.items():
        lines.append(f"{band:<20}" + "".join(f"{row[name]['median']:>15.2f}" for name in measures))
    for place, spread in figures["other_places_error"].items():
        lines.append(f"{place:<20}{spread['median']:>15.2f}  (p90 {spread['p90']:.2f})")
    for finish, row in figures["finishes_on_lips"].items():
        lines.append(
            f"{finish:<20}" + "".join(f"{key:>12}{row[key]['median']:>7.2f}" for key in row)
        )
    return "\n".join(lines)
