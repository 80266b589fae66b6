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


class Limit(TypedDict):
    """How many events of a kind run at once."""

    concurrency_id: str
    concurrency_limit: int


class Private(TypedDict):
    """An event of the page, which programs do not see."""

    api_visibility: Literal["private"]


class Light(Private):
    """An event of the page that does not wait in the queue."""

    queue: bool


PRIVATE: Private = {"api_visibility": "private"}
LIGHT: Light = {"api_visibility": "private", "queue": False}
"""For what costs no more than a blink."""


def limit_work(settings: Settings) -> Limit:
    """How what computes is queued: so many at once as the operator says."""
    return {"concurrency_id": WORK, "concurrency_limit": settings.at_once}


def add_endpoint(
    function: Callable[..., Answer],
    inputs: Sequence[Component],
    output: Component | Sequence[Component],
    limit: Limit | None,
) -> None:
    """Offer a function under its own name; what it raises is told in a sentence.

    Args:
        function: with a docstring, which programs are shown.
        inputs: what gives its parameters their names and types; in a hidden row.
        output: what gives its result its type; several with states that a client keeps.
        limit: how it is queued; without one it does not wait.
    """

    @wraps(function)
    def answered(*given: object) -> Answer:
        try:
            return function(*given)
        except MirraError as error:
            raise gr.Error(explain(error), print_exception=False) from None

    outputs = [output] if isinstance(output, Component) else list(output)
    name = getattr(function, "__name__", "")
    click = gr.Button().click
    if limit is None:
        click(answered, list(inputs), outputs, api_name=name, queue=False)
    else:
        click(answered, list(inputs), outputs, api_name=name, **limit)


def require_picture(picture: str | None) -> str:
    """The picture's path.

    Raises:
        gr.Error: there is none.
    """
    if not picture:
        raise gr.Error(text.PICTURE_NEEDED, print_exception=False)
    return picture
