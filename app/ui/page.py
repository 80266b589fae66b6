"""The page: assembled from one file per tab, and served."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from app.language import translate
from app.licences import is_allowed, licence_list
from app.server.blocks import GuardedBlocks
from app.server.server import Server
from app.server.sessions import Sessions
from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.languages import (
    TranslatedOnLoad,
    TranslatedPage,
    build_dictionaries,
    translate_labels,
    translate_on_load,
)
from app.ui.live.tab import LiveTab
from app.ui.looks.tab import LooksTab
from app.ui.makeup.tab import MakeupTab
from app.ui.products.tab import ProductsTab
from app.ui.tab import Tab
from app.ui.theme import CSS, SCRIPT, build_theme
from app.ui.tryon.tab import TryOnTab
from app.version import version, weights_hash
from pipelines.registry import entry_of_tab, is_ready

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "examples"


TABS: tuple[tuple[str, str, type[Tab]], ...] = (
    (text.MAKEUP_TAB, "makeup-tab", MakeupTab),
    (text.TRYON_TAB, "tryon-tab", TryOnTab),
    (text.LIVE_TAB, "live-tab", LiveTab),
    (text.PRODUCTS_TAB, "products-tab", ProductsTab),
    (text.LOOKS_TAB, "looks-tab", LooksTab),
)
"""Title, the element's id, and what builds it; the registry says which pipeline a tab needs."""


def build(studio: Studio, settings: Settings, sessions: Sessions | None = None) -> GuardedBlocks:
    """Build the page around a studio; nothing is loaded and nothing is served yet."""
    translated: TranslatedOnLoad = {}
    with TranslatedPage(settings, sessions, title="Mirra", analytics_enabled=False) as page:
        gr.Markdown(text.BRAND, elem_id="brand")
        for title, name, tab in TABS:
            pipeline = entry_of_tab(name).name
            if is_ready(pipeline) and is_allowed(pipeline, settings.commercial_only):
                with gr.Tab(title, elem_id=name):
                    translated |= tab(studio, settings).build()
        translated |= _licences(settings)
        gr.Markdown(text.PRIVACY, elem_id="privacy")
        translated[gr.Markdown(_which_mirra(), elem_id="version")] = _which_mirra
        translate_on_load(page, translated)
    translate_labels(page)
    page.limit_heavy_work()
    return page


def _which_mirra() -> str:
    return translate(text.VERSION, version=version(), weights=weights_hash())


def _licences(settings: Settings) -> TranslatedOnLoad:
    """The panel of licences, and above it what is not offered because of them."""
    hidden = [
        title
        for title, name, _ in TABS
        if not is_allowed(entry_of_tab(name).name, settings.commercial_only)
    ]

    def missed() -> str:
        return translate(text.NOT_OFFERED, names=", ".join(map(translate, hidden)))

    translated: TranslatedOnLoad = {}
    if hidden:
        translated[gr.Markdown(missed(), elem_id="not-offered")] = missed
    with gr.Accordion(text.LICENCES, open=False, elem_id="licences"):
        gr.Markdown(text.LICENCES_HELP)
        translated[gr.Markdown(licence_list())] = licence_list
    return translated


def launch(page: GuardedBlocks, studio: Studio, sessions: Sessions, settings: Settings) -> None:
    """Serve the page until stopped: no files but our examples, one link in the footer."""
    server = Server(page, studio, sessions, settings)
    server.run(
        [ASSETS],
        theme=build_theme(),
        css=CSS,
        js=SCRIPT,
        i18n=build_dictionaries(),
        footer_links=["api"],
    )
