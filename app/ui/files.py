"""Pictures as files in the session's folder, which is emptied when the session ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradio.processing_utils import save_bytes_to_cache

if TYPE_CHECKING:
    from PIL import Image


def save_png(
    image: Image.Image, name: str, cache: str, png_text: dict[str, str] | None = None
) -> str:
    """A picture as PNG, written fast; returns its path.

    Args:
        image: the picture.
        name: of the file.
        cache: the folder, a component's `GRADIO_CACHE`.
        png_text: text it carries, such as `Studio.png_text`.
    """
    from pipelines.images.decode import encode

    return save_bytes_to_cache(encode(image, compress_level=1, text=png_text), name, cache)


def save_before_and_after(
    before: Image.Image, after: Image.Image, cache: str, png_text: dict[str, str]
) -> tuple[str, str]:
    """Both as PNG; the second carries `png_text`."""
    return save_png(before, "before.png", cache), save_png(after, "mirra.png", cache, png_text)
