"""Worker slots: a fixed number of threads at work, a time limit, and a stop that frees the slot.

A thread cannot be ended from outside. So work asks at its steps whether it is still wanted
(`models.cancellation`), and a slot is held by the thread itself: however often visitors start and
stop, no more than `count` threads are at work at a time.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from models.cancellation import cancel_scope, raise_if_cancelled

P = ParamSpec("P")
T = TypeVar("T")


class WorkerSlots:
    """Slots for threads at work.

    Args:
        count: threads at work at the same time.
        seconds: longest time from start to result.
    """

    def __init__(self, count: int, seconds: float) -> None:
        self.seconds = seconds
        self.working = 0
        self._free = threading.BoundedSemaphore(count)
        self._counting = threading.Lock()

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Wait for work that runs in a thread, and cancel it when nobody wants it any more.

        Args:
            work: starts the work in a thread that inherits this task's context.

        Raises:
            TimeoutError: it took longer than `seconds`.
        """
        with cancel_scope():
            try:
                return await asyncio.wait_for(work(), self.seconds)
            except asyncio.TimeoutError:
                raise TimeoutError from None  # one and the same from Python 3.11 on

    def limit(self, function: Callable[P, T]) -> Callable[P, T]:
        """Return the function, made to wait for a slot and to hold it while it runs."""

        @wraps(function)
        def work(*args: P.args, **kwargs: P.kwargs) -> T:
            with self._slot():
                return function(*args, **kwargs)

        return work

    @contextmanager
    def _slot(self) -> Iterator[None]:
        while not self._free.acquire(timeout=0.05):
            raise_if_cancelled()
        try:
            self._count(1)
            raise_if_cancelled()
            yield
        finally:
            self._count(-1)
            self._free.release()

    def _count(self, by: int) -> None:
        with self._counting:
            self.working += by
