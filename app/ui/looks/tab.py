"""The Looks tab: read a look as a code, find similar ones, mix two, or take makeup off."""

from __future__ import annotations

from typing import Any

import gradio as gr

from app.language import translate
from app.messages import explain
from app.server.blocks import WORK
from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.endpoints import endpoint, require_picture
from app.ui.result_files import save_before_and_after, save_file, save_png
from app.ui.widgets import before_and_after, gallery, pass_paths, photo_input
from models.errors import MirraError

NEAREST = 6
STEPS = 20
"""Tuning steps of each stage on the page, where somebody waits."""


def tab(studio: Studio, settings: Settings) -> None:
    """Add the tab to the page that is being built."""
    keep = settings.keep_minutes * 60
    mine, other = gr.State(None, time_to_live=keep), gr.State(None, time_to_live=keep)
    near = gr.State([], time_to_live=keep)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            reference = photo_input(text.REFERENCE_CODE, "look-reference", height=220)
            read = gr.Button(text.READ_LOOK, variant="primary", elem_id="read-look")
            source = photo_input(text.SOURCE, "look-source", height=220)
            bare = gr.Button(text.TAKE_OFF, elem_id="take-off")
            made_up = gr.Checkbox(False, label=text.MADE_UP, elem_id="made-up")
        with gr.Column(scale=6, min_width=320):
            result = before_and_after("look-result", 520)
            report = gr.Markdown(text.LOOKS_WAITING, elem_id="look-report")
            share = gr.Slider(0, 1, 0, step=0.05, label=text.MIX, elem_id="look-mix")
            file = gr.DownloadButton(text.DOWNLOAD_LOOK, elem_id="look-file-out", interactive=False)
            similar = gallery(text.SIMILAR, "similar-looks", NEAREST)
            show = gr.Button(text.SHOW_MAP, size="sm", elem_id="show-map")
            chart = gr.Image(
                label=text.MAP, interactive=False, visible=False, format="png", buttons=[],
                elem_id="look-map",
            )  # fmt: skip
    work: dict[str, Any] = {
        "concurrency_id": WORK, "concurrency_limit": settings.at_once,
        "api_visibility": "private",
    }  # fmt: skip

    def put_on(
        photo: str | None, made_up: bool, mine: Any, other: Any, share: float
    ) -> tuple[Any, ...]:
        """Wear what was read, what was chosen, or what lies between."""
        look = studio.between(mine, other, share)
        if look is None or not photo:
            return gr.skip(), translate(text.NO_SOURCE if look else text.LOOKS_WAITING), gr.skip()
        try:
            output = studio.wear_code(photo, look, made_up)
        except MirraError as error:
            return gr.skip(), explain(error), gr.skip()
        saved = save_file(look.to_bytes(), "look.safetensors")
        return (
            save_before_and_after(output.layers.image, output.images[0], studio.png_text),
            translate(text.WEARING, name=translate(look.name), size=len(look.to_bytes())),
            gr.update(value=saved, interactive=True),
        )

    def read_look(photo: str | None) -> tuple[Any, ...]:
        if not photo:
            return gr.skip(), translate(text.NO_LOOK_PHOTO), gr.skip(), gr.skip()
        try:
            look = studio.read_code(photo, STEPS)
        except MirraError as error:
            return gr.skip(), explain(error), gr.skip(), gr.skip()
        found = studio.look_map.find_nearest(look, NEAREST)
        pictures = [(each.picture, each.name) for each in found]
        return look, translate(text.READ_AS_CODE), gr.update(value=pictures, visible=True), found

    def take_off(photo: str | None) -> tuple[Any, Any]:
        if not photo:
            return gr.skip(), translate(text.NO_SOURCE)
        try:
            before, after = studio.take_off(photo)
        except MirraError as error:
            return gr.skip(), explain(error)
        return save_before_and_after(before, after, studio.png_text), translate(text.TAKEN_OFF)

    def choose(near: list[Any], event: gr.SelectData) -> tuple[Any, float]:
        return near[event.index], 1.0

    def pick(event: gr.SelectData) -> tuple[Any, float]:
        return studio.look_map.find_at(*event.index), 1.0

    wearing: dict[str, Any] = {
        "fn": put_on,
        "inputs": [source, made_up, mine, other, share],
        "outputs": [result, report, file],
        **work,
    }
    read.click(read_look, [reference], [mine, report, similar, near], **work).then(
        lambda: 0.0, None, [share], queue=False, api_visibility="private"
    ).then(**wearing)
    bare.click(take_off, [source], [result, report], **work)
    similar.select(choose, [near], [other, share], **work).then(**wearing)
    chart.select(pick, None, [other, share], **work).then(**wearing)
    share.release(**wearing)
    show.click(
        lambda: gr.update(value=studio.look_map.picture, visible=True), None, [chart], **work
    )
    _api(studio, settings)


def _api(studio: Studio, settings: Settings) -> None:
    """Named endpoints for programs."""

    def encode_look(picture: str) -> str:
        """Read the makeup of a face as a code, a safetensors file.

        Args:
            picture: of someone wearing makeup.
        """
        data = studio.read_code(require_picture(picture), 60).to_bytes()
        return save_file(data, "look.safetensors")

    def remove_makeup(picture: str) -> str:
        """Estimate every face of a picture without its makeup; the rest stays bit-equal.

        Args:
            picture: of someone wearing makeup.
        """
        _, after = studio.take_off(require_picture(picture))
        return save_png(after, "bare.png", studio.png_text)

    work: dict[str, Any] = {"concurrency_id": WORK, "concurrency_limit": settings.at_once}
    with gr.Row(visible=False):
        picture = pass_paths(gr.Image(label="picture"))
        code = gr.File(label="code")
        bare = gr.Image(label="bare", format="png", type="filepath")
        endpoint(encode_look, [picture], code, **work)
        endpoint(remove_makeup, [picture], bare, **work)
