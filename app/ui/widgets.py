"""What several tabs have: places for photos, pictures to choose from, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeVar

import gradio as gr
from gradio.data_classes import FileData, ImageData, ListFiles

from app.ui import text

FileOrImage = TypeVar("FileOrImage", gr.File, gr.Image)

_MOVE_DIVIDER = "(position) => ({__type__: 'update', slider_position: position})"


def photo_input(label: str, name: str, height: int) -> gr.Image:
    """A place for a photograph: upload, camera or clipboard; it gives the file's path."""
    return pass_paths(
        gr.Image(
            label=label,
            sources=["upload", "webcam", "clipboard"],
            height=height,
            type="filepath",
            buttons=[],
            elem_id=name,
            webcam_options=gr.WebcamOptions(mirror=True),
        )
    )


def pass_paths(place: FileOrImage) -> FileOrImage:
    """Hand us uploads' paths as they were sent: `pipelines.images.decode` does all the reading.

    Gradio would read a picture itself, and leave an empty file behind for every other file.
    """
    if isinstance(place, gr.Image):
        place.preprocess = _path_of_picture
    else:
        place.preprocess = _path_of_file
    return place


def _path_of_picture(payload: ImageData | None) -> str | None:
    return payload.path if payload else None


def _path_of_file(payload: FileData | ListFiles | None) -> str | list[str] | None:
    if isinstance(payload, ListFiles):
        return [file.path for file in payload.root]
    return payload.path if payload else None


def gallery(
    label: str,
    name: str,
    columns: int,
    pictures: Sequence[tuple[str, str]] | None = None,
    *,
    fit: Literal["contain", "cover"] = "contain",
    preview: bool = False,
) -> gr.Gallery:
    """Pictures to choose from or to look at, never to be uploaded, shared or edited.

    Args:
        label: what a screen reader says.
        name: the element's id.
        columns: pictures in a row; the gallery is as high as they are.
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


def before_and_after(name: str, max_height: int) -> gr.ImageSlider:
    """Two pictures behind one divider, which a hand, a mouse or a key can move.

    Gradio's own divider needs a mouse; below it is a slider for whoever has none.

    Args:
        name: the element's id; its slider's is `<name>-divider`.
        max_height: of the pictures, in pixels.
    """
    pictures = gr.ImageSlider(
        label=text.RESULT,
        format="png",
        interactive=False,
        max_height=max_height,
        buttons=["fullscreen"],
        elem_id=name,
    )
    divider = gr.Slider(
        0,
        100,
        50,
        step=1,
        label=text.COMPARE,
        buttons=[],
        container=False,
        elem_id=f"{name}-divider",
        elem_classes="divider",
    )
    divider.input(
        None,
        [divider],
        [pictures],
        js=_MOVE_DIVIDER,
        queue=False,
        show_progress="hidden",
        api_visibility="private",
    )
    return pictures


def scroll_to(name: str) -> str:
    """JavaScript that brings an element into sight where the page is one column."""
    return f"""() => {{ if (window.innerWidth < 700)
  document.querySelector('#{name}')?.scrollIntoView({{behavior: 'smooth', block: 'start'}}); }}"""
