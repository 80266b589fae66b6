"""What a visitor wants to wear, and where it is read from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from models.errors import LookError

if TYPE_CHECKING:
    from pipelines.makeup.look import Look
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline


@dataclass(frozen=True)
class LookRequest:
    """A look as files and names; of the first three the first that is set is the base.

    Attributes:
        look_file: a `look.json` or a PNG made by Mirra.
        reference: a photograph of someone wearing makeup, or a PNG made by Mirra.
        named: a drawn look.
        second: another photograph or PNG, for the regions in `from_second`.
        from_second: regions to take from `second`.
    """

    look_file: str | None = None
    reference: str | None = None
    named: str | None = None
    second: str | None = None
    from_second: tuple[str, ...] = ()

    def is_empty(self) -> bool:
        """Whether nothing to wear was chosen."""
        return not (self.look_file or self.reference or self.named)

    def read(self, pipeline: InstantMakeupPipeline) -> Look:
        """Find or read the look.

        Args:
            pipeline: reads makeup off photographs.

        Raises:
            MirraError: there is none, or the file or photograph cannot be used.
        """
        from pipelines.makeup.look_files import load_look
        from pipelines.makeup.named_looks import find_look
        from pipelines.makeup.pipeline_instant import combine

        if self.look_file:
            base = load_look(Path(self.look_file))
        elif self.reference:
            base = _read_picture(self.reference, pipeline)
        elif self.named:
            base = find_look(self.named)
        else:
            raise LookError("nothing to wear was chosen")
        if self.second and self.from_second:
            second = _read_picture(self.second, pipeline)
            base = combine(base, dict.fromkeys(self.from_second, second))
        return base


def _read_picture(path: str, pipeline: InstantMakeupPipeline) -> Look:
    """The look a Mirra PNG carries, or the makeup on a photograph."""
    from pipelines.images.decode import decode
    from pipelines.makeup.look_files import read_embedded

    return read_embedded(path) or pipeline.read_look(decode(path))
