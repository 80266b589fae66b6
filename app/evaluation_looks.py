"""How good are makeup codes? Measured on people and looks that were kept out of training.

*Retrieval*: looks with random parameters, each worn by every held-out bare face under its own
light. A view asks all views of other people: is the nearest the same look? Against two baselines on
the very same views: mean colour of each makeup region, and colour histograms of each region, both
of the deviation from plain skin.

*Rebuild*: the code read from one wearer is drawn on that wearer's bare face. `color` is the
CIEDE2000 of the mean colour over what the look covers of a region, `pattern` the mean CIELAB
distance of the change texel by texel, divided by the mean size of the true change: 0 is perfect, 1
is drawing nothing. `bare` is the mean size, in CIELAB, of what is drawn where the look is not.

*Disentanglement*: a linear probe (ridge regression to one-hot labels) tries to name the wearer from
the makeup code and the look from the bare code; `nearest` asks the nearest code of another look (or
of another person) instead. Chance is what ignorance gives. `share of the person` is how much of the
makeup codes' variance goes with the wearer.

*Removal*: CIEDE2000 to the known bare face on synthetic pairs, where makeup is, before and after;
on photographs kept out of training, the share that a `BareClassifier` calls bare, before and after.
The judge's own accuracy on MT faces kept out of its training is given beside it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.spatial.distance import cdist

from models import seeding
from models.beautybank.bare_classifier import BareClassifier
from models.beautybank.code import MakeupCode
from models.beautybank.drawing import (
    draw_code,
    made_up,
    read_bare,
    read_code,
    removal,
    see,
)
from models.beautybank.networks import BeautyBank
from models.beautybank.patches import MAP_SIZE, REGIONS, shares
from models.beautybank.tuning import Tuned, tuned
from models.instant.drawn import draw
from models.instant.face_texture import FaceTexture
from models.ops.color import delta_e
from models.ops.masks import blur, canonical_regions
from training.data.bare_makeup import Pair, numpy_of, wear
from training.data.face_textures import FaceTextures, fitted
from training.data.random_looks import random_recipe

_WORN = 2.0  # CIELAB from which on a texel counts as made up


def evaluate(
    network: BeautyBank, faces: FaceTextures, looks: int, people: int, rebuilt: int, seed: int
) -> dict[str, Any]:
    """All measures but speed.

    Args:
        network: in eval mode.
        faces: the cache; only its validation part is used.
        looks: of the retrieval.
        people: likewise.
        rebuilt: looks that are tuned.
        seed: of looks, people and light.
    """
    rng = numpy_of(seeding.generator_for(seed, "evaluation"))
    wearers = held_out_people(faces, people)
    makeups = [draw(random_recipe(rng), MAP_SIZE) for _ in range(looks)]
    grid = [[wear(look, *faces.lab(k), rng) for k in wearers] for look in makeups]
    views = [pair.made_up for row in grid for pair in row]
    codes = [read_code(network, view) for view in views]
    bare_codes = np.stack([read_bare(network, view) for view in views])
    look_of = np.repeat(np.arange(looks), len(wearers))
    person_of = np.tile(np.arange(len(wearers)), looks)
    vectors = np.stack([code.vector for code in codes])
    return {
        "looks": looks,
        "people": len(wearers),
        "retrieval": {
            "makeup code": recall(vectors, look_of, person_of),
            "region means": recall(np.stack(list(map(region_means, views))), look_of, person_of),
            "histograms": recall(np.stack(list(map(histograms, views))), look_of, person_of),
        },
        "probes": {
            "identity from makeup code": probe(vectors, person_of, look_of),
            "identity from makeup code, nearest": recall(vectors, person_of, look_of)["recall@1"],
            "identity, chance": 1 / len(wearers),
            "share of the person in makeup codes": share_of(vectors, person_of, look_of),
            "look from bare code": probe(bare_codes, look_of, person_of),
            "look from bare code, nearest": recall(bare_codes, look_of, person_of)["recall@1"],
            "look, chance": 1 / looks,
            "share of the look in bare codes": share_of(bare_codes, look_of, person_of),
            "look from makeup code": probe(vectors, look_of, person_of),
            "identity from bare code": probe(bare_codes, person_of, look_of),
        },
        "rebuild": rebuild(network, faces, wearers, rebuilt, seed),
        "removal, synthetic": removed_synthetic(network, [row[k % len(wearers)] for k, row in
                                                enumerate(grid)]),
        "seed": seed,
    }  # fmt: skip


def held_out_people(faces: FaceTextures, count: int) -> list[int]:
    """Bare faces kept out of training, no two of one person, London first."""
    chosen: dict[str, int] = {}
    for number in faces.which("bare", "validation"):
        name = faces.names[number]
        person = name.split(".")[0] if name.startswith("london") else name
        chosen.setdefault(person, int(number))
    ordered = sorted(chosen.items(), key=lambda pair: not pair[0].startswith("london"))
    return [number for _, number in ordered[:count]]


def recall(vectors: np.ndarray, look: np.ndarray, person: np.ndarray) -> dict[str, float]:
    """Share of views whose nearest (of 1, of 5) on other people wears the same look."""
    distance = cdist(vectors, vectors)
    distance[person[:, None] == person[None]] = np.inf
    order = np.argsort(distance, axis=1)[:, :5]
    hit = look[order] == look[:, None]
    return {"recall@1": float(hit[:, 0].mean()), "recall@5": float(hit.any(1).mean())}


def region_means(face: FaceTexture) -> np.ndarray:
    """Mean deviation from plain skin of each region, (12,)."""
    masks = canonical_regions(len(face.lab))
    means = []
    for region in REGIONS:
        weight = (masks[region] * face.seen)[..., None]
        means.append((weight * face.deviation).sum((0, 1)) / (weight.sum() + 1e-6))
    return np.concatenate(means)


def histograms(face: FaceTexture, bins: int = 6) -> np.ndarray:
    """Each region's histogram of the deviation, square roots (Hellinger), 216 bins each."""
    masks = canonical_regions(len(face.lab))
    found = []
    for region in REGIONS:
        inside = (masks[region] * face.seen) > 0.5
        counts, _ = np.histogramdd(np.clip(face.deviation[inside], -59, 59), bins, [(-60, 60)] * 3)
        found.append(np.sqrt(counts.ravel() / max(1, counts.sum())))
    return np.concatenate(found)


def probe(vectors: np.ndarray, label: np.ndarray, other: np.ndarray) -> float:
    """Accuracy of a linear probe on groups of `other` it was not fitted to."""
    held = other % 4 == 3
    middle, spread = vectors[~held].mean(0), vectors[~held].std(0) + 1e-6
    x = np.column_stack([(vectors - middle) / spread, np.ones(len(vectors))]).astype(np.float64)
    targets = np.eye(label.max() + 1)[label]
    ridge = 1e-2 * (~held).sum() * np.eye(x.shape[1])
    fit = np.linalg.solve(x[~held].T @ x[~held] + ridge, x[~held].T @ targets[~held])
    return float(((x[held] @ fit).argmax(1) == label[held]).mean())


def share_of(vectors: np.ndarray, label: np.ndarray, other: np.ndarray) -> float:
    """Share of the variance that goes with `label`, whatever the `other` label is."""
    centred = (
        vectors - np.stack([vectors[other == k].mean(0) for k in range(other.max() + 1)])[other]
    )
    effect = np.stack([centred[label == k].mean(0) for k in range(label.max() + 1)])
    return float(effect.var(0).sum() / vectors.var(0).sum())


def rebuild(
    network: BeautyBank, faces: FaceTextures, wearers: list[int], count: int, seed: int
) -> dict[str, Any]:
    """Errors of the drawing before tuning and after each stage, by region; medians over looks."""
    rng = numpy_of(seeding.generator_for(seed, "rebuild"))
    stages: dict[str, list[dict[str, float]]] = {}
    for number in range(count):
        look = draw(random_recipe(rng), MAP_SIZE)
        pair = wear(look, *faces.lab(wearers[number % len(wearers)]), rng)
        for name, code in stages_of(tuned(network, pair.made_up)).items():
            stages.setdefault(name, []).append(rebuild_error(network, code, pair))
    return {name: _medians(rows) for name, rows in stages.items()}


def stages_of(result: Tuned) -> dict[str, MakeupCode]:
    """The codes of a tuning by the name of the stage."""
    return {"before": result.before, "stage 1": result.stage1, "stage 2": result.stage2}


def rebuild_error(network: BeautyBank, code: MakeupCode, pair: Pair) -> dict[str, float]:
    """Errors of one code drawn on the bare face it was read from."""
    soft = blur(pair.bare, 0.012 * MAP_SIZE)
    drawn = made_up(soft, draw_code(network, code, MAP_SIZE)) - soft
    size = np.linalg.norm(pair.change, axis=-1)
    wrong = np.linalg.norm(drawn - pair.change, axis=-1)
    worn, owners = size > _WORN, shares(MAP_SIZE)
    seen = pair.made_up.seen > 0.5
    errors = {}
    for region in REGIONS:
        here = worn & seen & (owners[region] > 0.5)
        if here.sum() < 30:
            continue
        true = (soft + pair.change)[here].mean(0)
        errors[f"color {region}"] = float(delta_e((soft + drawn)[here].mean(0), true))
        errors[f"pattern {region}"] = float(wrong[here].mean() / size[here].mean())
    errors["psnr"] = float(20 * np.log10(100 / np.sqrt((wrong[seen] ** 2).mean() + 1e-9)))
    errors["bare"] = float(np.linalg.norm(drawn, axis=-1)[seen & (size < 0.3)].mean())
    return errors


def removed_synthetic(network: BeautyBank, pairs: list[Pair]) -> dict[str, float]:
    """CIELAB distance to the known bare face where makeup was, before and after removal."""
    before, after = [], []
    for pair in pairs:
        worn = (np.linalg.norm(pair.change, axis=-1) > _WORN) & (pair.made_up.seen > 0.5)
        if not worn.any():
            continue
        bare = pair.made_up.lab + removal(network, pair.made_up)
        before.append(delta_e(pair.made_up.lab[worn], pair.lit[worn]).mean())
        after.append(delta_e(bare[worn], pair.lit[worn]).mean())
    return {"before": float(np.median(before)), "after": float(np.median(after))}


@torch.no_grad()
def removed_photographs(
    network: BeautyBank, judge: BareClassifier, faces: FaceTextures
) -> dict[str, Any]:
    """Share of photographs that are called bare before and after removal, set by set."""
    held = faces.which("makeup", "validation")
    looks = [int(k) for k in held if faces.names[k].startswith("looks/")]
    judged: dict[str, Any] = {"photographs": len(looks)}
    textures = [faces.face(k) for k in looks]
    judged["called bare before"] = called_bare(judge, textures)
    removed = [
        fitted(np.clip(t.lab + removal(network, t), [0, -110, -110], [100, 110, 110]), t.seen)
        for t in textures
    ]
    judged["called bare after"] = called_bare(judge, removed)
    for kind in ("bare", "makeup"):
        own = [k for k in faces.which(kind, "validation") if faces.names[k].startswith("mt/")]
        judged[f"MT {kind}, called bare"] = called_bare(judge, [faces.face(int(k)) for k in own])
    return judged


@torch.no_grad()
def called_bare(judge: BareClassifier, textures: list[FaceTexture]) -> float:
    """Share of faces a judge calls bare."""
    return float(np.mean([float(judge(see(texture))) > 0 for texture in textures]))


def summary(figures: dict[str, Any]) -> str:
    """The figures in a few lines."""
    lines = [f"{figures['looks']} looks x {figures['people']} people"]
    for name, found in figures["retrieval"].items():
        lines.append(f"{name:<14} recall@1 {found['recall@1']:.3f}  @5 {found['recall@5']:.3f}")
    for name, value in figures["probes"].items():
        lines.append(f"{name:<26} {value:.3f}")
    for stage, errors in figures["rebuild"].items():
        lines.append(f"rebuilt, {stage}: " + ", ".join(f"{k} {v:.2f}" for k, v in errors.items()))
    lines += [f"{key}: {figures[key]}" for key in figures if key.startswith("removal")]
    return "\n".join(lines)


def _medians(rows: list[dict[str, float]]) -> dict[str, float]:
    keys = sorted({key for row in rows for key in row})
    return {key: float(np.median([row[key] for row in rows if key in row])) for key in keys}
