"""ZeroGPU Spaces, which have a GPU only while one is lent to a call. Imports no torch."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeVar

F = TypeVar("F", bound=Callable[..., object])


def is_zero_gpu() -> bool:
    """Whether this is one; asked as the package `spaces` does."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def with_lent_gpu(function: F, seconds: Callable[..., float]) -> F:
    """The function; on a ZeroGPU Space, made to run while a GPU is lent to it.

    Args:
        function: what the GPU is for, and nothing else: lent time is counted. There it runs in
            another process, so arguments and result must be picklable.
        seconds: how long it may take, from the same arguments; who asks for less is served first.
    """
    if not is_zero_gpu():
        return function
    import spaces  # pyright: ignore[reportMissingImports]

    return spaces.GPU(duration=seconds)(function)
