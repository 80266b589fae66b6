"""How a method becomes an event of the page, or an endpoint for programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, Literal, TypeVar

import gradio as gr
from gradio.components import Component
from typing_extensions import TypedDict

from app.messages import explain
from app.server.blocks import WORK
from app.settings import Settings
from app.ui import text
from models.errors import MirraError

Answer = TypeVar("Answer")
Update = dict[str, Any]
"""What `gr.update` and `gr.skip` give: some properties of a component, or none."""

UNCHANGED: Update = gr.skip()
"""Leaves a component as it is."""


class EventOptions(TypedDict, total=False):
    """How an event is queued, and whether programs see it."""

    api_visibility: Literal["public", "private"]
    concurrency_id: str
    concurrency_limit: int
    queue: bool
    show_progress: Literal["full", "minimal", "hidden"]


LIGHT: EventOptions = {"api_visibility": "private", "queue": False}
"""An event of the page that costs no more than a blink."""

PRIVATE: EventOptions = {"api_visibility": "private"}
"""An event of the page that waits in the queue."""


def limit_work(settings: Settings) -> EventOptions:
    """How what computes is queued: so many at once as the operator says."""
    return {"concurrency_id": WORK, "concurrency_limit": settings.at_once}


def add_endpoint(
    function: Callable[..., Answer],
    inputs: Sequence[Component],
    output: Component | Sequence[Component],
    options: EventOptions,
) -> None:
    """Offer a function under its own name; what it raises is told in a sentence.

    Args:
        function: with a docstring, which programs are shown.
        inputs: what gives its parameters their names and types; in a hidden row.
        output: what gives its result its type; several with states that a client keeps.
        options: how it is queued.
    """

    @wraps(function)
    def answered(*given: object) -> Answer:
        try:
            return function(*given)
        except MirraError as error:
            raise gr.Error(explain(error), print_exception=False) from None

    outputs = [output] if isinstance(output, Component) else list(output)
    name = getattr(function, "__name__", "")
    gr.Button().click(answered, list(inputs), outputs, api_name=name, **options)


def require_picture(picture: str | None) -> str:
    """The picture's path.

    Raises:
        gr.Error: there is none.
    """
    if not picture:
        raise gr.Error(text.PICTURE_NEEDED, print_exception=False)
    return picture
