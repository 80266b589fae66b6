"""Rebuilding is measured as said, and tuning makes it better region by region."""

import numpy as np
import pytest

from models.analysis.human_parsing import HumanParser
from models.beautybank.code import strengthened
from models.beautybank.drawing import draw_code, made_up
from models.beautybank.networks import BeautyBank
from models.beautybank.patches import MAP_SIZE, REGIONS
from models.instant.drawn import draw
from models.instant.face_texture import unfold
from models.instant.look_recipe import Lips, LookRecipe, Shadow, Tint
from models.ops.masks import blur
from pipelines.analysis import load_network
from pipelines.registry import WEIGHTS
from training.data.makeup.bare_makeup import render_pair
from training.evaluation.code_rebuilding import TrueMakeup, measure_rebuild_error, tune_in_stages

LOOK = LookRecipe(
    lips=Lips("#8e1f2f", 0.95),
    shadow=(Shadow("#3a3f86", "lid", 0.8), Shadow("#3a3f86", "outer", 0.6)),
    tints=(Tint((-3, 13, 4), "apples"),),
)


@pytest.fixture(scope="module")
def network():
    return load_network(BeautyBank, WEIGHTS / "beautybank")


@pytest.fixture(scope="module")
def parser():
    return load_network(HumanParser, WEIGHTS / "human-parser")


@pytest.fixture(scope="module")
def truth(face):
    texture = unfold(face, MAP_SIZE)
    look = draw(LOOK, MAP_SIZE)
    pair = render_pair(look, texture.lab, texture.seen, np.random.default_rng(3))
    bare = blur(pair.lit, 0.012 * MAP_SIZE)
    size = np.linalg.norm(pair.change, axis=-1)
    return TrueMakeup(pair.made_up, bare, bare + pair.change, size)


@pytest.fixture(scope="module")
def codes(network, truth):
    return tune_in_stages(network, truth.texture)


def test_a_code_that_draws_the_truth_makes_no_error_and_one_that_draws_nothing_all(
    network, parser, truth, codes
):
    code = codes["before"]
    drawn = made_up(truth.bare, draw_code(network, code, MAP_SIZE))
    size = np.linalg.norm(drawn - truth.bare, axis=-1)
    own = TrueMakeup(truth.texture, truth.bare, drawn, size)
    errors = measure_rebuild_error(network, parser, code, own)
    assert errors["pattern lips"] == errors["color eyes"] == errors["perceptual"] == 0
    nothing = strengthened(code, dict.fromkeys(REGIONS, 0.0))
    errors = measure_rebuild_error(network, parser, nothing, own)
    assert errors["pattern lips"] == pytest.approx(1, abs=0.15)
    assert errors["perceptual"] > 0


def test_tuning_makes_the_pattern_of_no_region_worse_and_leaves_the_bare_face_bare(
    network, parser, truth, codes
):
    before, first, second = (
        measure_rebuild_error(network, parser, code, truth) for code in codes.values()
    )
    for region in ("lips", "eyes", "cheeks"):
        assert first[f"pattern {region}"] < before[f"pattern {region}"] + 0.02
        assert second[f"pattern {region}"] < before[f"pattern {region}"] + 0.02
    assert second["psnr"] > before["psnr"]
    assert second["bare"] < first["bare"]
