"""What one visitor tries on in the Makeup tab: a picture, its faces, a look, levels and layers."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.ui.makeup.look_request import LookRequest
from models.cancellation import raise_if_cancelled
from models.errors import NoFaceError
from models.regions import MAKEUP_REGIONS
from models.structures import Face
from pipelines.images.decode import decode
from pipelines.makeup.look import Look
from pipelines.makeup.output import MakeupOutput
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
from pipelines.steps import timed

Levels = tuple[float, ...]
"""Strengths as the sliders have them: overall, then each region of `MAKEUP_REGIONS`."""


@dataclass(frozen=True)
class _Photo:
    """A photograph, looked at.

    Attributes:
        path: of the file.
        faces: the largest first; none if there are none.
        milliseconds: time by stage.
    """

    path: str
    faces: list[Face]
    milliseconds: Mapping[str, float]


@dataclass(frozen=True)
class _Rendered:
    """A look put on faces at full strength.

    Attributes:
        wanted: the photograph, the request and the faces it is for.
        output: its layers; pictures are made of them at the levels that are asked for.
    """

    wanted: tuple[str, LookRequest, tuple[int, ...] | None]
    output: MakeupOutput


class MakeupSession:
    """Each step keeps what it found for as long as what it stands on stays the same.

    So a photograph is decoded and analysed once, a look is read and put on once, and blended once
    for the levels it is shown, measured and saved at. Several events of a page may use it at a
    time.

        session = MakeupSession(pipeline)
        session.wear("me.png", LookRequest(named="classic-red"))
        picture = session.adjust((0.5, 1, 1, 1, 1, 1)).images[0]

    Args:
        pipeline: looks, puts on and blends.
    """

    def __init__(self, pipeline: InstantMakeupPipeline) -> None:
        self.pipeline = pipeline
        self.levels: Levels | None = None
        """Where the sliders were last, as far as the server has heard."""
        self._photo: _Photo | None = None
        self._look: tuple[LookRequest, Look] | None = None
        self._rendered: _Rendered | None = None
        self._blended: tuple[_Rendered, Levels, MakeupOutput] | None = None
        self._looking = threading.Lock()

    def find_faces(self, photo: str | Path) -> list[Face]:
        """The faces of a photograph, the largest first; none if there are none.

        Raises:
            ImageError: the file is no picture we read.
        """
        return self._analyze(str(photo)).faces

    def wear(
        self, photo: str | Path, request: LookRequest, faces: Sequence[int] | None = None
    ) -> Look:
        """Put a look on the faces of a photograph; `adjust` makes the picture.

        Args:
            photo: the wearer's picture.
            request: what to wear.
            faces: which faces, 0 the largest; all when None.

        Returns:
            The look, with the strengths it brings along.

        Raises:
            MirraError: the picture or the look cannot be used.
        """
        looked = self._analyze(str(photo))
        look = self._read(request)
        raise_if_cancelled()
        if not looked.faces:
            raise NoFaceError("no face found in the picture", found=0, needed=1)
        wanted = (looked.path, request, None if faces is None else tuple(faces))
        if self._rendered is None or self._rendered.wanted != wanted:
            took = dict(looked.milliseconds)
            with timed(took, "render"):
                layers = self.pipeline.wear(looked.faces, look, faces=faces)
            self._rendered = _Rendered(wanted, MakeupOutput([], layers, took))
        return look

    @property
    def is_rendered(self) -> bool:
        """Whether there are layers to adjust."""
        return self._rendered is not None

    def adjust(self, levels: Levels) -> MakeupOutput:
        """The picture at these levels, of the makeup that is worn."""
        rendered, blended = self._rendered, self._blended
        assert rendered is not None, "nothing is worn yet"
        if blended is not None and blended[0] is rendered and blended[1] == levels:
            return blended[2]
        strengths: dict[str, float] = dict(zip(MAKEUP_REGIONS, levels[1:], strict=True))
        output = self.pipeline.adjust(rendered.output, strengths=strengths, strength=levels[0])
        self._blended = rendered, levels, output
        return output

    def _analyze(self, path: str) -> _Photo:
        with self._looking:
            if self._photo is None or self._photo.path != path:
                picture = decode(path)
                took: dict[str, float] = {}
                with timed(took, "analyse"):
                    faces = self.pipeline.analyzer(picture)
                self._photo = _Photo(path, faces, took)
            return self._photo

    def _read(self, request: LookRequest) -> Look:
        with self._looking:
            if self._look is None or self._look[0] != request:
                self._look = request, request.read(self.pipeline)
            return self._look[1]


def get_levels(look: Look) -> Levels | None:
    """The strengths a look brings along; None if it brings none."""
    if not look.strengths and look.strength == 1:
        return None
    return (look.strength, *(look.strengths.get(region, 1.0) for region in MAKEUP_REGIONS))
