"""Looks as codes for programs: named endpoints without a place on the page."""

from __future__ import annotations

import gradio as gr

from app.service import Studio
from app.settings import Settings
from app.ui.endpoints import add_endpoint, limit_work, require_picture
from app.ui.result_files import save_file, save_png
from app.ui.widgets import pass_paths
from pipelines.images.decode import decode


class LooksApi:
    """The endpoints, as methods that need no page.

    Args:
        studio: of the page.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def encode_look(self, picture: str) -> str:
        """Read the makeup of a face as a code, a safetensors file.

        Args:
            picture: of someone wearing makeup.
        """
        look = self.studio.beautybank.read(decode(require_picture(picture)), iterations=60)
        return save_file(look.to_bytes(), "look.safetensors")

    def remove_makeup(self, picture: str) -> str:
        """Estimate every face of a picture without its makeup; the rest stays bit-equal.

        Args:
            picture: of someone wearing makeup.
        """
        bare = self.studio.remove_makeup(decode(require_picture(picture)))
        return save_png(bare, "bare.png", self.studio.png_text)

    def build(self, settings: Settings) -> None:
        """Add `encode_look` and `remove_makeup` to the page."""
        work = limit_work(settings)
        with gr.Row(visible=False):
            picture = pass_paths(gr.Image(label="picture"))
            code = gr.File(label="code")
            bare = gr.Image(label="bare", format="png", type="filepath")
            add_endpoint(self.encode_look, [picture], code, work)
            add_endpoint(self.remove_makeup, [picture], bare, work)
