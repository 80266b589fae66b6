"""What a stranger may hand over as a file: something they uploaded, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
from gradio.data_classes import FileData, ImageData, ListFiles
from gradio.utils import get_upload_folder

from app.messages import TOO_LONG
from app.ui import text

MOST_LETTERS = 2_000

FileOrImage = TypeVar("FileOrImage", gr.File, gr.Image)


def check(value: Any) -> None:
    """Look through a payload for files and texts.

    Raises:
        gr.Error: a file in it is an address, or a path that no upload led to; or a text is longer
            than anybody writes here.
    """
    if isinstance(value, list):
        for item in value:
            check(item)
    elif isinstance(value, dict):
        if ("path" in value or "url" in value) and not _holds_its_picture(value):
            uploaded_path(value)
        for key, item in value.items():
            if key != "url":  # a camera's picture
                check(item)
    elif isinstance(value, str) and len(value) > MOST_LETTERS:
        raise gr.Error(TOO_LONG, print_exception=False)


def _holds_its_picture(payload: dict[str, Any]) -> bool:
    """Whether a payload is the picture itself, as a camera sends it, and names nothing."""
    url = payload.get("url")
    return not payload.get("path") and isinstance(url, str) and url.startswith("data:image/")


def uploaded_path(payload: Any) -> str | None:
    """Where an uploaded file lies; None if nothing was given.

    Args:
        payload: a file as Gradio's clients describe it, {"path": ...}.

    Raises:
        gr.Error: it is an address, or a path that no upload led to.
    """
    if payload is None:
        return None
    path = payload.get("path") if isinstance(payload, dict) else None
    if isinstance(path, str) and "\0" not in path and len(path) < 4096:
        folder, file = Path(get_upload_folder()).resolve(), Path(path).resolve()
        if file.is_relative_to(folder) and file.is_file():
            return str(file)
    raise gr.Error(text.NOT_AN_UPLOAD, print_exception=False)


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
