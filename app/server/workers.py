"""Work: a fixed number of places, a time limit, and stopping that gives the place back.

A thread cannot be ended from outside. So work asks at its steps whether it is still wanted
(`check`), and a place is held by the thread itself: however often visitors start and stop, no more
than `places` threads are at work at a time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

from models.errors import CancelledError

T = TypeVar("T")

_unwanted: ContextVar[threading.Event | None] = ContextVar("unwanted", default=None)


def check() -> None:
    """Go on only if somebody still waits for the result.

    Raises:
        CancelledError: the visitor stopped it, or its time is up.
    """
    unwanted = _unwanted.get()
    if unwanted is not None and unwanted.is_set():
        raise CancelledError("nobody waits for this result any more")


class Desk:
    """Places to work at.

    Args:
        places: threads at work at the same time.
        seconds: longest time from start to result.
    """

    def __init__(self, places: int, seconds: float) -> None:
        self.seconds = seconds
        self.working = 0
        self._free = threading.BoundedSemaphore(places)
        self._counting = threading.Lock()

    async def wait_for(self, work: Callable[[], Awaitable[T]]) -> T:
        """Wait for work that runs in a thread, and tell it when nobody wants it any more.

        Args:
            work: starts the work in a thread that inherits this task's context.

        Raises:
            TimeoutError: it took longer than `seconds`.
        """
        unwanted = threading.Event()
        _unwanted.set(unwanted)
        try:
            return await asyncio.wait_for(work(), self.seconds)
        except asyncio.TimeoutError:
            raise TimeoutError from None  # one and the same from Python 3.11 on
        finally:
            unwanted.set()

    def at_a_place(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, made to wait for a place and to hold it while it runs."""

        @wraps(function)
        def work(*args: Any, **kwargs: Any) -> Any:
            with self._place():
                return function(*args, **kwargs)

        return work

    @contextmanager
    def _place(self) -> Iterator[None]:
        while not self._free.acquire(timeout=0.05):
            check()
        try:
            self._count(1)
            check()
            yield
        finally:
            self._count(-1)
            self._free.release()

    def _count(self, by: int) -> None:
        with self._counting:
            self.working += by
