"""One visitor's mirror: frame after frame, in makeup or in a top."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Literal

import numpy as np
from gradio.data_classes import ImageData
from PIL import Image

from app.language import translate
from app.service import Studio
from app.ui import text
from app.ui.tryon.garments import GARMENTS
from models.errors import MirraError
from pipelines.images.decode import Limits, decode
from pipelines.images.encode import encode
from pipelines.makeup.live import FrameRate, LiveMakeup
from pipelines.makeup.named_looks import find_look

if TYPE_CHECKING:
    from pipelines.tryon.garment import Garment
    from pipelines.tryon.live import LiveTryOn

Mode = Literal["makeup", "tryon"]
FRAME_LIMITS = Limits(max_bytes=4_000_000, max_pixels=1_000_000)


class Mirror:
    """What one visitor's mirror remembers from frame to frame.

    Args:
        studio: of the page.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.rate = FrameRate()
        self._makeup: LiveMakeup | None = None
        self._tryon: LiveTryOn | None = None
        self._garments: dict[str, Garment] = {}

    def show(self, frame: np.ndarray, mode: Mode, look: str, garment: str) -> np.ndarray:
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


def decode_frame(payload: ImageData | None) -> np.ndarray | None:
    """The camera's picture as (H, W, 3) uint8; None if it is not one."""
    if payload is None:
        return None
    head, _, data = (payload.url or "").partition(",")
    try:
        source = base64.b64decode(data) if head.endswith(";base64") else payload.path
        return None if source is None else np.asarray(decode(source, limits=FRAME_LIMITS))
    except (binascii.Error, MirraError):
        return None


def draw_frame(frame: np.ndarray) -> str:
    """A frame as an HTML picture that holds its own JPEG: nothing is written to the disk."""
    data = base64.b64encode(encode(Image.fromarray(frame), "jpeg", quality=85)).decode()
    return f'<img alt="{translate(text.MIRROR)}" src="data:image/jpeg;base64,{data}">'
