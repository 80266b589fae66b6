"""The page: assembled from one file per tab, and served."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from app.service import Studio
from app.settings import Settings
from app.ui import api, makeup, text
from app.ui.fitting import Visits
from app.ui.theme import CSS, HEAD, theme
from app.ui.uploads import Page

ASSETS = Path(__file__).resolve().parents[2] / "assets"


def build(studio: Studio, settings: Settings) -> gr.Blocks:
    """Build the page around a studio; nothing is loaded and nothing is served yet."""
    keep = settings.keep_minutes * 60
    visits = Visits(settings.in_memory)
    work: dict[str, Any] = {"concurrency_id": "makeup", "concurrency_limit": settings.at_once}
    with Page(title="Mirra", analytics_enabled=False, delete_cache=(60, keep)) as page:
        gr.Markdown(text.BRAND, elem_id="brand")
        makeup.tab(studio, visits, settings, work)
        gr.Markdown(text.PRIVACY, elem_id="privacy")
        api.endpoints(studio, work)
        page.unload(visits.leave)
    page.queue(max_size=settings.queue_size)
    return page


def launch(page: gr.Blocks, settings: Settings, **options: Any) -> None:
    """Open the page to visitors and return: no sharing, no run history, only our examples' files.

    Args:
        page: from `build`.
        settings: address and limits.
        options: more for Gradio's `launch`, such as `quiet`.
    """
    page.launch(
        **settings.launch_options(),
        theme=theme(),
        css=CSS,
        head=HEAD,
        favicon_path=str(ASSETS / "brand" / "mirra.svg"),
        share=False,
        run_history=False,
        enable_monitoring=False,
        strict_cors=True,
        show_error=False,
        footer_links=["api"],
        allowed_paths=[str(ASSETS / "examples")],
        prevent_thread_lock=True,
        **options,
    )
