"""Painted makeup on the page: our nano FLUX, anywhere; and what the large one lacks here."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.language import translate
from app.licences import is_allowed
from app.messages import explain
from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.languages import TranslatedOnLoad
from app.ui.makeup import painting_api
from app.ui.result_files import save_before_and_after
from app.ui.widgets import before_and_after
from models.errors import MirraError
from pipelines.flux import list_missing
from pipelines.registry import entry_of, is_ready


def part(
    studio: Studio, settings: Settings, source: Any, reference: Any, work: dict[str, Any]
) -> TranslatedOnLoad:
    """Add what paints to the page that is being built; returns what is translated on load.

    Args:
        studio: of the page.
        settings: of the page.
        source: component with the wearer's photograph.
        reference: component with the photograph of someone wearing makeup.
        work: queue and limit of events that compute.
    """
    translated: TranslatedOnLoad = {}
    if is_ready("nano-flux") and is_allowed("nano-flux", settings.commercial_only):
        gr.Markdown(text.NANO)
        network = gr.Radio(_networks(), value="student", show_label=False, elem_id="nano-network")
        translated[network] = lambda: gr.update(choices=_networks())
        paint = gr.Button(text.PAINT, elem_id="paint")
        said = gr.Markdown(elem_id="painted-said", visible=False)
        painted = before_and_after("painted", 420)
        file = gr.DownloadButton(text.DOWNLOAD, elem_id="download-painted", interactive=False)

        def show(photo: str | None, look: str | None, name: str) -> tuple[Any, Any, Any]:
            if not photo or not look:
                return (
                    gr.update(value=translate(text.PAINT_NEEDS), visible=True),
                    gr.skip(),
                    gr.skip(),
                )
            try:
                before, after = studio.paint_small(photo, look, name)
            except MirraError as error:
                return gr.update(value=explain(error), visible=True), gr.skip(), gr.skip()
            files = save_before_and_after(before, after, studio.png_text)
            return gr.update(visible=False), files, gr.update(value=files[1], interactive=True)

        paint.click(
            show, [source, reference, network], [said, painted, file],
            **work, api_visibility="private",
        )  # fmt: skip
    about = gr.Markdown(_about_flux(), elem_id="painting")
    if is_allowed("flux-makeup", settings.commercial_only) and not list_missing():
        painting_api.endpoints(studio)
    return translated | {about: _about_flux}


def _networks() -> list[tuple[str, str]]:
    """What the small FLUX's networks are called, and their names."""
    return [(translate(label), name) for name, label in text.NANO_NETWORKS.items()]


def _about_flux() -> str:
    """How to paint with FLUX here, or what that lacks."""
    entry = entry_of("flux-makeup")
    lacks = list_missing()
    if not lacks:
        return translate(text.PAINTED_READY)
    listed = "\n".join(f"- {each}" for each in lacks)
    needs = f"{translate(text.PAINTED_NEEDS)} {translate(entry.needs)}."
    return "\n\n".join([translate(text.PAINTED_LACKS), listed, needs])
