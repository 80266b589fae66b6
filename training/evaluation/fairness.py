"""Does each pipeline serve everybody as well? The fairness card, on the London faces.

54 people, evenly lit, bare and frontal: what is worse for one of them than for another is not the
photograph's fault. They are grouped by the band of their skin tone (individual typology angle of
the plain skin in the photograph, which is an estimate), by gender and by age, as the set's own
records say. Each pipeline is measured by three things, as far as they make sense for it:

`success` is the share of pictures that gave a result. For face analysis it is the share in which
one face was found and the photo coach had nothing to complain of, for there is nothing.
`colour_error` is a median CIEDE2000: for makeup from the lips reached to the reference's, for a
shade from the lips reached to those expected; for face analysis between the skin tones read from
the neutral and from the smiling picture of the same person.
`skin_shift` is the median CIEDE2000 by which plain skin (forehead, nose, chin) moved, though
nobody asked for it.

A gap is that between the best and the worst group. The set holds two people with dark skin and
three with brown; they are one group, so that no group has fewer than four people, which is few
enough: a gap of a tenth of a unit says nothing. Try-on is left out: its data says nothing of skin
tone, and these pictures end at the neck.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from models.errors import MirraError
from models.instant.coats import Coat
from models.ops.color import (
    ITA_BANDS,
    delta_e,
    individual_typology_angle,
    rgb_to_lab,
    skin_tone_band,
)
from pipelines.coach import coach
from pipelines.images.decode import decode
from pipelines.makeup.look import Look
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
from pipelines.makeup.pipeline_shade import ShadePipeline
from training.evaluation.makeup import read_pictures
from training.evaluation.shade import LIPSTICKS
from training.evaluation.wearers import Colors, Wearer

FEW = {"brown": "brown or dark", "dark": "brown or dark"}
TONES = tuple(dict.fromkeys(FEW.get(band, band) for _, band in ITA_BANDS))
AGES = ((25, "under 25"), (35, "25 to 34"), (200, "35 and over"))
ORDER = ("all", *TONES, "female", "male", *(name for _, name in AGES))
AXES = ("skin tone", "gender", "age")
MEASURES = ("success", "colour_error", "skin_shift")
NOT_MEASURED = {
    "dmvton": "VITON carries no skin tone, and the London pictures end at the neck",
    "flux-makeup": "needs a GPU and weights that are not here",
    "mcvton": "needs a GPU and weights that nobody published",
}


@dataclass(frozen=True)
class Participant:
    """Somebody of the London set.

    Attributes:
        pictures: the neutral and the smiling photograph, as files.
        gender: as the set's records say.
        age: name of an age band of `AGES`, "unknown" where the records do not say.
    """

    name: str
    pictures: tuple[bytes, bytes]
    gender: str
    age: str


@dataclass
class Tally:
    """What was measured with one pipeline, a value for each picture made.

    Attributes:
        groups: of each picture, the person and their band on each axis.
        values: measure -> one value a picture; NaN where there is none.
    """

    groups: list[dict[str, str]] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, groups: dict[str, str], measure: Callable[[], dict[str, float]]) -> None:
        """Count one picture: what `measure` gives, or a failure if it raises."""
        try:
            found = {"success": 1.0, **measure()}
        except MirraError:
            found = {"success": 0.0}
        self.groups.append(groups)
        for name in MEASURES:
            self.values[name].append(found.get(name, np.nan))

    def make_card(self) -> dict[str, Any]:
        """Figures of all and of each group, and the gaps between groups."""
        everybody = [dict(groups, all="all") for groups in self.groups]
        by_axis = {axis: self._group_by(axis, everybody) for axis in AXES}
        return {
            "pictures": len(self.groups),
            "all": self._group_by("all", everybody)["all"],
            "by": by_axis,
            "gap": {axis: find_gaps(groups) for axis, groups in by_axis.items()},
        }

    def _group_by(self, axis: str, labels: list[dict[str, str]]) -> dict[str, dict[str, float]]:
        names = sorted({label[axis] for label in labels} - {"unknown"}, key=ORDER.index)
        return {name: self._summarize([label[axis] == name for label in labels]) for name in names}

    def _summarize(self, chosen: list[bool]) -> dict[str, float]:
        people = {g["person"] for g, c in zip(self.groups, chosen, strict=True) if c}
        figures: dict[str, float] = {"people": len(people)}
        for name, values in self.values.items():
            known = np.array(values)[chosen]
            known = known[np.isfinite(known)]
            if len(known):
                middle = known.mean() if name == "success" else np.median(known)
                figures[name] = round(float(middle), 3)
        return figures


def find_gaps(groups: dict[str, dict[str, float]]) -> dict[str, float]:
    """For each measure, the distance between the best and the worst group."""
    found = {}
    for name in MEASURES:
        values = [figures[name] for figures in groups.values() if name in figures]
        if values:
            found[name] = round(max(values) - min(values), 3)
    return found


def evaluate(data: Path, references: int, seed: int) -> dict[str, Any]:
    """Measure face analysis, instant makeup and shades on everybody.

    Args:
        data: folder that holds `makeup/london-faces.tar` and `makeup/looks-256.tar`.
        references: how many looks everybody tries on, drawn by `seed`.
        seed: of the draw.
    """
    pipeline = InstantMakeupPipeline()
    looks = list(
        _read_reference_looks(pipeline, data / "makeup" / "looks-256.tar", references, seed)
    )
    tallies = {"face analysis": Tally(), "instant": Tally(), "shade": Tally()}
    people = list(read_london(data / "makeup" / "london-faces.tar"))
    for person in tqdm(people, desc="people"):
        face = pipeline.find_faces(decode(person.pictures[0]))[0]
        wearer = Wearer(face)
        tone = skin_tone_band(individual_typology_angle(wearer.colors.plain))
        groups = {"person": person.name, "skin tone": FEW.get(tone, tone)}
        groups |= {"gender": person.gender, "age": person.age}
        for picture in person.pictures:
            tallies["face analysis"].add(
                groups, partial(_measure_analysis, pipeline, wearer, picture)
            )
        for look, asked in looks:
            tallies["instant"].add(groups, partial(_measure_makeup, pipeline, wearer, look, asked))
        for color in LIPSTICKS:
            tallies["shade"].add(groups, partial(_measure_shade, pipeline, wearer, color))
    return {
        "people": len(people),
        "references": references,
        "seed": seed,
        "pipelines": {name: tally.make_card() for name, tally in tallies.items()},
        "not_measured": NOT_MEASURED,
    }


def _measure_analysis(
    pipeline: InstantMakeupPipeline, wearer: Wearer, picture: bytes
) -> dict[str, float]:
    """Face analysis of a picture in which one face is to be seen, in good light."""
    faces = pipeline.analyzer(decode(picture))
    plain = Colors.measure(faces[0], faces[0].image).plain if faces else np.full(3, np.nan)
    same = faces and np.array_equal(faces[0].image, wearer.face.image)
    return {
        "success": float(len(faces) == 1 and not coach(faces)),
        "colour_error": np.nan if same else float(delta_e(plain, wearer.colors.plain)),
    }


def _measure_makeup(
    pipeline: InstantMakeupPipeline, wearer: Wearer, look: Look, asked: Colors
) -> dict[str, float]:
    """Instant makeup: one person in one look."""
    image = np.asarray(pipeline.blend(pipeline.wear([wearer.face], look)))
    found = Colors(rgb_to_lab(image), wearer.masks)
    return {
        "colour_error": float(delta_e(found.lips, asked.lips)),
        "skin_shift": float(delta_e(found.plain, wearer.colors.plain)),
    }


def _measure_shade(pipeline: InstantMakeupPipeline, wearer: Wearer, color: str) -> dict[str, float]:
    """One person in one matte lipstick."""
    image, (reached,) = ShadePipeline(pipeline).put_on(wearer.face, [Coat(color)])
    found = Colors(rgb_to_lab(image), wearer.masks)
    return {
        "success": float(np.isfinite(reached.delta_e)),
        "colour_error": float(delta_e(found.lips, reached.expected_lab)),
        "skin_shift": float(delta_e(found.plain, wearer.colors.plain)),
    }


def _read_reference_looks(
    pipeline: InstantMakeupPipeline, tar: Path, count: int, seed: int
) -> Iterator[tuple[Look, Colors]]:
    """Looks read from pictures, and the colours in them."""
    pictures = read_pictures(tar, ".jpg")
    names = sorted(pictures)
    for number in np.random.default_rng(seed).permutation(len(names))[:count]:
        picture = decode(pictures[names[number]])
        face = pipeline.find_faces(picture)[0]
        yield pipeline.read_look(picture), Colors.measure(face, face.image)


def read_london(tar: Path) -> Iterator[Participant]:
    """The people of the Face Research Lab London Set."""
    pictures = read_pictures(tar, ".jpg")
    for file, data in sorted(read_pictures(tar, ".json").items()):
        name, record = file.removesuffix(".json"), json.loads(data)
        years = record["face_age"]
        age = next(band for below, band in AGES if float(years) < below) if years != "NA" else None
        yield Participant(
            name=name,
            pictures=(pictures[f"{name}.neutral.jpg"], pictures[f"{name}.smiling.jpg"]),
            gender=record["face_gender"],
            age=age or "unknown",
        )
