"""The page: assembled from one file per tab, and served."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from app.service import Studio
from app.settings import Settings
from app.ui import live, looks, makeup, products, text, tryon
from app.ui.theme import CSS, theme
from app.ui.uploads import Page
from pipelines.registry import is_ready

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "examples"


def build(studio: Studio, settings: Settings) -> gr.Blocks:
    """Build the page around a studio; nothing is loaded and nothing is served yet."""
    keep = settings.keep_minutes * 60
    with Page(title="Mirra", analytics_enabled=False, delete_cache=(60, keep)) as page:
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
        if is_ready("beautybank"):
            with gr.Tab(text.LOOKS_TAB, elem_id="looks-tab"):
                looks.tab(studio, settings)
        gr.Markdown(text.PRIVACY, elem_id="privacy")
    page.queue(max_size=settings.queue_size)
    return page


def launch(page: gr.Blocks, settings: Settings) -> None:
    """Serve the page until stopped: no sharing, no run history, no files but our examples."""
    page.launch(
        **settings.launch_options(),
        theme=theme(),
        css=CSS,
        share=False,
        run_history=False,
        enable_monitoring=False,
        strict_cors=True,
        show_error=False,  # our own sentences are shown all the same
        footer_links=["api"],
        allowed_paths=[str(ASSETS)],
    )
