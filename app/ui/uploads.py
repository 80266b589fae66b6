"""What a stranger may hand over as a file: something they uploaded, and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder

from app.ui import text


class Page(gr.Blocks):
    """Blocks with one door for whatever comes in, from the page or from a program.

    Gradio by itself fetches a file given by its address, and takes a payload without its `meta`
    for granted, so that a program could name any picture on this machine. Checking here covers
    every component of every tab, also of those to come.
    """

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **more: Any):
        """Check what comes in, then let Gradio read it."""
        check_files(inputs)
        return await super().preprocess_data(block_fn, inputs, *rest, **more)


def check_files(value: Any) -> None:
    """Look through a payload for files.

    Raises:
        gr.Error: a file in it is an address, or a path that no upload led to.
    """
    if isinstance(value, list):
        for item in value:
            check_files(item)
    elif isinstance(value, dict):
        if "path" in value or "url" in value:
            uploaded_path(value)
        for item in value.values():
            if isinstance(item, (dict, list)):
                check_files(item)


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


def photo_of(label: str, name: str, height: int) -> gr.Image:
    """A place for one photo: dropped, chosen, pasted or taken."""
    return unread(
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


def unread(image: gr.Image) -> gr.Image:
    """Hand us the upload's path as it was sent: `pipelines.images` does all the reading."""

    def path_of(payload: ImageData | None) -> str | None:
        return payload.path if payload else None

    image.preprocess = path_of
    return image
