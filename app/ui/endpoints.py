"""How a function becomes an endpoint for programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

import gradio as gr
from gradio.components import Component

from app.messages import explain
from app.ui import text
from models.errors import MirraError


def endpoint(
    function: Callable[..., Any],
    inputs: Sequence[Component],
    output: Component | Sequence[Component],
    **work: Any,
) -> None:
    """Offer a function under its own name; what it raises is told in a sentence.

    Args:
        function: with a docstring, which programs are shown.
        inputs: what gives its parameters their names and types; in a hidden row.
        output: what gives its result its type; several with states that a client keeps.
        work: how it is queued.
    """

    @wraps(function)
    def answered(*given: Any) -> Any:
        try:
            return function(*given)
        except MirraError as error:
            raise gr.Error(explain(error), print_exception=False) from None

    outputs = [output] if isinstance(output, Component) else list(output)
    name = getattr(function, "__name__", "")
    gr.Button().click(answered, list(inputs), outputs, api_name=name, **work)


def require_picture(picture: str | None) -> str:
    """The picture's path.

    Raises:
        gr.Error: there is none.
    """
    if not picture:
        raise gr.Error(text.PICTURE_NEEDED, print_exception=False)
    return picture
