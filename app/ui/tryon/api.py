"""Try-on for programs: a named endpoint without a place on the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.endpoints import add_endpoint, limit_work
from app.ui.result_files import save_png
from app.ui.widgets import pass_paths
from pipelines.images.decode import decode

if TYPE_CHECKING:
    from pipelines.tryon.pipeline_dmvton import Network


class TryOnApi:
    """The endpoint, as a method that needs no page.

    Args:
        studio: of the page.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio

    def try_on_garment(self, person: str, garment: str, network: Network = "student") -> str:
        """Put a top on a person.

        Args:
            person: picture of the wearer, from head to hips.
            garment: picture of a top, flat on anything or worn by somebody.
            network: "student" is fast; "teacher" also reads pose and parse.

        Returns:
            The picture as PNG, at the size of the wearer's.
        """
        if network not in text.NETWORKS:
            raise gr.Error(text.NO_NETWORK, print_exception=False)
        if not person or not garment:
            raise gr.Error(text.TWO_PICTURES_NEEDED, print_exception=False)
        output = self.studio.tryon(decode(person), decode(garment), network=network)
        return save_png(output.image, "mirra.png", self.studio.png_text)

    def build(self, settings: Settings) -> None:
        """Add `try_on_garment` to the page."""
        with gr.Row(visible=False):
            person, garment = (pass_paths(gr.Image(label=it)) for it in ("person", "garment"))
            network = gr.Textbox("student", label="network")
            picture = gr.Image(label="result", format="png", type="filepath")
            add_endpoint(
                self.try_on_garment, [person, garment, network], picture, limit_work(settings)
            )
