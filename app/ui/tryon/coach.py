"""What a visitor is told about a person's picture and a garment's, found or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from app.language import translate
from app.messages import advise, explain
from app.ui import text
from models.errors import MirraError, NoPersonError
from models.structures import Person

if TYPE_CHECKING:
    from pipelines.tryon.garment import Garment
    from pipelines.tryon.output import TryOnOutput

FoundPerson: TypeAlias = "Person | MirraError | None"
"""Who was found in a picture, or why nobody was; None before there is a picture."""

FoundGarment: TypeAlias = "Garment | MirraError | None"
"""What was cut out of a picture, or why nothing was; None before there is a picture."""


def coach_both(person: FoundPerson, garment: FoundGarment) -> list[str]:
    """What would spoil a result, in sentences."""
    from pipelines.tryon.coach import coach_tryon

    errors = [error for error in (person, garment) if isinstance(error, MirraError)]
    said = [explain(error) for error in errors if not isinstance(error, NoPersonError)]
    if isinstance(person, MirraError) and not isinstance(person, NoPersonError):
        person = None
    known = None if isinstance(garment, MirraError) else garment
    return [advise(item) for item in coach_tryon(person, known)] + said


def describe_problem(person: FoundPerson, garment: FoundGarment) -> str:
    """Why nothing can be tried on yet; empty if something can."""
    if person is None:
        return translate(text.NO_SOURCE)
    if garment is None:
        return translate(text.NO_GARMENT)
    for found in (person, garment):
        if isinstance(found, MirraError):
            return explain(found)
    return ""


def describe_result(output: TryOnOutput) -> str:
    """What was done, in a line."""
    share = f"{100 * float(output.changed.mean()):.0f}"
    garment = translate(text.ON_SOMEBODY if output.garment.on_body else text.FLAT)
    changed = translate(text.CHANGED, share=share)
    return f"{garment} · {changed} · {sum(output.milliseconds.values()):.0f} ms"
