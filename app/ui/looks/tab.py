"""The Looks tab: read a look as a code, find similar ones, mix two, or take makeup off."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeVar

import gradio as gr

from app.language import translate
from app.messages import explain
from app.ui import text
from app.ui.endpoints import LIGHT, PRIVATE, UNCHANGED, Update, limit_work
from app.ui.languages import TranslatedOnLoad
from app.ui.looks.api import LooksApi
from app.ui.result_files import save_before_and_after, save_file
from app.ui.tab import Tab
from app.ui.widgets import before_and_after, gallery, photo_input
from models.errors import MirraError
from pipelines.images.decode import decode

if TYPE_CHECKING:
    from pipelines.makeup.code_files import CodedLook

T = TypeVar("T")

NEAREST = 6
STEPS = 20
"""Tuning steps of each stage on the page, where somebody waits."""

Pictures = tuple[str, str]  # paths: before, after


class LookUpdates(NamedTuple):
    """What wearing a look changes on the page, in the order of the tab's parts."""

    pictures: Pictures | Update = UNCHANGED
    line: str | Update = UNCHANGED
    file: Update = UNCHANGED


class ReadUpdates(NamedTuple):
    """What reading a look changes on the page, in the order of the tab's parts."""

    look: CodedLook | Update = UNCHANGED
    line: str | Update = UNCHANGED
    similar: Update = UNCHANGED
    near: list[CodedLook] | Update = UNCHANGED


class LooksTab(Tab):
    """Looks as codes: read, found again, mixed, worn, taken off."""

    def build(self) -> TranslatedOnLoad:
        """Add the tab to the page that is being built; nothing is left to translate."""
        seconds = self.settings.keep_minutes * 60
        self.mine = gr.State(None, time_to_live=seconds)
        self.other = gr.State(None, time_to_live=seconds)
        self.near = gr.State([], time_to_live=seconds)
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=320):
                self._build_choices()
            with gr.Column(scale=6, min_width=320):
                self._build_result()
        self._connect()
        LooksApi(self.studio).build(self.settings)
        return {}

    def _build_choices(self) -> None:
        self.reference = photo_input(text.REFERENCE_CODE, "look-reference", height=220)
        self.read = gr.Button(text.READ_LOOK, variant="primary", elem_id="read-look")
        self.source = photo_input(text.SOURCE, "look-source", height=220)
        self.bare = gr.Button(text.TAKE_OFF, elem_id="take-off")
        self.made_up = gr.Checkbox(False, label=text.MADE_UP, elem_id="made-up")

    def _build_result(self) -> None:
        self.result = before_and_after("look-result", 520)
        self.report = gr.Markdown(text.LOOKS_WAITING, elem_id="look-report")
        self.share = gr.Slider(0, 1, 0, step=0.05, label=text.MIX, elem_id="look-mix")
        self.file = gr.DownloadButton(
            text.DOWNLOAD_LOOK, elem_id="look-file-out", interactive=False
        )
        self.similar = gallery(text.SIMILAR, "similar-looks", NEAREST)
        self.show = gr.Button(text.SHOW_MAP, size="sm", elem_id="show-map")
        self.chart = gr.Image(
            label=text.MAP,
            interactive=False,
            visible=False,
            format="png",
            buttons=[],
            elem_id="look-map",
        )

    def _connect(self) -> None:
        work = limit_work(self.settings)
        inputs = [self.source, self.made_up, self.mine, self.other, self.share]
        outputs = [self.result, self.report, self.file]
        read = self.read.click(
            self.read_look,
            [self.reference],
            [self.mine, self.report, self.similar, self.near],
            **work,
            **PRIVATE,
        ).then(lambda: 0.0, None, [self.share], **LIGHT)
        chosen = [self.other, self.share]
        triggers = [
            read.then,
            self.similar.select(self.choose_similar, [self.near], chosen, **work, **PRIVATE).then,
            self.chart.select(self.choose_on_map, None, chosen, **work, **PRIVATE).then,
            self.share.release,
        ]
        for on in triggers:
            on(self.wear, inputs, outputs, **work, **PRIVATE)
        self.bare.click(
            self.take_off_makeup, [self.source], [self.result, self.report], **work, **PRIVATE
        )
        self.show.click(self.show_map, None, [self.chart], **work, **PRIVATE)

    def wear(
        self,
        photo: str | None,
        made_up: bool,
        mine: CodedLook | None,
        other: CodedLook | None,
        share: float,
    ) -> LookUpdates:
        """Wear what was read, what was chosen, or what lies between.

        Args:
            photo: the wearer's.
            made_up: whether to take off first what they wear.
            mine: the look that was read.
            other: the look that was chosen.
            share: 0..1, from one to the other.
        """
        look = self._mix(mine, other, share)
        if look is None or not photo:
            return LookUpdates(line=translate(text.NO_SOURCE if look else text.LOOKS_WAITING))
        try:
            output = self.studio.beautybank(decode(photo), look, source_made_up=made_up)
        except MirraError as error:
            return LookUpdates(line=explain(error))
        data = look.to_bytes()
        before, after = output.layers.image, output.images[0]
        return LookUpdates(
            save_before_and_after(before, after, self.studio.png_text),
            translate(text.WEARING, name=translate(look.name), size=len(data)),
            gr.update(value=save_file(data, "look.safetensors"), interactive=True),
        )

    def read_look(self, photo: str | None) -> ReadUpdates:
        """Read the look of a photo, and offer similar ones."""
        if not photo:
            return ReadUpdates(line=translate(text.NO_LOOK_PHOTO))
        try:
            look = self.studio.beautybank.read(decode(photo), iterations=STEPS)
        except MirraError as error:
            return ReadUpdates(line=explain(error))
        near = self.studio.look_map.find_nearest(look, NEAREST)
        pictures = [(each.picture, each.name) for each in near]
        similar = gr.update(value=pictures, visible=True)
        return ReadUpdates(look, translate(text.READ_AS_CODE), similar, near)

    def take_off_makeup(self, photo: str | None) -> tuple[Pictures | Update, str]:
        """Take the makeup off everybody in a photo."""
        if not photo:
            return UNCHANGED, translate(text.NO_SOURCE)
        try:
            picture = decode(photo)
            bare = self.studio.remove_makeup(picture)
        except MirraError as error:
            return UNCHANGED, explain(error)
        files = save_before_and_after(picture, bare, self.studio.png_text)
        return files, translate(text.TAKEN_OFF)

    def choose_similar(self, near: list[T], event: gr.SelectData) -> tuple[T, float]:
        """One of the similar looks, worn in full."""
        return near[event.index], 1.0

    def choose_on_map(self, event: gr.SelectData) -> tuple[object, float]:
        """The look at a place of the map, worn in full."""
        return self.studio.look_map.find_at(*event.index), 1.0

    def show_map(self) -> Update:
        """Draw all looks."""
        return gr.update(value=self.studio.look_map.picture, visible=True)

    def _mix(
        self, first: CodedLook | None, second: CodedLook | None, share: float
    ) -> CodedLook | None:
        """The look between two, or the only one there is."""
        if first is None or second is None:
            return first or second
        if share in (0, 1):
            return second if share else first
        from models.beautybank.code import between

        code = between(first.code, second.code, share)
        return self.studio.beautybank.make_coded_look(code, f"{first.name} + {second.name}")
