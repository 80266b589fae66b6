"""The page: assembled from one file per tab, and served."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from app.server.door import Page
from app.server.run import Server
from app.server.visits import Visits
from app.service import Studio
from app.settings import Settings
from app.ui import live, makeup, products, text, tryon
from app.ui.theme import CSS, theme
from app.version import version, weights_hash
from pipelines.registry import is_ready

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "examples"


def build(studio: Studio, settings: Settings, visits: Visits | None = None) -> Page:
    """Build the page around a studio; nothing is loaded and nothing is served yet."""
    with Page(settings, visits, title="Mirra", analytics_enabled=False) as page:
        gr.Markdown(text.BRAND, elem_id="brand")
        with gr.Tab(text.MAKEUP_TAB):
            makeup.tab(studio, settings)
        if is_ready("dmvton"):
            with gr.Tab(text.TRYON_TAB, elem_id="tryon-tab"):
                tryon.tab(studio, settings)
        with gr.Tab(text.LIVE_TAB, elem_id="live-tab"):
            live.tab(studio, settings)
        with gr.Tab(text.PRODUCTS_TAB, elem_id="products-tab"):
            products.tab(studio, settings)
        gr.Markdown(text.PRIVACY, elem_id="privacy")
        gr.Markdown(
            text.VERSION.format(version=version(), weights=weights_hash()), elem_id="version"
        )
    page.seat_heavy_work()
    return page


def launch(page: Page, studio: Studio, visits: Visits, settings: Settings) -> None:
    """Serve the page until stopped: no files but our examples, one link in the footer."""
    Server(page, studio, visits, settings).run(
        [ASSETS], theme=theme(), css=CSS, footer_links=["api"]
    )
