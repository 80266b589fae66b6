"""The Live tab: the camera as a mirror, in makeup or in a top."""

from __future__ import annotations

from typing import NamedTuple

import gradio as gr
import numpy as np

from app.language import translate
from app.messages import explain
from app.ui import text
from app.ui.endpoints import LIGHT, PRIVATE, Update
from app.ui.languages import TranslatedOnLoad
from app.ui.live.mirror import Mirror, Mode, decode_frame, draw_frame
from app.ui.tab import Tab
from app.ui.tryon.garments import GARMENTS, name_garment
from models.errors import MirraError
from pipelines.makeup.named_looks import NAMED_LOOKS
from pipelines.registry import is_ready

EVERY = 0.05  # seconds between frames that the browser sends, at most
LONGEST = 300  # seconds until the camera must be started again


class FrameUpdates(NamedTuple):
    """What the page shows of a frame, and the mirror that made it."""

    picture: str
    line: str
    mirror: Mirror | None


class LiveTab(Tab):
    """The camera as a mirror."""

    def build(self) -> TranslatedOnLoad:
        """Add the tab to the page that is being built; nothing is left to translate."""
        self.mirror = gr.State(None, time_to_live=self.settings.keep_minutes * 60)
        with gr.Row(equal_height=False):
            with gr.Column(scale=5, min_width=320):
                self._build_choices()
            with gr.Column(scale=6, min_width=320):
                self.picture = gr.HTML(label=text.MIRROR, elem_id="mirror")
                self.rate = gr.Markdown(elem_id="rate")
        self.camera.stream(
            self.show,
            [self.camera, self.mode, self.look, self.garment, self.mirror],
            [self.picture, self.rate, self.mirror],
            stream_every=EVERY,
            time_limit=LONGEST,
            show_progress="hidden",
            concurrency_id="live",
            concurrency_limit=self.settings.at_once,
            **PRIVATE,
        )
        self.mode.change(self.choose_mode, [self.mode], [self.look, self.garment], **LIGHT)
        return {}

    def _build_choices(self) -> None:
        self.camera = gr.Image(
            label=text.CAMERA,
            sources=["webcam"],
            streaming=True,
            height=360,
            elem_id="camera",
            webcam_options=gr.WebcamOptions(mirror=True),
        )
        self.camera.preprocess = decode_frame
        gr.Markdown(text.LIVE_HELP)
        modes = ["makeup", *(["tryon"] if is_ready("dmvton") else [])]
        self.mode = gr.Radio(
            [(text.MODES[mode], mode) for mode in modes],
            value="makeup",
            show_label=False,
            visible=len(modes) > 1,
            elem_id="live-mode",
            container=False,
        )
        self.look = gr.Dropdown(
            [(named.title, name) for name, named in NAMED_LOOKS.items()],
            value="classic-red",
            label=text.LIVE_LOOK,
            elem_id="live-look",
        )
        self.garment = gr.Dropdown(
            [(name_garment(path), path.stem) for path in GARMENTS],
            value=GARMENTS[0].stem,
            label=text.LIVE_GARMENT,
            visible=False,
            elem_id="live-garment",
        )

    def show(
        self,
        frame: np.ndarray | None,
        mode: Mode,
        look: str,
        garment: str,
        mirror: Mirror | None,
    ) -> FrameUpdates:
        """One frame of the camera, (H, W, 3) uint8, as the mirror shows it."""
        if frame is None:
            return FrameUpdates("", "", mirror)
        mirror = mirror or Mirror(self.studio)
        try:
            shown = mirror.show(frame, mode, look, garment)
        except MirraError as error:
            return FrameUpdates(draw_frame(frame), explain(error), mirror)
        line = translate(text.RATE, rate=f"{mirror.rate.tick():.1f}")
        return FrameUpdates(draw_frame(shown), line, mirror)

    def choose_mode(self, mode: Mode) -> tuple[Update, Update]:
        """Offer looks or tops."""
        return gr.update(visible=mode == "makeup"), gr.update(visible=mode == "tryon")
