"""The Try-on tab: a photo, a top, and what has been tried on so far."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from app.language import translate
from app.messages import advise, explain
from app.server.blocks import WORK
from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.endpoints import endpoint
from app.ui.languages import TranslatedOnLoad
from app.ui.result_files import save_before_and_after, save_png
from app.ui.widgets import before_and_after, gallery, pass_paths, photo_input
from models.errors import MirraError, NoPersonError
from pipelines.registry import has_weights

if TYPE_CHECKING:
    from pipelines.tryon.output import TryOnOutput

EXAMPLES = Path(__file__).resolve().parents[3] / "assets" / "examples"
GARMENTS = sorted((EXAMPLES / "garments").glob("*.webp"))
MOST_SO_FAR = 12
HIDDEN: dict[str, Any] = {"api_visibility": "private"}


def tab(studio: Studio, settings: Settings) -> TranslatedOnLoad:
    """Add the tab to the page that is being built; returns what is translated when it opens."""
    seconds = settings.keep_minutes * 60
    person = gr.State(None, time_to_live=seconds)
    garment = gr.State(None, time_to_live=seconds)
    results = gr.State([], time_to_live=seconds)
    networks = [n for n in text.NETWORKS if has_weights(f"dmvton-{n}")]
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            photo = photo_input(text.PERSON, "person", height=300)
            gr.Markdown(text.GARMENTS, elem_classes="heading")
            garments = gallery(text.GARMENTS, "garments", 3, _tops())
            upload = photo_input(text.GARMENT, "garment", height=220)
            advice = gr.Markdown(elem_id="tryon-advice", visible=False)
        with gr.Column(scale=6, min_width=320):
            result = before_and_after("tryon-result", 620)
            report = gr.Markdown(text.TRYON_WAITING, elem_id="tryon-report")
            with gr.Row():
                quality = gr.Radio(
                    [(text.NETWORKS[n], n) for n in networks],
                    value=networks[0] if networks else None,
                    label=text.QUALITY,
                    visible=len(networks) > 1,
                    elem_id="quality",
                )
                cut_out = gr.Image(
                    label=text.CUT_OUT, format="png", interactive=False, height=200,
                    buttons=[], elem_id="cut-out",
                )  # fmt: skip
            download = gr.DownloadButton(text.DOWNLOAD, elem_id="tryon-download", interactive=False)
            so_far = gr.Gallery(
                label=text.SO_FAR, columns=4, height="auto", format="png", interactive=False,
                visible=False, elem_id="so-far",
            )  # fmt: skip

    def analyze_person(path: str | None) -> Any:
        if not path:
            return None
        from pipelines.images.decode import decode

        try:
            return studio.tryon.analyzer(decode(path))
        except MirraError as error:
            return error

    def cut_garment(path: str | None) -> tuple[Any, Any]:
        if not path:
            return None, None
        from pipelines.images.decode import decode

        try:
            found = studio.tryon.garments(decode(path))
        except MirraError as error:
            return error, None
        return found, found.on_white()

    def coach(person: Any, garment: Any) -> Any:
        said = "\n\n".join(sentences(person, garment))
        return gr.update(value=said, visible=bool(said))

    def try_on(person: Any, garment: Any, network: str | None, results: list[Any]) -> tuple:
        told = problem(person, garment)
        if told:
            return gr.skip(), told, gr.skip(), gr.skip(), results
        try:
            output = studio.tryon.wear(person, garment, network=network or "student")  # type: ignore[arg-type]
        except MirraError as error:
            return gr.skip(), explain(error), gr.skip(), gr.skip(), results
        shown = save_result(output, studio.png_text)
        results = [shown[1], *results][:MOST_SO_FAR]
        return (
            shown,
            describe_result(output),
            gr.update(value=shown[1], interactive=True),
            gr.update(value=results, visible=True),
            results,
        )

    work: dict[str, Any] = {"concurrency_id": WORK, "concurrency_limit": settings.at_once}
    run: dict[str, Any] = {
        "fn": try_on,
        "inputs": [person, garment, quality, results],
        "outputs": [result, report, download, so_far, results],
        **work,
        **HIDDEN,
    }
    say: dict[str, Any] = {"fn": coach, "inputs": [person, garment], "outputs": [advice], **HIDDEN}

    def pick(event: gr.SelectData) -> str:
        return str(GARMENTS[event.index])

    garments.select(pick, None, [upload], queue=False, **HIDDEN)
    photo.change(analyze_person, [photo], [person], **work, **HIDDEN).then(**say).then(**run)
    upload.change(cut_garment, [upload], [garment, cut_out], **work, **HIDDEN).then(**say).then(
        **run
    )
    quality.input(**run)
    _api(studio, work)
    return {garments: lambda: gr.update(value=_tops())}


def _tops() -> list[tuple[str, str]]:
    """A picture of each drawn top, and its title."""
    return [(str(path), translate(title_of(path))) for path in GARMENTS]


def _api(studio: Studio, work: dict[str, Any]) -> None:
    """The named endpoint for programs."""

    def try_on_garment(person: str, garment: str, network: str = "student") -> str:
        """Put a top on a person.

        Args:
            person: picture of the wearer, from head to hips.
            garment: picture of a top, flat on anything or worn by somebody.
            network: "student" is fast; "teacher" also reads pose and parse.

        Returns:
            The picture as PNG, at the size of the wearer's.
        """
        from pipelines.images.decode import decode

        if network not in text.NETWORKS:
            raise gr.Error(text.NO_NETWORK, print_exception=False)
        if not person or not garment:
            raise gr.Error(text.TWO_PICTURES_NEEDED, print_exception=False)
        output = studio.tryon(decode(person), decode(garment), network=network)  # type: ignore[arg-type]
        return save_png(output.image, "mirra.png", studio.png_text)

    with gr.Row(visible=False):
        person, garment = (
            pass_paths(gr.Image(label="person")),
            pass_paths(gr.Image(label="garment")),
        )
        network = gr.Textbox("student", label="network")
        picture = gr.Image(label="result", format="png", type="filepath")
        endpoint(try_on_garment, [person, garment, network], picture, **work)


def title_of(path: Path) -> str:
    """A drawn garment's name as people write it."""
    return path.stem.replace("-", " ").capitalize()


def sentences(person: Any, garment: Any) -> list[str]:
    """What to tell a visitor about their pictures."""
    from pipelines.tryon.coach import coach_tryon

    known = None if isinstance(garment, MirraError) else garment
    errors = [e for e in (person, garment) if isinstance(e, MirraError)]
    said = [explain(error) for error in errors if not isinstance(error, NoPersonError)]
    if isinstance(person, MirraError) and not isinstance(person, NoPersonError):
        person = None
    return [advise(item) for item in coach_tryon(person, known)] + said


def problem(person: Any, garment: Any) -> str | None:
    """Why nothing can be tried on yet."""
    if person is None:
        return translate(text.NO_SOURCE)
    if garment is None:
        return translate(text.NO_GARMENT)
    for found in (person, garment):
        if isinstance(found, MirraError):
            return explain(found)
    return None


def save_result(output: TryOnOutput, png_text: dict[str, str]) -> tuple[str, str]:
    """Before and after as PNG files in the session's folder; the second carries `png_text`."""
    from PIL import Image

    before = Image.fromarray(output.person.image)
    return save_before_and_after(before, output.image, png_text)


def describe_result(output: TryOnOutput) -> str:
    """What was done, in a line."""
    share = f"{100 * float(output.changed.mean()):.0f}"
    garment = translate(text.ON_SOMEBODY if output.garment.on_body else text.FLAT)
    changed = translate(text.CHANGED, share=share)
    return f"{garment} · {changed} · {sum(output.milliseconds.values()):.0f} ms"
