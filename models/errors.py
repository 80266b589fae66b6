"""Every error a person can do something about.

Each carries fields for programs (`found`, `needed`, `boxes`); the sentence a visitor reads is made
from them in `app/messages.py`. The exception's own text is for logs and for people who write code.
"""

from __future__ import annotations

from collections.abc import Sequence


class MirraError(Exception):
    """Base of all errors Mirra raises on purpose.

    Args:
        message: what was found, what was needed and what to do, in one sentence.
        found: the offending value, or None.
        needed: the value or bound that would have been accepted, or None.
    """

    def __init__(self, message: str, *, found: object = None, needed: object = None) -> None:
        super().__init__(message)
        self.found = found
        self.needed = needed


class ImageError(MirraError):
    """The bytes are not a picture we can use: unreadable, too large, too small, too long."""


class AnalysisError(MirraError):
    """The picture was read, but what we look for is not in it."""


class NoFaceError(AnalysisError):
    """No face, or none large enough, was found."""


class SeveralFacesError(AnalysisError):
    """More faces than the caller allows; `boxes` lists them as (x0, y0, x1, y1) pixels."""

    def __init__(
        self,
        message: str,
        *,
        boxes: Sequence[tuple[int, int, int, int]] = (),
        found: object = None,
        needed: object = None,
    ) -> None:
        super().__init__(message, found=found, needed=needed)
        self.boxes = tuple(boxes)


class NoPersonError(AnalysisError):
    """No person, or not enough of one, was found."""


class ShapeError(MirraError):
    """An array or tensor has another shape, range or type than the function states."""


class LookError(MirraError):
    """A look file is damaged, of an unknown version, or names an unknown look."""


class CheckpointError(MirraError):
    """A weights file is missing, damaged, or does not fit the network."""


class CatalogError(MirraError):
    """A catalogue cannot be read, written or searched."""


class TrainingError(MirraError):
    """A training run cannot start or go on."""
