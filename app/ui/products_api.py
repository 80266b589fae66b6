"""Products for programs: named endpoints without a place on the page."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gradio as gr

from app.messages import explain
from app.server.door import WORK
from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.uploads import unread
from models.errors import MirraError


def endpoints(studio: Studio, settings: Settings) -> None:
    """Add `extract_attributes` and `find_shades` to the page that is being built."""
    with gr.Row(visible=False):
        picture = unread(gr.Image(label="picture"))
        title, color = gr.Textbox(label="title"), gr.Textbox(label="color")
        radius, limit = gr.Number(10, label="radius"), gr.Number(10, label="limit", precision=0)
        finish, category = gr.Textbox(label="finish"), gr.Textbox(label="category")
        attributes, shades = gr.JSON(label="attributes"), gr.JSON(label="shades")
        extract_button, find_button = gr.Button(), gr.Button()

    def extract_attributes(picture: str, title: str | None = None) -> dict[str, Any]:
        """Read a product picture.

        Args:
            picture: of a palette, pan, bullet, smear or the like.
            title: the product's name, evidence beside the picture.

        Returns:
            kind, category, size_wh, best and shades; see `pipelines.catalog.attributes`.
        """
        if not picture:
            raise gr.Error("a picture is needed", print_exception=False)
        try:
            return asdict(studio.read_product(picture, title or "")[0])
        except MirraError as error:
            raise gr.Error(explain(error), print_exception=False) from None

    def find_shades(
        color: str,
        radius: float = 10.0,
        finish: str | None = None,
        category: str | None = None,
        limit: int = 10,
    ) -> list[dict[str, Any]]:
        """Find shades in the server's catalogue.

        Args:
            color: sRGB such as "#b01030".
            radius: all within this CIEDE2000.
            finish: only this finish.
            category: only this category.
            limit: at most so many, 1 to 100.

        Returns:
            Shades, the nearest first, each with its `delta_e`.
        """
        if settings.catalog is None:
            raise gr.Error(text.NO_CATALOG, print_exception=False)
        if not 0 < radius <= 100 or not 1 <= limit <= 100:
            raise gr.Error("radius and limit must be between 1 and 100", print_exception=False)
        from pipelines.catalog.store import Catalog

        finishes, categories = ((finish,) if finish else ()), ((category,) if category else ())
        try:
            found = studio.find(Catalog(settings.catalog), color, radius, finishes, categories)
        except MirraError as error:
            raise gr.Error(explain(error), print_exception=False) from None
        return [{**match.shade, "delta_e": match.delta_e} for match in found[: int(limit)]]

    work: dict[str, Any] = {"concurrency_id": WORK, "concurrency_limit": settings.at_once}
    extract_button.click(
        extract_attributes, [picture, title], [attributes], api_name="extract_attributes", **work
    )
    find_button.click(
        find_shades, [color, radius, finish, category, limit], [shades],
        api_name="find_shades", **work,
    )  # fmt: skip
