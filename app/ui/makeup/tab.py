"""The Makeup tab: a photo, a look, five sliders."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import gradio as gr

from app.language import translate
from app.messages import advise, explain
from app.ui import text
from app.ui.endpoints import LIGHT, PRIVATE, UNCHANGED, Update, limit_work
from app.ui.languages import TranslatedOnLoad
from app.ui.makeup.api import MakeupApi
from app.ui.makeup.look_request import LookRequest
from app.ui.makeup.painting import PaintingPanel
from app.ui.makeup.result import describe_result, get_look, save_draft, save_look, save_result
from app.ui.makeup.session import MakeupSession, get_levels
from app.ui.tab import Tab
from app.ui.widgets import before_and_after, gallery, pass_paths, photo_input, scroll_to
from models.errors import MirraError
from models.regions import MAKEUP_REGIONS
from models.structures import Face
from pipelines.makeup.named_looks import NAMED_LOOKS, NAMES

EXAMPLES = Path(__file__).resolve().parents[3] / "assets" / "examples"
PAUSE = "() => new Promise(done => setTimeout(done, 200))"
"""Between a draft and its settling; a slider that still moves is not worth measuring."""

Pictures = tuple[str, str]  # paths: before, after


class CoachUpdates(NamedTuple):
    """What is told of a photo, in the order of the tab's parts."""

    advice: Update
    faces: Update
    session: MakeupSession | None


class MakeupUpdates(NamedTuple):
    """What a try-on changes on the page, in the order of the tab's parts."""

    pictures: Pictures | Update = UNCHANGED
    line: str | Update = UNCHANGED
    session: MakeupSession | Update = UNCHANGED
    picture: Update = UNCHANGED
    look_file: Update = UNCHANGED
    strength: float | Update = UNCHANGED
    lips: float | Update = UNCHANGED
    eyes: float | Update = UNCHANGED
    brows: float | Update = UNCHANGED
    cheeks: float | Update = UNCHANGED
    skin: float | Update = UNCHANGED


class SettledUpdates(NamedTuple):
    """What follows when sliders rest."""

    pictures: Pictures | Update = UNCHANGED
    line: str | Update = UNCHANGED
    picture: str | Update = UNCHANGED
    look_file: str | Update = UNCHANGED


class MakeupTab(Tab):
    """A photo, a look, five sliders."""

    def build(self) -> TranslatedOnLoad:
        """Add the tab to the page that is being built; returns what is translated when it opens."""
        self.session = gr.State(None, time_to_live=self.settings.keep_minutes * 60)
        self.named = gr.State(None)
        painting = PaintingPanel(self.studio, self.settings)
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=320):
                self._build_choices()
            with gr.Column(scale=6, min_width=320):
                self._build_result()
                with gr.Accordion(text.PAINTED, open=False):
                    painted = painting.build(self.source, self.reference)
        self._connect_choices()
        self._connect_sliders()
        MakeupApi(self.studio).build(self.settings)
        return painted | {self.looks: lambda: gr.update(value=_swatches())}

    def _build_choices(self) -> None:
        self.source = photo_input(text.SOURCE, "source", height=300)
        self.example = gr.Button(text.EXAMPLE, size="sm", elem_id="example")
        self.advice = gr.Markdown(elem_id="advice", visible=False)
        self.faces = gr.CheckboxGroup(label=text.FACES, visible=False, elem_id="faces")
        gr.Markdown(text.LOOKS, elem_classes="heading")
        self.looks = gallery(text.LOOKS, "looks", 4, _swatches(), fit="cover")
        self.reference = photo_input(text.REFERENCE, "reference", height=220)
        with gr.Accordion(text.SECOND, open=False):
            self.second = photo_input(text.SECOND, "second", height=200)
            self.from_second = gr.CheckboxGroup(
                [(text.REGIONS[region], region) for region in MAKEUP_REGIONS],
                value=["lips"],
                label=text.FROM_SECOND,
            )
        self.look_file = pass_paths(
            gr.File(
                label=text.LOOK_FILE,
                file_types=[".json", ".png"],
                height=170,
                elem_id="look-file",
            )
        )

    def _build_result(self) -> None:
        self.result = before_and_after("result", 620)
        self.report = gr.Markdown(text.WAITING, elem_id="report")
        with gr.Row():
            self.go = gr.Button(text.TRY, variant="primary", elem_id="try")
            self.stop = gr.Button(text.STOP, elem_id="stop")
        self.sliders = [
            _slider(text.STRENGTH, "strength"),
            *(_slider(text.REGIONS[region], region) for region in MAKEUP_REGIONS),
        ]
        with gr.Row():
            self.picture = gr.DownloadButton(text.DOWNLOAD, elem_id="download", interactive=False)
            self.file = gr.DownloadButton(text.DOWNLOAD_LOOK, elem_id="save", interactive=False)

    def _connect_choices(self) -> None:
        work = limit_work(self.settings)
        request = [self.reference, self.named, self.look_file, self.second, self.from_second]
        inputs = [self.session, self.source, self.faces, *request, *self.sliders]
        outputs = [self.result, self.report, self.session, self.picture, self.file, *self.sliders]
        analyzed = self.source.change(
            self.analyze_photo,
            [self.session, self.source],
            [self.advice, self.faces, self.session],
            show_progress="hidden",
            **work,
            **PRIVATE,
        )
        example = str(EXAMPLES / "astronaut.png")
        self.example.click(lambda: example, None, [self.source], **LIGHT)
        chosen = self.looks.select(
            self.choose_look, None, [self.named, self.reference, self.look_file], **LIGHT
        )
        other_look = self.reference.upload(lambda: None, None, [self.look_file], **LIGHT)
        other_file = self.look_file.upload(lambda: None, None, [self.reference], **LIGHT)
        triggers = [
            self.go.click,
            analyzed.then,
            chosen.then,
            other_look.then,
            other_file.then,
            self.second.upload,
            self.from_second.input,
            self.faces.input,
        ]
        events = [on(self.try_on, inputs, outputs, **work, **PRIVATE) for on in triggers]
        self.stop.click(None, None, None, cancels=events, **PRIVATE)
        for event in events:
            event.then(None, None, None, js=scroll_to("result"), **PRIVATE)

    def _connect_sliders(self) -> None:
        """Draft while a slider moves, by hand, mouse or key; settle when it rests."""
        moved = [event for slider in self.sliders for event in (slider.input, slider.release)]
        drafted = gr.on(
            moved,
            self.draft,
            [self.session, *self.sliders],
            [self.result],
            trigger_mode="always_last",
            show_progress="hidden",
            **LIGHT,
        )
        drafted.then(None, None, None, js=PAUSE, **PRIVATE).then(
            self.settle,
            [self.session, *self.sliders],
            [self.result, self.report, self.picture, self.file],
            trigger_mode="always_last",
            show_progress="hidden",
            **limit_work(self.settings),
            **PRIVATE,
        )

    def analyze_photo(self, session: MakeupSession | None, photo: str | None) -> CoachUpdates:
        """Coach the visitor and offer a choice of faces before anything is tried on."""
        no_choice = gr.update(visible=False, value=[])
        if not photo:
            return CoachUpdates(gr.update(visible=False), no_choice, session)
        from pipelines.coach import coach

        session = session or MakeupSession(self.studio.makeup)
        try:
            found = session.find_faces(photo)
        except MirraError as error:
            return CoachUpdates(gr.update(value=explain(error), visible=True), no_choice, session)
        advice = "\n\n".join(advise(item) for item in coach(found))
        names = [(_place(face), number) for number, face in enumerate(found)]
        return CoachUpdates(
            gr.update(value=advice, visible=bool(advice)),
            gr.update(choices=names, value=[n for _, n in names], visible=len(names) > 1),
            session,
        )

    def choose_look(self, event: gr.SelectData) -> tuple[str, None, None]:
        """A drawn look instead of a photo's or a file's."""
        return NAMES[event.index], None, None

    def try_on(
        self,
        session: MakeupSession | None,
        photo: str | None,
        faces: list[int] | None,
        reference: str | None,
        named: str | None,
        look_file: str | None,
        second: str | None,
        from_second: list[str],
        *levels: float,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> MakeupUpdates:
        """Put the look asked for on the photo, at its own strengths if it brings any."""
        if not photo:
            return MakeupUpdates(line=translate(text.NO_SOURCE))
        request = LookRequest(look_file, reference, named, second, tuple(from_second))
        if request.is_empty():
            return MakeupUpdates(line=translate(text.NO_LOOK))
        session = session or MakeupSession(self.studio.makeup)
        progress(0.2, desc=translate(text.LOOKING))
        try:
            look = session.wear(photo, request, faces or None)
        except MirraError as error:
            gr.Warning(explain(error))
            return MakeupUpdates(line=explain(error), session=session)
        progress(0.9, desc=translate(text.PUTTING_ON))
        levels = session.levels = get_levels(look) or levels
        output = session.adjust(levels)
        pictures = save_result(output, self.studio.png_text)
        return MakeupUpdates(
            pictures,
            describe_result(output),
            session,
            gr.update(value=pictures[1], interactive=True),
            gr.update(value=save_look(get_look(output)), interactive=True),
            *levels,
        )

    def draft(self, session: MakeupSession | None, *levels: float) -> Pictures | Update:
        """The picture while a slider moves."""
        if session is None or not session.is_rendered:
            return UNCHANGED
        session.levels = levels
        return save_draft(session.adjust(levels))

    def settle(self, session: MakeupSession | None, *levels: float) -> SettledUpdates:
        """Measure and keep the picture at the levels where the sliders came to rest.

        Nothing changes if they have moved since: a draft of the new levels then follows, and
        after it another settling.
        """
        if session is None or not session.is_rendered or session.levels != levels:
            return SettledUpdates()
        output = session.adjust(levels)
        pictures, line = save_result(output, self.studio.png_text), describe_result(output)
        if session.levels != levels:
            return SettledUpdates()
        return SettledUpdates(pictures, line, pictures[1], save_look(get_look(output)))


def _swatches() -> list[tuple[str, str]]:
    """A picture of each drawn look, and its title."""
    return [
        (str(EXAMPLES / "looks" / f"{name}.webp"), translate(NAMED_LOOKS[name].title))
        for name in NAMES
    ]


def _slider(label: str, name: str) -> gr.Slider:
    return gr.Slider(0, 1, 1, step=0.01, label=label, elem_id=name)


def _place(face: Face) -> str:
    """Where a face is, in words a visitor can check."""
    x = (face.box_xyxy[0] + face.box_xyxy[2]) / 2 / face.size_hw[1]
    return translate(text.LEFT if x < 0.38 else text.RIGHT if x > 0.62 else text.MIDDLE)
