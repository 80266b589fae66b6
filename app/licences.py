"""May this be used commercially? Asked once, by `--commercial-only` or MIRRA_COMMERCIAL_ONLY=1."""

from __future__ import annotations

from typing import Annotated

import typer

from app.language import say
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
LICENCE_COLUMNS = ("Pipeline", "Code", "Weights", "Base", "Data", "May I use this commercially?")
YES, NO = "yes", "no"


def refuse_unlicensed(pipeline: str, commercial_only: bool = True) -> None:
    """Where only commercial use will do, refuse a pipeline whose licences do not allow it.

    Raises:
        WeightsError: they do not.
    """
    licence = entry_of(pipeline).licence
    if commercial_only and not licence.commercial:
        raise WeightsError(f"{pipeline}: {licence.weights}", reason="licence", found=pipeline)


def licence_table() -> str:
    """Markdown: what a user of each pipeline must observe; the heads are translated."""
    rows = [[say(head) for head in LICENCE_COLUMNS], ["---"] * len(LICENCE_COLUMNS)]
    for entry in REGISTRY:
        said = entry.licence
        may = say(YES if said.commercial else NO)
        rows.append([entry.name, said.code, said.weights, said.base, said.data, may])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
