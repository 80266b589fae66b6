"""How near does a code draw what a face wears, before tuning and after each stage?

Each code is drawn back on the face it was read from, under the light of the picture. On *drawn*
looks the bare face and the makeup are known. On *photographs* they are not: there the makeup that
`models.instant.makeup.extract` takes off the photograph stands for the truth, on plain skin, and
the face a code is drawn on is that of the bare code.

`color R` is the CIEDE2000 of the mean colour over what the look covers of region R, `pattern R` the
mean CIELAB distance of the change texel by texel, divided by the mean size of the true change: 0 is
perfect, 1 is drawing nothing. `psnr R` is the peak signal to noise in dB over the visible region,
of CIELAB with peak 100. `bare` is the mean size, in CIELAB, of what is drawn where the look is not.
`perceptual` is the distance by the encoder of our human parser (`training.losses.perceptual`); it
is no LPIPS, and compares with its own values only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from models.analysis.human_parsing import HumanParser
from models.beautybank.code import MakeupCode
from models.beautybank.drawing import bare_colors, draw_code, made_up, read_bare
from models.beautybank.networks import BeautyBank
from models.beautybank.patches import MAP_SIZE, REGIONS, shares
from models.beautybank.tuning import tuned
from models.instant.drawn import draw
from models.instant.face_texture import FaceTexture
from models.instant.makeup import extract
from models.ops.color import delta_e, individual_typology_angle, lab_to_rgb, skin_tone_band
from models.ops.masks import blur
from training.data.faces.textures import FaceTextures
from training.data.makeup.bare_makeup import render_pair
from training.data.makeup.random_looks import draw_random_recipe
from training.losses.perceptual import perceptual

LEAST_MAKEUP = 2.0
"""CIELAB from which on a texel counts as made up."""
_NO_MAKEUP = 0.3
_FEWEST = 30  # texels of a region that are measured at all


@dataclass(frozen=True)
class TrueMakeup:
    """A made-up face and what its code should draw.

    Attributes:
        texture: the face, `MAP_SIZE` texels wide.
        bare: (S, S, 3) CIELAB, the face a code is drawn on.
        made_up: (S, S, 3) CIELAB, that face in its makeup.
        size: (S, S) CIELAB, how much the makeup changes.
    """

    texture: FaceTexture
    bare: np.ndarray
    made_up: np.ndarray
    size: np.ndarray

    @property
    def tone(self) -> str:
        """Band of the wearer's skin tone."""
        return skin_tone_band(individual_typology_angle(self.texture.tone))


def draw_looks(
    faces: FaceTextures, wearers: list[int], count: int, rng: np.random.Generator
) -> Iterator[TrueMakeup]:
    """Looks with random parameters on bare faces, one after the other."""
    for number in range(count):
        look = draw(draw_random_recipe(rng), MAP_SIZE)
        pair = render_pair(look, *faces.read_lab(wearers[number % len(wearers)]), rng)
        bare, size = blur(pair.lit, 0.012 * MAP_SIZE), np.linalg.norm(pair.change, axis=-1)
        yield TrueMakeup(pair.made_up, bare, bare + pair.change, size)


def read_photographs(network: BeautyBank, faces: FaceTextures, count: int) -> Iterator[TrueMakeup]:
    """Photographs of looks that were kept apart, evenly picked."""
    for number in choose_evenly(choose_held_out_looks(faces), count):
        texture = faces.read_face(number)
        bare = bare_colors(network, read_bare(network, texture), texture.bare, MAP_SIZE)
        truth = made_up(texture.bare, extract(texture))
        yield TrueMakeup(texture, bare, truth, np.linalg.norm(truth - texture.bare, axis=-1))


def choose_held_out_looks(faces: FaceTextures) -> list[int]:
    """Numbers of the photographs of looks that were kept apart."""
    held = faces.select("makeup", "validation")
    return [int(k) for k in held if faces.names[k].startswith("looks/")]


def choose_evenly(numbers: list[int], count: int) -> list[int]:
    """So many of a list, evenly picked; all of a short one."""
    picked = np.linspace(0, len(numbers) - 1, min(count, len(numbers)))
    return [numbers[int(k)] for k in picked]


def tune_in_stages(network: BeautyBank, texture: FaceTexture) -> dict[str, MakeupCode]:
    """Codes of a face before tuning and after each stage."""
    result = tuned(network, texture)
    return {"before": result.before, "stage 1": result.stage1, "stage 2": result.stage2}


def rebuild(
    network: BeautyBank, parser: HumanParser, looks: Iterator[TrueMakeup]
) -> dict[str, dict[str, float]]:
    """Medians over looks of each measure, stage by stage; and of stage 2 by skin tone."""
    rows: dict[str, list[dict[str, float]]] = {}
    for look in looks:
        for stage, code in tune_in_stages(network, look.texture).items():
            errors = measure_rebuild_error(network, parser, code, look)
            rows.setdefault(stage, []).append(errors)
        rows.setdefault(f"stage 2, {look.tone}", []).append(rows["stage 2"][-1])
    return {stage: {"looks": len(found), **_take_medians(found)} for stage, found in rows.items()}


def measure_rebuild_error(
    network: BeautyBank, parser: HumanParser, code: MakeupCode, look: TrueMakeup
) -> dict[str, float]:
    """The measures of one code."""
    drawn = made_up(look.bare, draw_code(network, code, MAP_SIZE))
    true, size = look.made_up, look.size
    wrong = np.linalg.norm(drawn - true, axis=-1)
    seen, owners = look.texture.seen > 0.5, shares(MAP_SIZE)
    errors = {}
    for region in REGIONS:
        own = seen & (owners[region] > 0.5)
        made = own & (size > LEAST_MAKEUP)
        if made.sum() < _FEWEST:
            continue
        errors[f"color {region}"] = float(delta_e(drawn[made].mean(0), true[made].mean(0)))
        errors[f"pattern {region}"] = float(wrong[made].mean() / size[made].mean())
        errors[f"psnr {region}"] = _measure_psnr(wrong[own])
    errors["psnr"] = _measure_psnr(wrong[seen])
    untouched = seen & (size < _NO_MAKEUP)
    if untouched.sum() >= _FEWEST:
        errors["bare"] = float(np.linalg.norm(drawn - look.bare, axis=-1)[untouched].mean())
    with torch.no_grad():
        distance = perceptual(parser, _make_picture(drawn, seen), _make_picture(true, seen))
        errors["perceptual"] = float(distance)
    return errors


def _make_picture(lab: np.ndarray, seen: np.ndarray) -> torch.Tensor:
    """A map as the parser sees pictures, (1, 3, S, S) in -1..1; grey where nothing is seen."""
    picture = (2 * lab_to_rgb(np.asarray(lab, np.float32)) - 1) * seen[..., None]
    return torch.from_numpy(np.asarray(picture, np.float32)).permute(2, 0, 1)[None]


def _measure_psnr(distances: np.ndarray) -> float:
    return float(20 * np.log10(100 / np.sqrt((distances**2).mean() / 3 + 1e-9)))


def _take_medians(rows: list[dict[str, float]]) -> dict[str, float]:
    keys = dict.fromkeys(key for row in rows for key in row)
    return {key: float(np.median([row[key] for row in rows if key in row])) for key in keys}
