"""The Live tab: the camera as a mirror, in makeup or in a top."""

from __future__ import annotations

import base64
import binascii
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from app.language import translate
from app.messages import explain
from app.service import Studio
from app.settings import Settings
from app.ui import text
from app.ui.tryon.tab import GARMENTS, title_of
from models.errors import MirraError
from pipelines.images.decode import decode
from pipelines.images.encode import encode
from pipelines.images.files import Limits
from pipelines.makeup.live import FrameRate, LiveMakeup
from pipelines.makeup.named_looks import NAMED_LOOKS, find_look
from pipelines.registry import is_ready

FRAME_LIMITS = Limits(max_bytes=4_000_000, max_pixels=1_000_000)
EVERY = 0.05  # seconds between frames that the browser sends, at most
LONGEST = 300  # seconds until the camera must be started again


class Mirror:
    """What one visitor's mirror remembers from frame to frame."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.rate = FrameRate()
        self._makeup: LiveMakeup | None = None
        self._tryon: Any = None
        self._garments: dict[str, Any] = {}

    def show(self, frame: np.ndarray, mode: str, look: str, garment: str) -> np.ndarray:
        """The frame, (H, W, 3) uint8, in makeup or in a top.

        Raises:
            MirraError: weights are missing, or there is no such look.
        """
        if mode == "makeup":
            self._makeup = self._makeup or LiveMakeup()
            return self._makeup(frame, find_look(look))
        if self._tryon is None:
            from pipelines.tryon.live import LiveTryOn

            self._tryon = LiveTryOn(self.studio.tryon)
        if garment not in self._garments:
            path = next(path for path in GARMENTS if path.stem == garment)
            self._garments[garment] = self.studio.tryon.garments(decode(path))
        return self._tryon(frame, self._garments[garment])


def tab(studio: Studio, settings: Settings) -> None:
    """Add the tab to the page that is being built."""
    modes = ["makeup", *(["tryon"] if is_ready("dmvton") else [])]
    session = gr.State(None, time_to_live=settings.keep_minutes * 60)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=320):
            camera = gr.Image(
                label=text.CAMERA,
                sources=["webcam"],
                streaming=True,
                height=360,
                elem_id="camera",
                webcam_options=gr.WebcamOptions(mirror=True),
            )
            gr.Markdown(text.LIVE_HELP)
            mode = gr.Radio(
                [(text.MODES[m], m) for m in modes], value="makeup", show_label=False,
                visible=len(modes) > 1, elem_id="live-mode", container=False,
            )  # fmt: skip
            look = gr.Dropdown(
                [(named.title, name) for name, named in NAMED_LOOKS.items()],
                value="classic-red", label=text.LIVE_LOOK, elem_id="live-look",
            )  # fmt: skip
            garment = gr.Dropdown(
                [(title_of(path), path.stem) for path in GARMENTS],
                value=GARMENTS[0].stem, label=text.LIVE_GARMENT, visible=False,
                elem_id="live-garment",
            )  # fmt: skip
        with gr.Column(scale=6, min_width=320):
            mirror = gr.HTML(label=text.MIRROR, elem_id="mirror")
            rate = gr.Markdown(elem_id="rate")
    camera.preprocess = frame_of

    def show(
        frame: np.ndarray | None, mode: str, look: str, garment: str, session: Mirror | None
    ) -> tuple[str, str, Mirror | None]:
        if frame is None:
            return "", "", session
        session = session or Mirror(studio)
        try:
            shown = session.show(frame, mode, look, garment)
        except MirraError as error:
            return picture_of(frame), explain(error), session
        per_second = session.rate.tick()
        return picture_of(shown), translate(text.RATE, rate=f"{per_second:.1f}"), session

    camera.stream(
        show, [camera, mode, look, garment, session], [mirror, rate, session],
        stream_every=EVERY, time_limit=LONGEST, show_progress="hidden", api_visibility="private",
        concurrency_id="live", concurrency_limit=settings.at_once,
    )  # fmt: skip

    def choose(mode: str) -> tuple[Any, Any]:
        return gr.update(visible=mode == "makeup"), gr.update(visible=mode == "tryon")

    mode.change(
        choose, [mode], [look, garment], queue=False, api_visibility="private",
    )  # fmt: skip


def frame_of(payload: Any) -> np.ndarray | None:
    """The camera's picture as (H, W, 3) uint8; None if it is not one."""
    url = getattr(payload, "url", None) or ""
    head, _, data = url.partition(",")
    try:
        source = base64.b64decode(data) if head.endswith(";base64") else payload.path
        return np.asarray(decode(source, limits=FRAME_LIMITS))
    except (AttributeError, binascii.Error, MirraError):
        return None


def picture_of(frame: np.ndarray) -> str:
    """A frame as an HTML picture that holds its own JPEG: nothing is written to the disk."""
    data = base64.b64encode(encode(Image.fromarray(frame), "jpeg", quality=85)).decode()
    return f'<img alt="{translate(text.MIRROR)}" src="data:image/jpeg;base64,{data}">'
