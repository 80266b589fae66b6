"""One table of devices and what each computes in."""

from __future__ import annotations

import ctypes
import sys
import threading

import torch

# Device type -> dtype of network weights. Colour, masks and warps are float32 everywhere.
DTYPES: dict[str, torch.dtype] = {
    "cuda": torch.bfloat16,
    "mps": torch.float16,
    "cpu": torch.float32,
}


def pick(name: str = "auto") -> torch.device:
    """Return the device to run on.

    Args:
        name: "auto" for the fastest that is there, or a device such as "cpu" or "cuda:1".
    """
    if name != "auto":
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def dtype_of(device: torch.device) -> torch.dtype:
    """Return the dtype networks compute in on `device`."""
    return DTYPES.get(device.type, torch.float32)


def keep_freed_memory() -> bool:
    """Ask glibc to keep freed memory instead of returning it to the kernel.

    A network's activations are allocated and freed at every call; by default glibc maps and unmaps
    the large ones each time, and the page faults cost 1.0 to 2.4 times the run time on a CPU. This
    is the same as MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=2147483647 MALLOC_TOP_PAD_=67108864.

    Returns:
        True if it took effect; False on systems without glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    trim_threshold, top_pad, mmap_max = -1, -2, -4
    settings = ((mmap_max, 0), (trim_threshold, 2**31 - 1), (top_pad, 64 * 2**20))
    return all([mallopt(name, value) == 1 for name, value in settings])  # noqa: C419 - set all


def use_threads(count: int) -> None:
    """Let torch compute with so many threads.

    It is a setting of the process, so only its main thread may change it; from another thread this
    does nothing.
    """
    if threading.current_thread() is threading.main_thread():
        torch.set_num_threads(count)
