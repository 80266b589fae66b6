"""NumPy's generators from torch's, for what is drawn with NumPy and OpenCV."""

from __future__ import annotations

import numpy as np
import torch


def make_numpy_generator(generator: torch.Generator) -> np.random.Generator:
    """Return a NumPy generator seeded by a draw of torch's."""
    return np.random.default_rng(int(torch.randint(1 << 62, (), generator=generator)))
