"""Pictures to choose from or to look at; none of them can be uploaded, shared or edited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import gradio as gr


def gallery(
    label: str,
    name: str,
    columns: int,
    pictures: Sequence[tuple[str, str]] | None = None,
    *,
    fit: Literal["contain", "cover"] = "contain",
    preview: bool = False,
) -> gr.Gallery:
    """A gallery as high as its pictures.

    Args:
        label: what a screen reader says.
        name: the element's id.
        columns: pictures in a row.
        pictures: path and caption of each; without any the gallery is hidden until it gets some.
        fit: whether pictures are shown whole or fill their place.
        preview: whether a click enlarges.
    """
    return gr.Gallery(
        list(pictures) if pictures else None,
        label=label,
        show_label=False,
        columns=columns,
        height="auto",
        object_fit=fit,
        allow_preview=preview,
        interactive=False,
        buttons=[],
        visible=bool(pictures),
        elem_id=name,
    )
