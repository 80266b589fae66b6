"""Painted makeup for programs, where there is a FLUX; the page itself is for what is instant."""

from __future__ import annotations

import gradio as gr

from app.service import Studio
from app.ui.endpoints import endpoint, require_picture
from app.ui.result_files import save_png
from app.ui.widgets import pass_paths


def endpoints(studio: Studio) -> None:
    """Add `paint_makeup` to the page that is being built."""

    def paint_makeup(source: str, reference: str, seed: int = -1) -> str:
        """Paint the makeup of one photograph on the face of another, with FLUX-Makeup.

        Args:
            source: picture of the wearer.
            reference: picture of someone wearing makeup.
            seed: which of the many possible pictures; -1 for any.

        Returns:
            The picture as PNG, at the source's size.
        """
        drawn = None if seed < 0 else int(seed)
        picture = studio.paint(require_picture(source), require_picture(reference), drawn)
        return save_png(picture, "mirra.png", studio.png_text)

    with gr.Row(visible=False):
        source, reference = (
            pass_paths(gr.Image(label="source")),
            pass_paths(gr.Image(label="reference")),
        )
        seed = gr.Number(-1, label="seed", precision=0)
        picture = gr.Image(label="result", format="png", type="filepath")
        endpoint(
            paint_makeup, [source, reference, seed], picture,
            concurrency_id="gpu", concurrency_limit=1,
        )  # fmt: skip
