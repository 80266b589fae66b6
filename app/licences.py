"""May this be used commercially? Asked once, by `--commercial-only` or MIRRA_COMMERCIAL_ONLY=1."""

from __future__ import annotations

from typing import Annotated

import typer

from app.language import translate
from models.errors import WeightsError
from pipelines.registry import REGISTRY, entry_of

CommercialOnly = Annotated[
    bool,
    typer.Option(
        "--commercial-only",
        envvar="MIRRA_COMMERCIAL_ONLY",
        help="Refuse weights that may not be used commercially.",
    ),
]
PARTS = {"code": "Code", "weights": "Weights", "base": "Base", "data": "Data"}
TASKS = {"makeup": "Makeup", "shade": "Shade", "tryon": "Try-on", "attributes": "Products"}
MAY_I = "May I use this commercially?"
YES, NO = "yes", "no"


def is_allowed(pipeline: str, commercial_only: bool) -> bool:
    """Whether a pipeline may be used: any, or where only commercial use will do, those for it."""
    return not commercial_only or entry_of(pipeline).licence.commercial


def refuse_unlicensed(pipeline: str, commercial_only: bool = True) -> None:
    """Where only commercial use will do, refuse a pipeline whose licences do not allow it.

    Raises:
        WeightsError: they do not.
    """
    if not is_allowed(pipeline, commercial_only):
        weights = entry_of(pipeline).licence.weights
        raise WeightsError(f"{pipeline}: {weights}", reason="licence", found=pipeline)


def licence_list() -> str:
    """Markdown: what a user of each pipeline must observe, a paragraph each, translated."""
    paragraphs = []
    for entry in REGISTRY:
        may = translate(YES if entry.licence.commercial else NO)
        head = f"**{translate(TASKS[entry.task])}** ({entry.name}). {translate(MAY_I)} **{may}**"
        parts = [
            f"{translate(title)}: {translate(getattr(entry.licence, part))}"
            for part, title in PARTS.items()
        ]
        paragraphs.append(f"{head}\\\n{' · '.join(parts)}")
    return "\n\n".join(paragraphs)
