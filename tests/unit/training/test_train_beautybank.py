"""The bare-makeup set is what it says, and its recipes run."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from models import seeding
from models.beautybank.networks import BeautyBank
from models.beautybank.patches import MAP_SIZE
from models.instant.drawn import draw
from models.instant.look_recipe import Lips, LookRecipe
from models.ops.color import delta_e
from training import train_bare_classifier, train_beautybank, train_look_sampler
from training.data.faces.textures import FaceTextures
from training.data.makeup.bare_makeup import BareMakeup, draw_pair, render_pair
from training.methods.beautybank import shared_effect
from training.prepare import bare_makeup


@pytest.fixture(scope="module")
def pairs():
    return BareMakeup(FaceTextures.synthetic(seeding.generator_for(0, "faces")))


def test_a_pair_is_the_same_whenever_it_is_made(pairs):
    look, pair = draw_pair(pairs, 7, 3)
    draw_pair(pairs, 7, 4)
    again, same = draw_pair(pairs, 7, 3)
    assert look.recipe == again.recipe
    assert np.array_equal(pair.made_up.lab, same.made_up.lab)
    assert not np.array_equal(pair.made_up.lab, draw_pair(pairs, 8, 3)[1].made_up.lab)


def test_a_pair_differs_by_its_look_alone():
    rng = np.random.default_rng(1)
    lab = np.full((MAP_SIZE, MAP_SIZE, 3), (60, 12, 16), np.float32)
    makeup = draw(LookRecipe(lips=Lips("#a3122a", 1.0)), MAP_SIZE)
    pair = render_pair(makeup, lab, np.ones((MAP_SIZE, MAP_SIZE), np.float32), rng)
    lips = makeup.opacity > 0.95
    assert np.median(delta_e((pair.bare + pair.change)[lips], makeup.paint[lips])) < 0.5
    assert not pair.change[makeup.opacity == 0].any()


def test_a_grid_shows_every_look_on_every_face(pairs):
    batch = pairs.batch(torch.arange(4), seeding.generator_for(0, "batch"))
    assert batch["see.eyes"].shape == (8, 14, 48, 64)
    assert batch["look"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert batch["face"].tolist() == [0, 1] * 4
    assert torch.equal(batch["alpha.lips"][0], batch["alpha.lips"][1])


def test_the_set_is_written_and_gone_on_with(tmp_path):
    for count in (2, 3):
        bare_makeup.main(["--out", str(tmp_path), "--count", str(count), "--seed", "7"])
    lines = [json.loads(line) for line in (tmp_path / "looks.jsonl").read_text().splitlines()]
    assert [line["pair"] for line in lines] == [0, 1, 2]
    with Image.open(tmp_path / "000002.png") as picture:
        assert picture.size == (2 * MAP_SIZE, MAP_SIZE)


def test_what_all_looks_share_counts_as_the_persons_own():
    rng = seeding.generator_for(0, "codes")
    people, noise = torch.randn(1, 40, 6, generator=rng), torch.randn(20, 40, 6, generator=rng)
    known = torch.ones(20, 40, 1)
    assert float(shared_effect(people.expand(20, -1, -1), known)) > 0.95
    assert float(shared_effect(noise, known)) == pytest.approx(1 / 20, abs=0.02)


@pytest.mark.parametrize("recipe", [train_beautybank, train_look_sampler, train_bare_classifier])
def test_every_recipe_takes_its_tiny_steps(recipe, tmp_path):
    recipe.main(["tiny", "--output", str(tmp_path)])
    (log,) = tmp_path.glob("*/log.jsonl")
    steps = [json.loads(line) for line in log.read_text().splitlines()]
    assert [step["step"] for step in steps] == [1, 2, 3]
    assert all(np.isfinite(list(step.values())).all() for step in steps)
    (saved,) = tmp_path.glob("*/checkpoints/000003/weights/*/config.json")
    assert saved.is_file()


def test_training_goes_on_from_the_weights_it_is_given(tmp_path):
    train_beautybank.main(["tiny", "--output", str(tmp_path)])
    (weights,) = tmp_path.glob("*/checkpoints/000003/weights/beautybank")
    words = [
        "--name",
        "more",
        "--start",
        str(weights),
        "--optim.lr",
        "0",
        "--output",
        str(tmp_path),
    ]
    train_beautybank.main(["tiny", *words])
    more = tmp_path / "more" / "checkpoints" / "000003" / "weights" / "beautybank"
    first, second = (BeautyBank.from_pretrained(place).state_dict() for place in (weights, more))
    assert all(torch.allclose(second[name], value, atol=1e-6) for name, value in first.items())
