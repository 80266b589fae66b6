"""Before and after, behind one divider that a hand, a mouse or a key can move."""

from __future__ import annotations

import gradio as gr

from app.ui import text

MOVE = "(position) => ({__type__: 'update', slider_position: position})"


def before_and_after(name: str, max_height: int) -> gr.ImageSlider:
    """Two pictures, and below them a slider for whoever has no mouse: Gradio's own needs one.

    Args:
        name: the element's id; its slider's is `<name>-divider`.
        max_height: of the pictures, in pixels.
    """
    pictures = gr.ImageSlider(
        label=text.RESULT, format="png", interactive=False, max_height=max_height,
        buttons=["fullscreen"], elem_id=name,
    )  # fmt: skip
    divider = gr.Slider(
        0, 100, 50, step=1, label=text.COMPARE, buttons=[], container=False,
        elem_id=f"{name}-divider", elem_classes="divider",
    )  # fmt: skip
    divider.input(
        None, [divider], [pictures], js=MOVE, queue=False, show_progress="hidden",
        api_visibility="private",
    )  # fmt: skip
    return pictures
