"""What a code tells and what it does not: retrieval, linear probes, shares of variance."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from models.beautybank.drawing import read_code
from models.beautybank.networks import BeautyBank
from models.beautybank.patches import REGIONS
from models.instant.face_texture import FaceTexture
from models.instant.makeup import Makeup
from models.ops.masks import canonical_regions
from training.data.faces.textures import FaceTextures
from training.data.makeup.bare_makeup import render_pair


def measure_recall(
    vectors: np.ndarray, look: np.ndarray, person: np.ndarray, asked: np.ndarray | None = None
) -> dict[str, float]:
    """Share of views whose nearest (of 1, of 5) on other people wears the same look.

    With `asked`, (N,) bool, only some views ask; they are answered by all.
    """
    distance = cdist(vectors, vectors)
    distance[person[:, None] == person[None]] = np.inf
    order = np.argsort(distance, axis=1)[:, :5]
    hit = look[order] == look[:, None]
    if asked is not None:
        hit = hit[asked]
    return {"recall@1": float(hit[:, 0].mean()), "recall@5": float(hit.any(1).mean())}


def average_regions(face: FaceTexture) -> np.ndarray:
    """Mean deviation from plain skin of each region, (12,)."""
    masks = canonical_regions(len(face.lab))
    means = []
    for region in REGIONS:
        weight = (masks[region] * face.seen)[..., None]
        means.append((weight * face.deviation).sum((0, 1)) / (weight.sum() + 1e-6))
    return np.concatenate(means)


def make_histograms(face: FaceTexture, bins: int = 6) -> np.ndarray:
    """Each region's histogram of the deviation, square roots (Hellinger), 216 bins each."""
    masks = canonical_regions(len(face.lab))
    found = []
    for region in REGIONS:
        inside = (masks[region] * face.seen) > 0.5
        counts, _ = np.histogramdd(np.clip(face.deviation[inside], -59, 59), bins, [(-60, 60)] * 3)
        found.append(np.sqrt(counts.ravel() / max(1, counts.sum())))
    return np.concatenate(found)


def probe_linearly(vectors: np.ndarray, label: np.ndarray, other: np.ndarray) -> float:
    """Accuracy of a linear probe on groups of `other` it was not fitted to."""
    return _fit_probe(vectors, label, other % 4 == 3)


def _fit_probe(vectors: np.ndarray, label: np.ndarray, held: np.ndarray) -> float:
    """Accuracy on `held`, (N,) bool, of a ridge regression on all others."""
    middle, spread = vectors[~held].mean(0), vectors[~held].std(0) + 1e-6
    x = np.column_stack([(vectors - middle) / spread, np.ones(len(vectors))]).astype(np.float64)
    targets = np.eye(label.max() + 1)[label]
    ridge = 1e-2 * (~held).sum() * np.eye(x.shape[1])
    fit = np.linalg.solve(x[~held].T @ x[~held] + ridge, x[~held].T @ targets[~held])
    return float(((x[held] @ fit).argmax(1) == label[held]).mean())


def probe_another_photograph(
    network: BeautyBank,
    faces: FaceTextures,
    wearers: list[int],
    looks: list[Makeup],
    rng: np.random.Generator,
) -> dict[str, float]:
    """Can a probe fitted on one photograph of each person name them in another?

    Half of the looks are worn on the first, the other half on the second; London people only.
    """
    names = {name: number for number, name in enumerate(faces.names)}
    pairs = [
        (number, names[other])
        for number in wearers
        if (other := faces.names[number].replace(".neutral", ".smiling")) in names
        and other != faces.names[number]
    ]
    if len(pairs) < 2:
        return {}
    vectors, person, held = [], [], []
    for k, look in enumerate(looks):
        for who, photos in enumerate(pairs):
            view = render_pair(look, *faces.read_lab(photos[k % 2]), rng).made_up
            vectors.append(read_code(network, view).vector)
            person.append(who)
            held.append(k % 2 == 1)
    found = _fit_probe(np.stack(vectors), np.array(person), np.array(held))
    return {
        "identity from makeup code, another photograph": found,
        "identity, another photograph, chance": 1 / len(pairs),
    }


def measure_variance_share(vectors: np.ndarray, label: np.ndarray, other: np.ndarray) -> float:
    """Share of the variance that goes with `label`, whatever the `other` label is."""
    centred = (
        vectors - np.stack([vectors[other == k].mean(0) for k in range(other.max() + 1)])[other]
    )
    effect = np.stack([centred[label == k].mean(0) for k in range(label.max() + 1)])
    return float(effect.var(0).sum() / vectors.var(0).sum())
