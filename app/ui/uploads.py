"""Components that take a photograph or a file, and hand on its path unread."""

from __future__ import annotations

from typing import Any, TypeVar

import gradio as gr
from gradio.data_classes import FileData, ImageData, ListFiles

FileOrImage = TypeVar("FileOrImage", gr.File, gr.Image)


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

    def path_of(payload: ImageData | FileData | ListFiles | None) -> Any:
        if isinstance(payload, ListFiles):
            return [file.path for file in payload.root]
        return payload.path if payload else None

    place.preprocess = path_of
    return place
