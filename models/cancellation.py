"""Is the result still wanted? Long work asks at its steps, and stops when it is not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from models.errors import CancelledError

_cancelled: ContextVar[threading.Event | None] = ContextVar("cancelled", default=None)


@contextmanager
def cancel_scope() -> Iterator[None]:
    """Cancel, at the end of the block, what was started within it and still runs.

    The block's context variables carry it: a thread belongs to the block if it inherits them.
    """
    cancelled = threading.Event()
    token = _cancelled.set(cancelled)
    try:
        yield
    finally:
        cancelled.set()
        _cancelled.reset(token)


def raise_if_cancelled() -> None:
    """Go on only if somebody still waits for the result; outside of a `cancel_scope` always.

    Raises:
        CancelledError: whoever asked stopped it, or its time is up.
    """
    cancelled = _cancelled.get()
    if cancelled is not None and cancelled.is_set():
        raise CancelledError("nobody waits for this result any more")
