"""Results as files in the visit's folder, which is emptied when the visit ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

if TYPE_CHECKING:
    from PIL import Image


def save_file(data: bytes, name: str) -> str:
    """Write a file; returns its path."""
    return save_bytes_to_cache(data, name, get_upload_folder())


def save_png(image: Image.Image, name: str, png_text: Mapping[str, str] | None = None) -> str:
    """A picture as PNG, written fast; returns its path.

    Args:
        image: the picture.
        name: of the file.
        png_text: text it carries, such as `Studio.png_text`.
    """
    from pipelines.images.encode import encode

    return save_file(encode(image, compress_level=1, text=png_text), name)


def save_before_and_after(
    before: Image.Image, after: Image.Image, png_text: Mapping[str, str]
) -> tuple[str, str]:
    """Both as PNG; the second carries `png_text`."""
    return save_png(before, "before.png"), save_png(after, "mirra.png", png_text)
