"""The photo coach for try-on: says what would spoil a result, or has."""

from __future__ import annotations

from models.analysis.human_parsing import Part
from models.errors import NoPersonError
from models.structures import Person
from pipelines.coach import Advice
from pipelines.tryon.garment import Garment

SMALL_PERSON = 256  # rows of the crop; below the networks' own size the result is soft
COVERED = 0.3  # hair, bags and the like over what should be the top, as a share of it


def coach_tryon(
    person: Person | NoPersonError | None, garment: Garment | None = None
) -> list[Advice]:
    """Look for what would spoil a try-on, worst first.

    Args:
        person: from `BodyAnalyzer`, or what it raised; None before there is a picture.
        garment: from `GarmentReader`; None before there is one.
    """
    if isinstance(person, NoPersonError):
        found = person.found if isinstance(person.found, (int, float)) else 0
        needed = person.needed if isinstance(person.needed, (int, float)) else 1
        return [Advice("no_person", "refuse", found, needed)]
    advice = [] if person is None else _about(person)
    if garment is not None and garment.cut_off:
        advice.append(Advice("garment_cut_off", "warn", 1, 0))
    return advice


def _about(person: Person) -> list[Advice]:
    rows = person.box_xyxy[3] - person.box_xyxy[1]
    upper = float(person.share_of(Part.UPPER).sum())
    other = float(person.share_of(Part.OTHER).sum()) / max(1.0, upper)
    body = person.body
    checks = [
        ("several_people", person.people > 1, person.people, 1),
        ("cropped_torso", not body.hips_seen, 0, 1),
        ("arms_crossed", body.arms_crossed, 1, 0),
        ("small_person", rows < SMALL_PERSON, rows, SMALL_PERSON),
        ("top_covered", other > COVERED, other, COVERED),
    ]
    return [Advice(code, "warn", float(f), float(n)) for code, bad, f, n in checks if bad]
