"""Painted makeup: our nano FLUX, anywhere; and the large one, or what it lacks here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import gradio as gr

from app.language import translate
from app.licences import is_allowed
from app.messages import explain
from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.endpoints import PRIVATE, UNCHANGED, Update, limit_work
from app.ui.languages import TranslatedOnLoad
from app.ui.result_files import save_before_and_after
from app.ui.widgets import before_and_after
from models.cancellation import raise_if_cancelled
from models.errors import MirraError
from pipelines.flux import list_missing
from pipelines.images.decode import decode
from pipelines.registry import entry_of, is_ready

if TYPE_CHECKING:
    from PIL import Image

    from pipelines.steps import Progress


class PaintingUpdates(NamedTuple):
    """What painting changes on the page."""

    said: Update
    pictures: tuple[str, str] | Update = UNCHANGED
    file: Update = UNCHANGED


class PaintingPanel:
    """The part of the Makeup tab that paints; its handlers are methods, which need no page.

    Args:
        studio: of the page.
        settings: of the page.
    """

    def __init__(self, studio: Studio, settings: Settings) -> None:
        self.studio = studio
        self.settings = settings

    def build(self, source: gr.Image, reference: gr.Image) -> TranslatedOnLoad:
        """Add it to the page that is being built; returns what is translated when it opens.

        Args:
            source: component with the wearer's photograph.
            reference: component with the photograph of someone wearing makeup.
        """
        translated: TranslatedOnLoad = {}
        if is_ready("nano-flux") and is_allowed("nano-flux", self.settings.commercial_only):
            gr.Markdown(text.NANO)
            network = gr.Radio(
                _networks(), value="student", show_label=False, elem_id="nano-network"
            )
            translated[network] = lambda: gr.update(choices=_networks())
            button = gr.Button(text.PAINT, elem_id="paint")
            said = gr.Markdown(elem_id="painted-said", visible=False)
            painted = before_and_after("painted", 420)
            file = gr.DownloadButton(text.DOWNLOAD, elem_id="download-painted", interactive=False)
            button.click(
                self.paint,
                [source, reference, network],
                [said, painted, file],
                **limit_work(self.settings),
                **PRIVATE,
            )
        translated[gr.Markdown(_describe_flux(), elem_id="painting")] = _describe_flux
        return translated

    def paint(self, photo: str | None, reference: str | None, network: str) -> PaintingUpdates:
        """Paint the makeup of one photograph on the face of another with the nano FLUX."""
        if not photo or not reference:
            return PaintingUpdates(gr.update(value=translate(text.PAINT_NEEDS), visible=True))
        try:
            picture = decode(photo)
            made = self.studio.nano_makeup[network](picture, decode(reference))
        except MirraError as error:
            return PaintingUpdates(gr.update(value=explain(error), visible=True))
        files = save_before_and_after(picture, made.images[0], self.studio.png_text)
        return PaintingUpdates(
            gr.update(visible=False), files, gr.update(value=files[1], interactive=True)
        )


def paint_with_flux(
    studio: Studio, source: str | Path, reference: str | Path, seed: int | None = None
) -> Image.Image:
    """Paint the makeup of one photograph on the face of another, with FLUX-Makeup.

    Faces are found and the result is laid over the source here; only what lies between needs a
    GPU.

    Args:
        studio: of the page.
        source: the wearer's picture.
        reference: picture of someone wearing makeup.
        seed: which of the many possible pictures; any when None.

    Raises:
        MirraError: a picture or the pipeline cannot be used.
    """
    from pipelines.flux import locate_flux, translate_loading_errors

    with translate_loading_errors(locate_flux()):
        return studio.flux_makeup(
            decode(source), decode(reference), seed=seed, on_step=_is_wanted
        ).images[0]


def _is_wanted(_: Progress) -> bool:
    """Asked after each step; by name, for it is sent to another process."""
    raise_if_cancelled()
    return True


def _networks() -> list[tuple[str, str]]:
    """What the small FLUX's networks are called, and their names."""
    return [(translate(label), name) for name, label in text.NANO_NETWORKS.items()]


def _describe_flux() -> str:
    """How to paint with FLUX here, or what that lacks."""
    lacks = list_missing()
    if not lacks:
        return translate(text.PAINTED_READY)
    listed = "\n".join(f"- {each}" for each in lacks)
    needs = f"{translate(text.PAINTED_NEEDS)} {translate(entry_of('flux-makeup').needs)}."
    return "\n\n".join([translate(text.PAINTED_LACKS), listed, needs])
