"""What a stranger may hand over: a file they uploaded and a text of usual length, no more."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from app.messages import NOT_AN_UPLOAD, TOO_LONG

MOST_LETTERS = 2_000
MOST_PATH_LETTERS = 4_096


def check_payload(payload: object) -> None:
    """Look through a payload for files and texts.

    Args:
        payload: JSON's values; a file in it is a dictionary with "path" or "url".

    Raises:
        gr.Error: a file in it is an address, or a path that no upload led to; or a text is longer
            than anybody writes here.
    """
    if isinstance(payload, list):
        for item in payload:
            check_payload(item)
    elif isinstance(payload, dict):
        if ("path" in payload or "url" in payload) and not _is_camera_picture(payload):
            _check_is_upload(payload)
        for key, item in payload.items():
            if key != "url":  # a camera's picture
                check_payload(item)
    elif isinstance(payload, str) and len(payload) > MOST_LETTERS:
        raise gr.Error(TOO_LONG, print_exception=False)


def _is_camera_picture(file: dict[str, object]) -> bool:
    """Whether a payload is the picture itself, as a camera sends it, and names nothing."""
    url = file.get("url")
    return not file.get("path") and isinstance(url, str) and url.startswith("data:image/")


def _check_is_upload(file: dict[str, object]) -> None:
    """Refuse paths that no upload led to; whose upload it was is known by its secret address."""
    path = file.get("path")
    if isinstance(path, str) and "\0" not in path and len(path) < MOST_PATH_LETTERS:
        folder, resolved = Path(get_upload_folder()).resolve(), Path(path).resolve()
        if resolved.is_relative_to(folder) and resolved.is_file():
            return
    raise gr.Error(NOT_AN_UPLOAD, print_exception=False)
