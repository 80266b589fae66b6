"""Values that are made when they are first asked for, once, whatever threads ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class locked_cached_property(Generic[T]):  # noqa: N801, for it is used as `cached_property` is
    """`functools.cached_property` with a lock; Python's own has none from 3.12 on.

        class Studio:
            @locked_cached_property
            def makeup(self) -> Pipeline: ...  # takes seconds; threads that ask meanwhile wait

    Each attribute of each instance has a lock of its own, so only those wait who want the same
    value, and a value may be made of others. An exception is not kept: who comes next tries anew.
    Once made, the value is an ordinary entry of the instance, read without a lock; it may be
    assigned or deleted as such. Instances keep no lock and can be pickled and copied.

    Args:
        factory: makes the value from the instance.
    """

    def __init__(self, factory: Callable[[Any], T]) -> None:
        self.factory = factory
        self.name = factory.__name__
        self.__doc__ = factory.__doc__
        self._guard = threading.Lock()  # of the next line, never held while a value is made
        self._making: dict[int, _Making] = {}

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> locked_cached_property[T]: ...

    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...

    def __get__(
        self, instance: object | None, owner: type | None = None
    ) -> locked_cached_property[T] | T:
        if instance is None:
            return self
        values = vars(instance)
        with self._locked(instance):
            if self.name not in values:  # or somebody made it while we waited
                values[self.name] = self.factory(instance)
            return values[self.name]

    @contextmanager
    def _locked(self, instance: object) -> Iterator[None]:
        """Hold the instance's lock, which lives as long as somebody wants it."""
        key = id(instance)
        with self._guard:
            making = self._making.setdefault(key, _Making())
            making.threads += 1
        try:
            with making.lock:
                yield
        finally:
            with self._guard:
                making.threads -= 1
                if not making.threads:
                    del self._making[key]


class _Making:
    """The lock of one value, and how many threads hold it or wait for it."""

    def __init__(self) -> None:
        # Reentrant: a value that asks for itself recurses and says so, rather than wait for ever.
        self.lock = threading.RLock()
        self.threads = 0
