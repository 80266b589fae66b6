"""Fit how sure a colour is, on the tuning half of the photographs.

    python -m training.prepare.shade_confidence DATA WEIGHTS

reads `DATA/products/lip-and-cheek.tar` and writes `WEIGHTS/confidence.json`: a logistic regression
of "within CIEDE2000 5 of the colour measured by hand" on `shade_color.evidence`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tyro
from scipy.optimize import minimize
from tyro.conf import Positional

from models.attributes.finding import find_shades
from models.attributes.networks import ShadeFinder
from models.attributes.shade_color import color_of, evidence
from models.ops.color import delta_e, rgb_to_lab
from pipelines.files import write_json
from pipelines.images.decode import decode
from training.data.products.photos import SPLIT, read_labels, read_members

WITHIN = 5.0


def fit_logistic(values: np.ndarray, right: np.ndarray, pull: float = 2.0) -> np.ndarray:
    """Weights of a logistic regression, the last one its bias.

    Args:
        values: (N, E) evidence.
        right: (N,) 0 or 1.
        pull: strength of the ridge on all weights but the bias.
    """
    inputs = np.column_stack([values, np.ones(len(values))])
    signs = np.where(right > 0, 1.0, -1.0)

    def loss(weights: np.ndarray) -> float:
        scores = inputs @ weights
        return float(np.logaddexp(0, -signs * scores).sum() + pull * (weights[:-1] ** 2).sum() / 2)

    return minimize(loss, np.zeros(inputs.shape[1]), method="BFGS").x


def fit_confidence(data: Positional[Path], weights: Positional[Path]) -> None:
    """Fit and write.

    Args:
        data: folder with products/.
        weights: folder of shade-finder and pan-finder, where the fit is written.
    """
    finder, pan_finder = (
        ShadeFinder.from_pretrained(weights / name).float().eval()
        for name in ("shade-finder", "pan-finder")
    )
    files = read_members(data / "products" / "lip-and-cheek.tar")
    rows, right, names = [], [], []
    for label in read_labels(files):
        if label["id"] not in SPLIT["lip-and-cheek"]["tune"]:
            continue
        pixels = np.asarray(decode(files[label["image"]]))
        finding = find_shades(finder, pan_finder, pixels)
        if not finding.regions:
            continue
        region = finding.regions[0]
        if finding.kind != "bottle":
            region = max(finding.regions, key=lambda region: region.area)
        color = color_of(region, rgb_to_lab(pixels), finding.tone)
        found = evidence(region, color, finding.kinds)
        names = list(found)
        rows.append(list(found.values()))
        right.append(float(delta_e(color.lab, np.array(label["lab"]))) < WITHIN)
    fit = fit_logistic(np.array(rows), np.array(right, float))
    fitted = dict(zip([*names, "bias"], np.round(fit, 4).tolist(), strict=True))
    path = weights / "confidence.json"
    write_json(fitted, path)


if __name__ == "__main__":
    tyro.cli(fit_confidence, description=__doc__)
