"""The faces the parser learns from: who is kept apart, what stays skin, what does not."""

import numpy as np
import pytest
import torch

from models import seeding
from models.analysis.face_parsing import OTHER, SKIN
from training.data.faces import occluders
from training.data.faces.batches import FaceData
from training.data.faces.store import FaceStore, split_pictures
from training.methods.face_parsing import soft_overlap
from training.prepare.face_labels import UNKNOWN, label_where_teachers_agree


@pytest.fixture(scope="module")
def data() -> FaceData:
    return FaceData(FaceStore.synthetic(seeding.generator_for(0, "faces")), size=64)


def test_a_batch_is_a_pure_function_of_its_numbers_and_the_seed(data):
    first, again, other = (
        data.batch(torch.tensor([0, 1]), seeding.generator_for(seed)) for seed in (1, 1, 2)
    )
    for key, tensor in first.items():
        assert torch.equal(tensor, again[key])
    assert not torch.equal(first["crops"], other["crops"])


def test_targets_are_shares_and_weights_are_too(data):
    batch = data.batch(torch.arange(8) % len(data), seeding.generator_for(3))
    assert batch["crops"].shape == (8, 4, 64, 64)
    torch.testing.assert_close(batch["target"].sum(1), torch.ones(8, 64, 64), atol=2e-2, rtol=0)
    assert batch["weight"].min() >= 0
    assert batch["weight"].max() <= 1 + 1e-4


@pytest.mark.parametrize("name", ["face paint", "eye makeup", "lip paint", "skin tone"])
def test_paint_changes_pixels_and_no_target(data, name):
    rng = np.random.default_rng(5)
    changed = 0.0
    for _ in range(6):
        scene = data.cut_scene(int(data.indices[0]))
        pixels, target = scene.pixels.copy(), scene.target.copy()
        occluders.ON_SKIN[name][0](scene, data.materials, rng)
        changed += float(np.abs(scene.pixels - pixels).max())
        np.testing.assert_array_equal(scene.target, target)
    assert changed > 10


@pytest.mark.parametrize("name", list(occluders.OVER_SKIN))
def test_an_occluder_takes_skin_away_and_gives_it_to_what_it_is(data, name):
    rng = np.random.default_rng(6)
    lost = 0.0
    for _ in range(6):
        scene = data.cut_scene(int(data.indices[0]))
        before = scene.target[..., SKIN].sum()
        occluders.OVER_SKIN[name][0](scene, data.materials, rng)
        assert scene.target[..., SKIN].sum() <= before + 1e-3
        lost += float(before - scene.target[..., SKIN].sum())
    assert lost > 1


def test_no_person_and_no_run_of_pictures_is_on_both_sides():
    names = [f"london-faces/{n:03d}.{m}.jpg" for n in range(12) for m in ("neutral", "smiling")]
    names += [f"looks-256/smoky/{n:04d}.jpg" for n in range(245)]
    parts = split_pictures(names)
    people = {part: {names[i][13:16] for i in kept if i < 24} for part, kept in parts.items()}
    assert people["validation"]
    assert not people["train"] & people["validation"]
    looks = {part: {int(names[i][-8:-4]) for i in kept if i >= 24} for part, kept in parts.items()}
    assert looks["validation"]
    assert min(abs(a - b) for a in looks["train"] for b in looks["validation"]) > 4


def test_where_teachers_disagree_there_is_no_label():
    size = 56
    inside = np.full((size, size), 255, np.uint8)
    nothing = np.zeros((size, size), np.float32)
    maps = {"skin": nothing, "hair_a": nothing + 0.9, "hair_b": nothing}
    assert (label_where_teachers_agree(maps, np.zeros_like(inside), inside) == UNKNOWN).all()
    maps = {"skin": nothing, "hair_a": nothing, "hair_b": nothing}
    assert (label_where_teachers_agree(maps, np.zeros_like(inside), inside) == OTHER).all()
    assert (label_where_teachers_agree(maps, inside, inside) == SKIN)[28, 28]


def test_overlap_is_zero_for_the_truth_and_ignores_what_has_no_weight():
    target = torch.zeros(1, 3, 8, 8)
    target[:, 0, :4], target[:, 1, 4:] = 1, 1
    weight = torch.ones(1, 8, 8)
    assert float(soft_overlap(target, target, weight)) == pytest.approx(0, abs=1e-6)
    wrong = target.clone()
    wrong[:, :, 0] = torch.tensor([0.0, 0.0, 1.0])[None, :, None]
    assert float(soft_overlap(wrong, target, weight)) > 0.05
    weight[:, 0] = 0
    assert float(soft_overlap(wrong, target, weight)) == pytest.approx(0, abs=1e-6)
