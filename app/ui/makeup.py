"""The Makeup tab: a photo, a look, five sliders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache

from app.messages import advise, explain
from app.server.door import WORK
from app.service import Studio, Wish
from app.settings import Settings
from app.ui import text
from app.ui.gallery import gallery
from app.ui.uploads import photo_input, unread
from models.errors import MirraError
from models.regions import MAKEUP_REGIONS
from pipelines.flux import missing
from pipelines.makeup.named_looks import NAMED_LOOKS, NAMES
from pipelines.registry import REGISTRY

SHOW_RESULT = """() => { if (window.innerWidth < 700)
  document.querySelector('#result')?.scrollIntoView({behavior: 'smooth', block: 'start'}); }"""
EXAMPLES = Path(__file__).resolve().parents[2] / "assets" / "examples"


def tab(studio: Studio, settings: Settings) -> None:
    """Add the tab to the page that is being built."""
    wearing = gr.State(None, time_to_live=settings.keep_minutes * 60)
    named = gr.State(None)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            source = photo_input(text.SOURCE, "source", height=300)
            example = gr.Button(text.EXAMPLE, size="sm", elem_id="example")
            advice = gr.Markdown(elem_id="advice", visible=False)
            faces = gr.CheckboxGroup(label=text.FACES, visible=False, elem_id="faces")
            gr.Markdown(text.LOOKS, elem_classes="heading")
            pictures = [
                (str(EXAMPLES / "looks" / f"{n}.webp"), NAMED_LOOKS[n].title) for n in NAMES
            ]
            looks = gallery(text.LOOKS, "looks", 4, pictures, fit="cover")
            reference = photo_input(text.REFERENCE, "reference", height=220)
            with gr.Accordion(text.SECOND, open=False):
                second = photo_input(text.SECOND, "second", height=200)
                from_second = gr.CheckboxGroup(
                    [(text.REGIONS[r], r) for r in MAKEUP_REGIONS],
                    value=["lips"],
                    label=text.FROM_SECOND,
                )
            look_file = unread(
                gr.File(
                    label=text.LOOK_FILE, file_types=[".json", ".png"], height=150,
                    elem_id="look-file",
                )
            )  # fmt: skip
        with gr.Column(scale=6, min_width=320):
            result = gr.ImageSlider(
                label=text.RESULT,
                format="png",
                interactive=False,
                max_height=620,
                buttons=["fullscreen"],
                elem_id="result",
            )
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
                gr.Markdown(_about_painting(), elem_id="painting")

    cache = result.GRADIO_CACHE
    wish = [reference, named, look_file, second, from_second]
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
            return _only(text.NO_SOURCE)
        wanted = Wish(reference, named, look_file, second, tuple(from_second))
        if not (reference or named or look_file):
            return _only(text.NO_LOOK)
        progress(0.2, desc="Looking at the faces")
        try:
            output = studio.try_on(photo, wanted, faces=chosen or None)
        except MirraError as error:
            gr.Warning(explain(error))
            return _only(explain(error))
        look = next(iter(output.worn.looks.values()))
        levels = _levels(look) if look.strengths or look.strength < 1 else levels
        progress(0.9, desc="Putting it on")
        saved = _saved(studio, output.worn, levels, cache)
        return (
            saved,
            _told(studio, output, levels),
            output.worn,
            gr.update(value=saved[1], interactive=True),
            gr.update(value=_look_file(output.worn, levels, cache), interactive=True),
            *levels,
        )

    def blend(worn: Any, *levels: float) -> Any:
        return gr.skip() if worn is None else _saved(studio, worn, levels, cache, draft=True)

    def settle(worn: Any, *levels: float) -> tuple[Any, ...]:
        if worn is None:
            return gr.skip(), gr.skip(), gr.skip()
        saved = _saved(studio, worn, levels, cache)
        return saved, saved[1], _look_file(worn, levels, cache)

    def look_at(photo: str | None) -> tuple[Any, ...]:
        """Coach the visitor and offer a choice of faces before anything is tried on."""
        if not photo:
            return gr.update(visible=False), gr.update(visible=False, value=[])
        from pipelines.coach import coach
        from pipelines.images import decode

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

    work: dict[str, Any] = {"concurrency_id": WORK, "concurrency_limit": settings.at_once}
    run: dict[str, Any] = {
        "fn": try_on,
        "inputs": [source, faces, *wish, *sliders],
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
            settle, [wearing, *sliders], [result, picture, file],
            show_progress="hidden", **work, **hidden,
        )  # fmt: skip
    _api(studio, cache, work)


def _api(studio: Studio, cache: str, work: dict[str, Any]) -> None:
    """Named endpoints for programs."""
    with gr.Row(visible=False):
        source, reference = unread(gr.Image(label="source")), unread(gr.Image(label="reference"))
        look = gr.Textbox(label="look")
        levels = [gr.Number(1.0, label=name) for name in (*MAKEUP_REGIONS, "strength")]
        face = gr.Number(-1, label="face", precision=0)
        picture = gr.Image(label="result", format="png", type="filepath")
        names = gr.JSON(label="looks")
        apply_button, list_button = gr.Button(), gr.Button()

    def apply_makeup(
        source: str,
        reference: str | None = None,
        look: str | None = None,
        lips: float = 1.0,
        eyes: float = 1.0,
        brows: float = 1.0,
        cheeks: float = 1.0,
        skin: float = 1.0,
        strength: float = 1.0,
        face: int = -1,
    ) -> str:
        """Put makeup on a face.

        Args:
            source: picture of the wearer.
            reference: picture of someone wearing makeup, or a PNG made by Mirra.
            look: name of a drawn look (see `list_looks`); used when there is no reference.
            lips: strength of the lips, 0 to 1.
            eyes: strength of eyeshadow and liner, 0 to 1.
            brows: strength of the brows, 0 to 1.
            cheeks: strength of the blush, 0 to 1.
            skin: strength on the rest of the skin, 0 to 1.
            strength: overall strength, 0 to 1.
            face: which face, 0 the largest; -1 for all.

        Returns:
            The picture as PNG, at the source's size, carrying its look.
        """
        strengths: dict[str, float] = dict(
            zip(MAKEUP_REGIONS, (lips, eyes, brows, cheeks, skin), strict=True)
        )
        for name, value in {**strengths, "strength": strength}.items():
            if not 0 <= value <= 1:
                raise gr.Error(f"{name} must be between 0 and 1", print_exception=False)
        try:
            if not source:
                raise gr.Error("a source picture is needed", print_exception=False)
            output = studio.try_on(
                source,
                Wish(reference, look if not reference else None),
                faces=None if face < 0 else [int(face)],
            )
        except MirraError as error:
            raise gr.Error(explain(error), print_exception=False) from None
        levels = (strength, *strengths.values())
        return _after(studio, output.worn, levels, cache)

    def list_looks() -> list[dict[str, str]]:
        """The looks drawn by Mirra's own code: name, title and a sentence about each."""
        return [
            {"name": name, "title": look.title, "about": look.about}
            for name, look in NAMED_LOOKS.items()
        ]

    apply_button.click(
        apply_makeup, [source, reference, look, *levels, face], [picture],
        api_name="apply_makeup", **work,
    )  # fmt: skip
    list_button.click(list_looks, None, [names], api_name="list_looks", queue=False)


def _about_painting() -> str:
    """How to paint with FLUX here, or what that lacks."""
    entry = next(entry for entry in REGISTRY if entry.name == "flux-makeup")
    lacks = missing()
    if not lacks:
        return text.PAINTED_READY
    listed = "\n".join(f"- {each}" for each in lacks)
    return f"{text.PAINTED_LACKS}\n\n{listed}\n\n{text.PAINTED_NEEDS} {entry.needs}."


def _slider(label: str, name: str) -> gr.Slider:
    return gr.Slider(0, 1, 1, step=0.01, label=label, elem_id=name)


def _levels(look: Any) -> tuple[float, ...]:
    return (look.strength, *(look.strengths.get(region, 1.0) for region in MAKEUP_REGIONS))


def _as_worn(worn: Any, levels: tuple[float, ...]) -> Any:
    """The look as it is worn now, to be kept in the file."""
    look = next(iter(worn.looks.values()))
    return replace(
        look, strength=levels[0], strengths=dict(zip(MAKEUP_REGIONS, levels[1:], strict=True))
    )


def _saved(
    studio: Studio, worn: Any, levels: tuple[float, ...], cache: str, *, draft: bool = False
) -> tuple[str, str]:
    """Before and after as PNG files in the visit's folder."""
    from pipelines.images import encode

    before = encode(worn.image, compress_level=1)
    return (
        save_bytes_to_cache(before, "before.png", cache),
        _after(studio, worn, levels, cache, draft=draft),
    )


def _after(
    studio: Studio, worn: Any, levels: tuple[float, ...], cache: str, *, draft: bool = False
) -> str:
    """The result as a PNG file; lossless, look inside.

    A draft, shown while a slider moves, is written fast and without its look.
    """
    from pipelines.images import encode
    from pipelines.makeup.looks import embed

    strengths: dict[str, float] = dict(zip(MAKEUP_REGIONS, levels[1:], strict=True))
    image = studio.makeup.blend(worn, strengths=strengths, strength=levels[0])
    if draft:
        data = encode(image, compress_level=1)
    else:
        data = embed(image, _as_worn(worn, levels), compress_level=1, marks=studio.marks)
    return save_bytes_to_cache(data, "mirra.png", cache)


def _told(studio: Studio, output: Any, levels: tuple[float, ...]) -> str:
    """What was measured on the result, in a line."""
    from pipelines.makeup.report import measure

    look = _as_worn(output.worn, levels)
    worn = replace(output.worn, looks=dict.fromkeys(output.worn.looks, look))
    measured = measure(replace(output, worn=worn), studio.makeup.analyzer)
    errors = measured["faces"][0]["delta_e"]
    colours = [f"{region} within ΔE {error}" for region, error in errors.items()]
    count = len(output.worn.layers)
    return " · ".join(
        [
            f"{look.name}, on {count} face{'s' if count > 1 else ''}",
            *colours,
            f"{measured['pixels_changed_outside']} pixels changed outside the face",
            f"{sum(output.milliseconds.values()):.0f} ms",
        ]
    )


def _look_file(worn: Any, levels: tuple[float, ...], cache: str) -> str:
    return save_bytes_to_cache(_as_worn(worn, levels).to_json(), "look.json", cache)


def _only(sentence: str) -> tuple[Any, ...]:
    """Say something and leave everything else on the page as it is."""
    return (gr.skip(), sentence, *(gr.skip() for _ in range(3 + 1 + len(MAKEUP_REGIONS))))


def _place(face: Any) -> str:
    """Where a face is, in words a visitor can check: 'left, small'."""
    x = (face.box_xyxy[0] + face.box_xyxy[2]) / 2 / face.size_hw[1]
    return "left" if x < 0.38 else "right" if x > 0.62 else "middle"
