"""The Try-on tab: a photo, a top, and what has been tried on so far."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import gradio as gr
from PIL import Image

from app.language import translate
from app.messages import explain
from app.ui import text
from app.ui.endpoints import LIGHT, PRIVATE, UNCHANGED, Update, limit_work
from app.ui.languages import TranslatedOnLoad
from app.ui.result_files import save_before_and_after
from app.ui.tab import Tab
from app.ui.tryon.api import TryOnApi
from app.ui.tryon.coach import (
    FoundGarment,
    FoundPerson,
    coach_both,
    describe_problem,
    describe_result,
)
from app.ui.tryon.garments import GARMENTS, name_garment
from app.ui.widgets import before_and_after, gallery, photo_input
from models.errors import MirraError
from models.structures import Person
from pipelines.images.decode import decode
from pipelines.registry import has_weights

if TYPE_CHECKING:
    from pipelines.tryon.pipeline_dmvton import Network

MOST_SO_FAR = 12


class TryOnUpdates(NamedTuple):
    """What a try-on changes on the page, in the order of the tab's parts."""

    pictures: tuple[str, str] | Update = UNCHANGED
    line: str | Update = UNCHANGED
    picture: Update = UNCHANGED
    so_far: Update = UNCHANGED
    results: list[str] | Update = UNCHANGED


class TryOnTab(Tab):
    """A photo, a top, and what has been tried on so far."""

    def build(self) -> TranslatedOnLoad:
        """Add the tab to the page that is being built; returns what is translated when it opens."""
        seconds = self.settings.keep_minutes * 60
        self.person = gr.State(None, time_to_live=seconds)
        self.garment = gr.State(None, time_to_live=seconds)
        self.results = gr.State([], time_to_live=seconds)
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=320):
                self._build_choices()
            with gr.Column(scale=6, min_width=320):
                self._build_result()
        self._connect()
        TryOnApi(self.studio).build(self.settings)
        return {self.garments: lambda: gr.update(value=_tops())}

    def _build_choices(self) -> None:
        self.photo = photo_input(text.PERSON, "person", height=300)
        gr.Markdown(text.GARMENTS, elem_classes="heading")
        self.garments = gallery(text.GARMENTS, "garments", 3, _tops())
        self.upload = photo_input(text.GARMENT, "garment", height=220)
        self.advice = gr.Markdown(elem_id="tryon-advice", visible=False)

    def _build_result(self) -> None:
        networks = [name for name in text.NETWORKS if has_weights(f"dmvton-{name}")]
        self.result = before_and_after("tryon-result", 620)
        self.report = gr.Markdown(text.TRYON_WAITING, elem_id="tryon-report")
        with gr.Row():
            self.quality = gr.Radio(
                [(text.NETWORKS[name], name) for name in networks],
                value=networks[0] if networks else None,
                label=text.QUALITY,
                visible=len(networks) > 1,
                elem_id="quality",
            )
            self.cut_out = gr.Image(
                label=text.CUT_OUT,
                format="png",
                interactive=False,
                height=200,
                buttons=[],
                elem_id="cut-out",
            )
        self.download = gr.DownloadButton(
            text.DOWNLOAD, elem_id="tryon-download", interactive=False
        )
        self.so_far = gr.Gallery(
            label=text.SO_FAR,
            columns=4,
            height="auto",
            format="png",
            interactive=False,
            visible=False,
            elem_id="so-far",
        )

    def _connect(self) -> None:
        work = limit_work(self.settings)
        inputs = [self.person, self.garment, self.quality, self.results]
        outputs = [self.result, self.report, self.download, self.so_far, self.results]
        self.garments.select(self.choose_garment, None, [self.upload], **LIGHT)
        found = [
            self.photo.change(self.find_person, [self.photo], [self.person], **work, **PRIVATE),
            self.upload.change(
                self.cut_garment, [self.upload], [self.garment, self.cut_out], **work, **PRIVATE
            ),
        ]
        for event in found:
            coached = event.then(self.coach, [self.person, self.garment], [self.advice], **PRIVATE)
            coached.then(self.try_on, inputs, outputs, **work, **PRIVATE)
        self.quality.input(self.try_on, inputs, outputs, **work, **PRIVATE)

    def choose_garment(self, event: gr.SelectData) -> str:
        """The picture of a drawn top."""
        return str(GARMENTS[event.index])

    def find_person(self, photo: str | None) -> FoundPerson:
        """Who is in a photo, or why nobody is."""
        if not photo:
            return None
        try:
            return self.studio.tryon.analyzer(decode(photo))
        except MirraError as error:
            return error

    def cut_garment(self, photo: str | None) -> tuple[FoundGarment, Image.Image | None]:
        """The top in a photo, or why there is none; and it alone on white."""
        if not photo:
            return None, None
        try:
            garment = self.studio.tryon.garments(decode(photo))
        except MirraError as error:
            return error, None
        return garment, garment.on_white()

    def coach(self, person: FoundPerson, garment: FoundGarment) -> Update:
        """Say what would spoil a result."""
        advice = "\n\n".join(coach_both(person, garment))
        return gr.update(value=advice, visible=bool(advice))

    def try_on(
        self,
        person: FoundPerson,
        garment: FoundGarment,
        network: Network | None,
        results: list[str],
    ) -> TryOnUpdates:
        """Put the garment on the person, and what comes of it before the earlier results."""
        from pipelines.tryon.garment import Garment

        if not isinstance(person, Person) or not isinstance(garment, Garment):
            return TryOnUpdates(line=describe_problem(person, garment))
        try:
            output = self.studio.tryon.wear(person, garment, network=network or "student")
        except MirraError as error:
            return TryOnUpdates(line=explain(error))
        before = Image.fromarray(output.person.image)
        pictures = save_before_and_after(before, output.image, self.studio.png_text)
        results = [pictures[1], *results][:MOST_SO_FAR]
        return TryOnUpdates(
            pictures,
            describe_result(output),
            gr.update(value=pictures[1], interactive=True),
            gr.update(value=results, visible=True),
            results,
        )


def _tops() -> list[tuple[str, str]]:
    """A picture of each drawn top, and its title."""
    return [(str(path), translate(name_garment(path))) for path in GARMENTS]
