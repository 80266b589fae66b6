"""The Makeup tab: a photo, a look, five sliders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from app.language import translate
from app.messages import advise, explain
from app.server.blocks import WORK
from app.service import LookRequest, Studio
from app.settings import Settings
from app.ui import text
from app.ui.languages import TranslatedOnLoad
from app.ui.makeup import painting
from app.ui.makeup.api import endpoints
from app.ui.makeup.result_files import adjust_to, levels_of, look_of, save_look, save_result
from app.ui.widgets import before_and_after, gallery, pass_paths, photo_input
from models.errors import MirraError
from models.regions import MAKEUP_REGIONS
from pipelines.makeup.named_looks import NAMED_LOOKS, NAMES
from pipelines.makeup.output import MakeupOutput

SHOW_RESULT = """() => { if (window.innerWidth < 700)
  document.querySelector('#result')?.scrollIntoView({behavior: 'smooth', block: 'start'}); }"""
EXAMPLES = Path(__file__).resolve().parents[3] / "assets" / "examples"


def tab(studio: Studio, settings: Settings) -> TranslatedOnLoad:
    """Add the tab to the page that is being built; returns what is translated when it opens."""
    wearing = gr.State(None, time_to_live=settings.keep_minutes * 60)
    named = gr.State(None)
    work: dict[str, Any] = {"concurrency_id": WORK, "concurrency_limit": settings.at_once}
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            source = photo_input(text.SOURCE, "source", height=300)
            example = gr.Button(text.EXAMPLE, size="sm", elem_id="example")
            advice = gr.Markdown(elem_id="advice", visible=False)
            faces = gr.CheckboxGroup(label=text.FACES, visible=False, elem_id="faces")
            gr.Markdown(text.LOOKS, elem_classes="heading")
            looks = gallery(text.LOOKS, "looks", 4, _swatches(), fit="cover")
            reference = photo_input(text.REFERENCE, "reference", height=220)
            with gr.Accordion(text.SECOND, open=False):
                second = photo_input(text.SECOND, "second", height=200)
                from_second = gr.CheckboxGroup(
                    [(text.REGIONS[r], r) for r in MAKEUP_REGIONS],
                    value=["lips"],
                    label=text.FROM_SECOND,
                )
            look_file = pass_paths(
                gr.File(
                    label=text.LOOK_FILE, file_types=[".json", ".png"], height=170,
                    elem_id="look-file",
                )
            )  # fmt: skip
        with gr.Column(scale=6, min_width=320):
            result = before_and_after("result", 620)
            report = gr.Markdown(text.WAITING, elem_id="report")
            with gr.Row():
                go = gr.Button(text.TRY, variant="primary", elem_id="try")
                stop = gr.Button(text.STOP, elem_id="stop")
            strength = _slider(text.STRENGTH, "strength")
            regions = [_slider(text.REGIONS[region], region) for region in MAKEUP_REGIONS]
            with gr.Row():
                picture = gr.DownloadButton(text.DOWNLOAD, elem_id="download", interactive=False)
                file = gr.DownloadButton(text.DOWNLOAD_LOOK, elem_id="save", interactive=False)
            with gr.Accordion(text.PAINTED, open=False):
                painted = painting.part(studio, settings, source, reference, work)

    request = [reference, named, look_file, second, from_second]
    sliders = [strength, *regions]
    shown = [result, report, wearing, picture, file, *sliders]

    def try_on(
        photo: str | None,
        chosen: list[int] | None,
        reference: str | None,
        named: str | None,
        look_file: str | None,
        second: str | None,
        from_second: list[str],
        *levels: float,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> tuple[Any, ...]:
        if not photo:
            return _only(translate(text.NO_SOURCE))
        wanted = LookRequest(reference, named, look_file, second, tuple(from_second))
        if not (reference or named or look_file):
            return _only(translate(text.NO_LOOK))
        progress(0.2, desc=translate(text.LOOKING))
        try:
            output = studio.try_on(photo, wanted, faces=chosen or None)
        except MirraError as error:
            gr.Warning(explain(error))
            return _only(explain(error))
        look = look_of(output)
        levels = levels_of(look) if look.strengths or look.strength < 1 else levels
        progress(0.9, desc=translate(text.PUTTING_ON))
        output = adjust_to(studio, output, levels)
        pictures = save_result(studio, output)
        return (
            pictures,
            describe_result(output),
            replace(output, images=[]),  # each slider makes its own picture
            gr.update(value=pictures[1], interactive=True),
            gr.update(value=save_look(look_of(output)), interactive=True),
            *levels,
        )

    def blend(output: MakeupOutput | None, *levels: float) -> Any:
        if output is None:
            return gr.skip()
        return save_result(studio, adjust_to(studio, output, levels), draft=True)

    def settle(output: MakeupOutput | None, *levels: float) -> tuple[Any, ...]:
        if output is None:
            return gr.skip(), gr.skip(), gr.skip(), gr.skip()
        output = adjust_to(studio, output, levels)
        pictures = save_result(studio, output)
        return pictures, describe_result(output), pictures[1], save_look(look_of(output))

    def look_at(photo: str | None) -> tuple[Any, ...]:
        """Coach the visitor and offer a choice of faces before anything is tried on."""
        if not photo:
            return gr.update(visible=False), gr.update(visible=False, value=[])
        from pipelines.coach import coach
        from pipelines.images.decode import decode

        try:
            found = studio.makeup.analyzer(decode(photo))
        except MirraError as error:
            return gr.update(value=explain(error), visible=True), gr.update(visible=False, value=[])
        said = "\n\n".join(advise(item) for item in coach(found))
        names = [(_place(face), number) for number, face in enumerate(found)]
        return (
            gr.update(value=said, visible=bool(said)),
            gr.update(choices=names, value=[n for _, n in names], visible=len(names) > 1),
        )

    run: dict[str, Any] = {
        "fn": try_on,
        "inputs": [source, faces, *request, *sliders],
        "outputs": shown,
        **work,
    }
    hidden: dict[str, Any] = {"api_visibility": "private"}
    seen = source.change(
        look_at, [source], [advice, faces], **work, **hidden, show_progress="hidden"
    )

    def pick(event: gr.SelectData) -> tuple[str, None, None]:
        return NAMES[event.index], None, None

    example.click(lambda: str(EXAMPLES / "astronaut.png"), None, [source], **hidden, queue=False)
    chosen = looks.select(pick, None, [named, reference, look_file], **hidden, queue=False)
    events: list[Any] = [
        go.click(**run, **hidden),
        seen.then(**run, **hidden),
        chosen.then(**run, **hidden),
        reference.upload(lambda: None, None, [look_file], **hidden, queue=False).then(
            **run, **hidden
        ),
        look_file.upload(lambda: None, None, [reference], **hidden, queue=False).then(
            **run, **hidden
        ),
        second.upload(**run, **hidden),
        from_second.input(**run, **hidden),
        faces.input(**run, **hidden),
    ]
    stop.click(None, None, None, cancels=events, **hidden)
    for event in events:
        event.then(None, None, None, js=SHOW_RESULT, **hidden)
    for slider in sliders:
        slider.input(
            blend, [wearing, *sliders], [result],
            trigger_mode="always_last", show_progress="hidden", queue=False, **hidden,
        )  # fmt: skip
        slider.release(
            settle, [wearing, *sliders], [result, report, picture, file],
            show_progress="hidden", **work, **hidden,
        )  # fmt: skip
    endpoints(studio, work)
    return painted | {looks: lambda: gr.update(value=_swatches())}


def _swatches() -> list[tuple[str, str]]:
    """A picture of each drawn look, and its title."""
    return [(str(EXAMPLES / "looks" / f"{n}.webp"), translate(NAMED_LOOKS[n].title)) for n in NAMES]


def _slider(label: str, name: str) -> gr.Slider:
    return gr.Slider(0, 1, 1, step=0.01, label=label, elem_id=name)


def describe_result(output: MakeupOutput) -> str:
    """What was measured on the result, in a line; colours on the first face that wears it."""
    from pipelines.makeup.report import count_pixels_changed_outside, measure_color_error

    look = look_of(output)
    face = output.layers.faces[next(iter(output.layers.looks))]
    colors = [
        translate(text.WITHIN, region=translate(text.REGIONS[region]), error=error)
        for region, error in measure_color_error(face, np.asarray(output.images[0]), look).items()
    ]
    count = len(output.layers.by_face)
    return " · ".join(
        [
            translate(
                text.ON_SEVERAL if count > 1 else text.ON_ONE,
                look=translate(look.name),
                count=count,
            ),
            *colors,
            translate(text.OUTSIDE, count=count_pixels_changed_outside(output)),
            f"{sum(output.milliseconds.values()):.0f} ms",
        ]
    )


def _only(sentence: str) -> tuple[Any, ...]:
    """Say something and leave everything else on the page as it is."""
    return (gr.skip(), sentence, *(gr.skip() for _ in range(3 + 1 + len(MAKEUP_REGIONS))))


def _place(face: Any) -> str:
    """Where a face is, in words a visitor can check: 'left, small'."""
    x = (face.box_xyxy[0] + face.box_xyxy[2]) / 2 / face.size_hw[1]
    return translate(text.LEFT if x < 0.38 else text.RIGHT if x > 0.62 else text.MIDDLE)
