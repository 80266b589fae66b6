"""Values that are made when they are first asked for, once, whatever threads ask."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeVar, overload

P = ParamSpec("P")
T = TypeVar("T")


class _KeyLocks:
    """A lock for each key, which lives as long as somebody wants it."""

    def __init__(self) -> None:
        self._guard = threading.Lock()  # of the dictionary, never held while a value is made
        self._held: dict[Any, _KeyLock] = {}

    @contextmanager
    def hold(self, key: Any) -> Iterator[None]:
        """Wait for a key's lock and hold it."""
        with self._guard:
            held = self._held.setdefault(key, _KeyLock())
            held.threads += 1
        try:
            with held.lock:
                yield
        finally:
            with self._guard:
                held.threads -= 1
                if not held.threads:
                    del self._held[key]


class _KeyLock:
    """The lock of one value, and how many threads hold it or wait for it."""

    def __init__(self) -> None:
        # Reentrant: a value that asks for itself recurses and says so, rather than wait for ever.
        self.lock = threading.RLock()
        self.threads = 0


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
        self._locks = _KeyLocks()

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
        with self._locks.hold(id(instance)):
            if self.name not in values:  # or somebody made it while we waited
                values[self.name] = self.factory(instance)
            return values[self.name]


def locked_cache(make: Callable[P, T]) -> Callable[P, T]:
    """`functools.cache` with a lock: every thread gets the very same value, made once.

        @locked_cache
        def load_net(name: str) -> TinyBeauty: ...  # threads that ask meanwhile wait

    Python's own may make a value twice and hand out both. Each value has a lock of its own. An
    exception is not kept: who comes next tries anew. All values are kept.

    Args:
        make: makes the value from arguments that can be keys of a dictionary.
    """
    locks = _KeyLocks()
    values: dict[Any, T] = {}

    @wraps(make)
    def cached(*args: P.args, **kwargs: P.kwargs) -> T:
        key = args, tuple(sorted(kwargs.items()))
        with locks.hold(key):
            if key not in values:
                values[key] = make(*args, **kwargs)
            return values[key]

    return cached
