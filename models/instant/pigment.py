"""Layers of pigment over skin: Kubelka and Munk's two-flux model, channel by channel."""

from __future__ import annotations

import numpy as np
from scipy.optimize import brentq

_DARK, _WHITE = 0.002, 0.95  # reflectances of the darkest and the lightest pigment there is
_FILLER = 0.25  # white fillers hide in all channels alike, so that no dark one runs far ahead


def layer_over(skin: np.ndarray, pigment: np.ndarray, opacity: float) -> np.ndarray:
    """Reflectance of a layer of finite thickness over skin.

    With R the layer's reflectance at infinite thickness, which is the product's colour, and t the
    share of a flux that survives the way through the layer and back,

        (Kubelka and Munk, 1931; Kubelka, "New contributions to the optics of intensely
        light-scattering materials", 1948, eq. 29, solved for exponentials)

        r = ((skin - R) t / R  -  R (skin - 1/R)) / ((skin - R) t  -  (skin - 1/R))
        t = exp(-S X (1/R - R))

    One scattering power S X is used for the three channels of linear sRGB, so that a dark channel
    hides sooner: a thin layer of berry is a stain, one of white a veil. It is chosen so that
    the mean of t over the channels is 1 - `opacity`; in t no R counts as less than 25 %.

    Args:
        skin: (..., 3) linear reflectance below, 0..1.
        pigment: (3,) linear reflectance of the product, laid on thick.
        opacity: 0 (nothing there: gives `skin`) to 1 (hides: gives `pigment`).

    Returns:
        (..., 3) linear reflectance.
    """
    if opacity <= 0:
        return np.asarray(skin, np.float32)
    thick = np.clip(np.float64(pigment), _DARK, _WHITE)
    inside = np.maximum(thick, _FILLER)
    rate = 1 / inside - inside
    lost = max(1 - opacity, 1e-6)
    power: float = brentq(  # pyright: ignore[reportAssignmentType]
        lambda power: np.exp(-power * rate).mean() - lost, 0, 14 / rate.min()
    )
    t = np.exp(-power * rate)
    below = np.clip(np.float64(skin), 0, 0.999)
    near, far = (below - thick) * t, below - 1 / thick
    return np.asarray((near / thick - far * thick) / (near - far), np.float32)
