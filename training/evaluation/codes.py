"""How good are makeup codes? Measured on people and looks that were kept out of training.

*Retrieval*: looks with random parameters, each worn by every held-out bare face under its own
light. A view asks all views of other people: is the nearest the same look? Against two baselines on
the very same views: mean colour of each makeup region, and colour histograms of each region, both
of the deviation from plain skin.

*Rebuild*: see `training.evaluation.code_rebuilding`.

*Disentanglement*: a linear probe (ridge regression to one-hot labels) tries to name the wearer from
the makeup code and the look from the bare code; `nearest` asks the nearest code of another look (or
of another person) instead. Chance is what ignorance gives. These see the wearer's very photograph
again, in other looks; `another photograph` fits the probe on one photograph of each person and
asks it about another. `share of the person` is how much of the codes' variance goes with the
wearer.

*Removal*: CIEDE2000 to the known bare face on synthetic pairs, where makeup is, before and after;
on photographs kept out of training, the share that a `BareClassifier` calls bare, before and after,
beside how often it is right about faces kept out of its own training.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch

from models import seeding
from models.analysis.human_parsing import HumanParser
from models.beautybank.bare_classifier import BareClassifier
from models.beautybank.drawing import read_bare, read_code, removal, see
from models.beautybank.networks import BeautyBank
from models.beautybank.patches import MAP_SIZE
from models.instant.drawn import draw
from models.instant.face_texture import FaceTexture
from models.ops.color import delta_e, individual_typology_angle, skin_tone_band
from training.data.faces.textures import FaceTextures, fit_bare_skin
from training.data.generators import make_numpy_generator
from training.data.makeup.bare_makeup import Pair, render_pair
from training.data.makeup.random_looks import draw_random_recipe
from training.evaluation.code_probes import (
    average_regions,
    make_histograms,
    measure_recall,
    measure_variance_share,
    probe_another_photograph,
    probe_linearly,
)
from training.evaluation.code_rebuilding import (
    LEAST_MAKEUP,
    choose_held_out_looks,
    draw_looks,
    read_photographs,
    rebuild,
)

_CALLED_BARE = 0.96  # of the bare faces that set the judge's threshold


def evaluate(
    network: BeautyBank,
    parser: HumanParser,
    faces: FaceTextures,
    looks: int,
    people: int,
    rebuilt: int,
    seed: int,
) -> dict[str, Any]:
    """All measures but speed and the judge's.

    Args:
        network: in eval mode.
        parser: measures perceptual distance.
        faces: the cache; only its validation part is used.
        looks: of the retrieval.
        people: likewise.
        rebuilt: looks that are tuned, of each kind.
        seed: of looks, people and light.
    """
    rng = make_numpy_generator(seeding.generator_for(seed, "evaluation"))
    wearers = choose_held_out_people(faces, people)
    makeups = [draw(draw_random_recipe(rng), MAP_SIZE) for _ in range(looks)]
    grid = [[render_pair(look, *faces.read_lab(k), rng) for k in wearers] for look in makeups]
    views = [pair.made_up for row in grid for pair in row]
    vectors = np.stack([read_code(network, view).vector for view in views])
    bare_codes = np.stack([read_bare(network, view) for view in views])
    look_of = np.repeat(np.arange(looks), len(wearers))
    person_of = np.tile(np.arange(len(wearers)), looks)
    tones = np.array([find_tone_band(faces.read_face(k)) for k in wearers])[person_of]
    diagonal = [row[k % len(wearers)] for k, row in enumerate(grid)]
    drawn = draw_looks(
        faces, wearers, rebuilt, make_numpy_generator(seeding.generator_for(seed, "rebuild"))
    )
    return {
        "looks": looks,
        "people": len(wearers),
        "retrieval": {
            "makeup code": measure_recall(vectors, look_of, person_of),
            "region means": measure_recall(
                np.stack(list(map(average_regions, views))), look_of, person_of
            ),
            "histograms": measure_recall(
                np.stack(list(map(make_histograms, views))), look_of, person_of
            ),
        },
        "retrieval by skin tone": {
            tone: {"views": int((tones == tone).sum())}
            | measure_recall(vectors, look_of, person_of, tones == tone)
            for tone in dict.fromkeys(tones)
        },
        "probes": {
            "identity from makeup code": probe_linearly(vectors, person_of, look_of),
            "identity from makeup code, nearest": measure_recall(vectors, person_of, look_of)[
                "recall@1"
            ],
            "identity, chance": 1 / len(wearers),
            **probe_another_photograph(network, faces, wearers, makeups[:20], rng),
            "share of the person in makeup codes": measure_variance_share(
                vectors, person_of, look_of
            ),
            "look from bare code": probe_linearly(bare_codes, look_of, person_of),
            "look from bare code, nearest": measure_recall(bare_codes, look_of, person_of)[
                "recall@1"
            ],
            "look, chance": 1 / looks,
            "share of the look in bare codes": measure_variance_share(
                bare_codes, look_of, person_of
            ),
            "look from makeup code": probe_linearly(vectors, look_of, person_of),
            "identity from bare code": probe_linearly(bare_codes, person_of, look_of),
        },
        "rebuild, drawn looks": rebuild(network, parser, drawn),
        "rebuild, photographs": rebuild(network, parser, read_photographs(network, faces, rebuilt)),
        "removal, synthetic": measure_removal(network, diagonal),
        "seed": seed,
    }


def find_tone_band(face: FaceTexture) -> str:
    """Band of a face's skin tone."""
    return skin_tone_band(individual_typology_angle(face.tone))


def choose_held_out_people(faces: FaceTextures, count: int) -> list[int]:
    """Bare faces kept out of training, no two of one person, London first."""
    chosen: dict[str, int] = {}
    for number in faces.select("bare", "validation"):
        name = faces.names[number]
        person = name.split(".")[0] if name.startswith("london") else name
        chosen.setdefault(person, int(number))
    ordered = sorted(chosen.items(), key=lambda pair: not pair[0].startswith("london"))
    return [number for _, number in ordered[:count]]


def measure_removal(network: BeautyBank, pairs: list[Pair]) -> dict[str, float]:
    """CIELAB distance to the known bare face where makeup was, before and after removal."""
    before, after = [], []
    for pair in pairs:
        painted = (np.linalg.norm(pair.change, axis=-1) > LEAST_MAKEUP) & (pair.made_up.seen > 0.5)
        if not painted.any():
            continue
        bare = pair.made_up.lab + removal(network, pair.made_up)
        before.append(delta_e(pair.made_up.lab[painted], pair.lit[painted]).mean())
        after.append(delta_e(bare[painted], pair.lit[painted]).mean())
    return {"before": float(np.median(before)), "after": float(np.median(after))}


@torch.no_grad()
def judge_removal(
    network: BeautyBank, judge: BareClassifier, faces: FaceTextures
) -> dict[str, Any]:
    """Share of photographs that are called bare before and after removal.

    Every other pair of the bare faces kept out of training sets the judge's threshold, at which it
    calls `_CALLED_BARE` of them bare; the rest says how right it is.
    """

    def logits(textures: Iterable[FaceTexture]) -> np.ndarray:
        return np.array([float(judge(see(texture))) for texture in textures])

    held = [int(k) for k in faces.select("bare", "validation")]
    scores = logits(map(faces.read_face, held))
    calibrates = np.arange(len(held)) // 2 % 2 == 0  # a person's two photographs stay together
    threshold = float(np.quantile(scores[calibrates], 1 - _CALLED_BARE))
    london = np.array([faces.names[k].startswith("london/") for k in held])
    made_up = [int(k) for k in faces.select("makeup", "validation")]
    looks = choose_held_out_looks(faces)
    textures = [faces.read_face(k) for k in looks]
    removed = (
        fit_bare_skin(
            np.clip(t.lab + removal(network, t), [0, -110, -110], [100, 110, 110]), t.seen
        )
        for t in textures
    )
    by_kind = {
        "bare faces": scores[~calibrates],
        "bare faces, London": scores[~calibrates & london],
        "bare faces, MT": scores[~calibrates & ~london],
        "made-up faces, MT": logits(faces.read_face(k) for k in made_up if k not in set(looks)),
        "photographs of looks": logits(textures),
        "photographs of looks, makeup removed": logits(removed),
    }
    return {
        "threshold": threshold,
        "faces": {kind: len(found) for kind, found in by_kind.items()},
        "called bare": {kind: float((found > threshold).mean()) for kind, found in by_kind.items()},
        "right about a face": float(
            np.mean(
                [
                    (by_kind["bare faces"] > threshold).mean(),
                    (by_kind["made-up faces, MT"] <= threshold).mean(),
                ]
            )
        ),
    }


def format_summary(figures: dict[str, Any]) -> str:
    """The figures in a few lines."""
    lines = [f"{figures['looks']} looks x {figures['people']} people"]
    for name, found in figures["retrieval"].items():
        lines.append(f"{name:<14} recall@1 {found['recall@1']:.3f}  @5 {found['recall@5']:.3f}")
    for name, value in figures["probes"].items():
        lines.append(f"{name:<26} {value:.3f}")
    for kind in ("rebuild, drawn looks", "rebuild, photographs"):
        for stage, errors in figures[kind].items():
            words = ", ".join(f"{key} {value:.2f}" for key, value in errors.items())
            lines.append(f"{kind}, {stage}: {words}")
    lines += [f"{key}: {figures[key]}" for key in figures if key.startswith("removal")]
    return "\n".join(lines)
