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
        reason: a word for which of several things went wrong, in kinds that tell several apart;
            `usual_reason` of the kind when None.
        found: the offending value, or None.
        needed: the value or bound that would have been accepted, or None.
    """

    usual_reason = ""

    def __init__(
        self,
        message: str,
        *,
        reason: str | None = None,
        found: object = None,
        needed: object = None,
    ) -> None:
        super().__init__(message)
        self.reason = self.usual_reason if reason is None else reason
        self.found = found
        self.needed = needed


class ImageError(MirraError):
    """The bytes are not a picture we can use: unreadable, too large, too small, too long.

    Args:
        message: as in `MirraError`.
        reason: one of the words below; `app/messages.py` has a sentence for each.

            ============== ===================================== ========== =====================
            reason         what is wrong                         found      needed
            ============== ===================================== ========== =====================
            missing        no file there, or nothing was given   -          -
            not_a_file     a folder, a pipe, a device            -          -
            no_access      the system does not let us read it    -          -
            empty          a file of 0 bytes                     0          1
            too_heavy      more bytes than allowed               bytes      bytes
            unknown_kind   not a picture, or a kind we lack      kind       kinds we read
            damaged        cut off, or made to do harm           kind       -
            unusual_pixels pixels in a form we cannot show       mode       modes we read
            too_many_pixels                                      (w, h)     pixels
            too_small      shorter side                          (w, h)     pixels
            too_long       longer side over shorter side         (w, h)     ratio
            memory         the machine has too little            -          -
            output_kind    cannot be written in this kind        kind       kinds we write
            text           text in a PNG too long or damaged     bytes      bytes
            ============== ===================================== ========== =====================
    """

    usual_reason = "damaged"


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


class GarmentError(AnalysisError):
    """The picture shows no garment that try-on knows.

    Args:
        message: as in `MirraError`.
        reason: "none" (no garment), "trousers", or "pair" (shoes, socks, gloves).
    """

    usual_reason = "none"


class ShapeError(MirraError):
    """An array or tensor has another shape, range or type than the function states."""


class LookError(MirraError):
    """A look file is damaged, of an unknown version, or names an unknown look."""


class ShadeError(MirraError):
    """A shade that cannot be worn: no colour, or a finish, place or opacity that does not exist."""


class CheckpointError(MirraError):
    """A weights file is missing, damaged, or does not fit the network."""


class WeightsError(CheckpointError):
    """Weights cannot be had or used on this machine.

    Args:
        message: as in `MirraError`.
        reason: "gated" (a licence must be accepted first), "missing" (not where we were told to
            look), "offline" (not here, and no network), "package" (a library is not installed),
            "memory" (they do not fit) or "licence" (commercial use was asked for).
    """

    usual_reason = "missing"


class CancelledError(MirraError):
    """The person who asked for a picture stopped it."""


class CatalogError(MirraError):
    """Product pictures, a table of them or a catalogue cannot be read, written or searched.

    Args:
        message: as in `MirraError`.
        reason: one of the words below; `app/messages.py` has a sentence for each.

            ======== ================================================= ========= ==============
            reason   what is wrong                                     found     needed
            ======== ================================================= ========= ==============
            damaged  a catalogue, table, tar or manifest is damaged    -         -
            missing  no catalogue, table or pictures there             -         -
            columns  a manifest or table lacks a column                names     names
            kind     a table or layout we do not know                  ending    -
            busy     another run is at work on it                      -         -
            extra    an optional package is not installed              -         package
            query    no such colour, finish, category or region        value     values
            ======== ================================================= ========= ==============
    """

    usual_reason = "damaged"


class CrashError(MirraError):
    """Reading a picture ended the process it was read in, or took more memory than there is."""


class TrainingError(MirraError):
    """A training run cannot start or go on."""
