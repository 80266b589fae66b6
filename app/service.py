"""Studio: each pipeline loaded once, shared by page, API and command line."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import LookError

if TYPE_CHECKING:
    from models.structures import Face
    from pipelines.makeup.looks import Look
    from pipelines.makeup.output import MakeupOutput
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline

EXAMPLE = Path(__file__).resolve().parents[1] / "assets" / "examples" / "astronaut.png"


@dataclass(frozen=True)
class Wish:
    """What a visitor wants to wear, as files and names; the first that is set is the base.

    Attributes:
        look_file: a `look.json` or a PNG made by Mirra.
        reference: a photograph of someone wearing makeup, or a PNG made by Mirra.
        named: a drawn look.
        second: another photograph or PNG, for the regions in `from_second`.
        from_second: regions to take from `second`.
    """

    reference: str | Path | None = None
    named: str | None = None
    look_file: str | Path | None = None
    second: str | Path | None = None
    from_second: tuple[str, ...] = field(default=())

    @property
    def has_base(self) -> bool:
        """Whether there is anything to wear."""
        return bool(self.look_file or self.reference or self.named)


class Studio:
    """Everything the page and the API can do, without a page. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._makeup: InstantMakeupPipeline | None = None

    @property
    def makeup(self) -> InstantMakeupPipeline:
        """The instant pipeline, made once, however many ask at the same time."""
        with self._lock:
            if self._makeup is None:
                from pipelines.makeup.pipeline_instant import InstantMakeupPipeline

                self._makeup = InstantMakeupPipeline()
            return self._makeup

    def warm_up(self) -> None:
        """Do once what makes the first time slow, on the picture that ships with Mirra."""
        self.try_on(EXAMPLE, Wish(named="classic-red"))

    def look_at(self, photo: str | Path) -> list[Face]:
        """Every face of a picture, the largest first; an empty list if there is none.

        Raises:
            ImageError: the picture cannot be used.
        """
        from pipelines.images import decode

        return self.makeup.analyzer(decode(photo))

    def look(self, wish: Wish) -> Look:
        """Find or read the look a visitor wants.

        Raises:
            MirraError: there is none, or the file or photograph cannot be used.
        """
        from pipelines.makeup.looks import load_look
        from pipelines.makeup.named_looks import find_look
        from pipelines.makeup.pipeline_instant import combine

        if wish.look_file:
            base = load_look(Path(wish.look_file))
        elif wish.reference:
            base = self._read(Path(wish.reference))
        elif wish.named:
            base = find_look(wish.named)
        else:
            raise LookError("nothing to wear was chosen")
        if wish.second and wish.from_second:
            second = self._read(Path(wish.second))
            base = combine(base, dict.fromkeys(wish.from_second, second))
        return base

    def try_on(
        self,
        source: str | Path,
        wish: Wish,
        strengths: Mapping[str, float] | None = None,
        strength: float | None = None,
        faces: Sequence[int] | None = None,
    ) -> MakeupOutput:
        """Put the wished look on a photograph.

        Args:
            source: the wearer's picture.
            wish: what to wear.
            strengths: region -> 0..1; the look's own when None.
            strength: overall 0..1; the look's own when None.
            faces: which faces, 0 the largest; all when None.

        Raises:
            MirraError: a picture or look cannot be used.
        """
        from pipelines.images import decode

        return self.makeup(
            decode(source), self.look(wish), strengths=strengths, strength=strength, faces=faces
        )

    def _read(self, path: Path) -> Look:
        """The look a Mirra PNG carries, or the makeup on a photograph."""
        from pipelines.images import decode
        from pipelines.makeup.looks import read_embedded

        return read_embedded(path) or self.makeup.read_look(decode(path))
