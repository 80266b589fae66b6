from dataclasses import replace

import numpy as np
import pytest
import torch

from models.attributes.networks import FinishClassifier, ShadeFinder
from models.ops.color import delta_e, rgb_to_lab
from training import train_attributes
from training.data.products.finish_data import SHOPS, FinishData, show_elsewhere
from training.data.products.light import Rig, Softbox, normalize
from training.data.products.material import Material, shade_surface, to_srgb
from training.data.products.scene_data import SceneData, SceneStore, find_cores, render_scenes
from training.data.products.scenes import SCENES, render_scene
from training.methods.attributes import ClassifyFinish
from training.prepare import average_weights
from training.prepare.shade_confidence import fit_logistic

LAB = np.array([52.0, 38.0, 20.0], np.float32)
RIG = Rig(
    key=Softbox(np.array([0.3, 0.1, 1.0]), np.array([0.2, 0.3])),
    fill=Softbox(np.array([1.4, 0.9, 1.2]), np.array([0.2, 0.2])),
    fill_share=0.3,
    ambient=0.5,
    camera_z=3.0,
    exposure=1.0,
)


def lit(**numbers) -> np.ndarray:
    """A gentle dome of a material under one rig, (64, 64, 3) linear."""
    ys, xs = np.mgrid[-1:1:64j, -1:1:64j]
    dome = 26 * (1 - 0.5 * (xs**2 + ys**2))
    material = Material(
        "any", numbers.pop("lab", LAB), **({"roughness": 1.0, "coat": 0.0} | numbers)
    )
    under = np.full((64, 64, 3), 0.9, np.float32)
    return shade_surface(dome, material, RIG, under, np.random.default_rng(0), pixel=1 / 64)


def test_without_highlights_the_middle_of_a_matte_dome_has_the_materials_color():
    middle = rgb_to_lab(to_srgb(lit())[28:36, 28:36]).mean((0, 1))
    assert delta_e(middle, LAB) < 3


def test_the_smoother_the_coat_the_brighter_its_highlight():
    peaks = [float(lit(roughness=r, coat=1.0).max()) for r in (0.9, 0.5, 0.3, 0.1)]
    assert peaks == sorted(peaks)
    gloss = [Material("any", LAB, r).gloss for r in (0.9, 0.5, 0.3, 0.1)]
    assert gloss == sorted(gloss)


@pytest.mark.parametrize("blur", [0.01, 0.1, 0.5])
def test_a_mirror_turned_in_all_directions_sees_the_softbox_as_often_as_it_is_large(blur):
    lamp = Softbox(np.array([0.5, 0.5, 1.0]), np.array([0.2, 0.3]), turn=0.4)
    ys, xs = np.mgrid[-3:3:600j, -3:3:600j]  # tangents of the direction mirrored to
    mirrored = normalize(np.stack([xs, ys, np.ones_like(xs)], -1))
    seen = lamp.measure_share(mirrored, np.broadcast_to([0.0, 0, 1], mirrored.shape), blur)
    assert seen.mean() * 36 == pytest.approx(lamp.solid_angle, rel=0.02)


def test_gloss_shows_the_edges_of_a_softbox_and_satin_does_not():
    steepest = [
        np.abs(np.diff(lit(roughness=r, coat=1.0).sum(-1), axis=1)).max() for r in (0.06, 0.2, 0.5)
    ]
    assert steepest[0] > 1.4 * steepest[1] > 4 * steepest[2]


def test_a_metals_highlight_keeps_the_color_of_the_metal():
    shine = lit(metal=0.9, roughness=0.4) - lit(metal=0.9, roughness=1.0)
    peak = shine.reshape(-1, 3)[shine.sum(-1).argmax()]
    assert peak[0] > 2 * peak[2]


def test_more_flakes_make_more_sparkle():
    plain = lit()
    spread = [
        float((lit(flake_density=d, flake_size=0.05) - plain).std()) for d in (0.05, 0.15, 0.3)
    ]
    assert spread == sorted(spread)


def test_the_sheerer_the_layer_the_more_of_the_paper_is_seen():
    toward = [float(lit(opacity=o).mean()) for o in (1.0, 0.7, 0.4, 0.1)]
    assert toward == sorted(toward)


def test_a_color_shifting_pigment_turns_its_hue():
    plain, turned = lit(metal=0.8, roughness=0.4), lit(metal=0.8, roughness=0.4, hue_shift=120.0)
    place = np.unravel_index(plain.sum(-1).argmax(), (64, 64))
    hues = [np.degrees(np.arctan2(*rgb_to_lab(to_srgb(x))[place][[2, 1]])) for x in (plain, turned)]
    assert abs((hues[1] - hues[0] + 180) % 360 - 180) > 25


@pytest.mark.parametrize("kind", SCENES)
def test_scenes_are_their_seeds_and_know_their_shades(kind):
    one, two = (render_scene(kind, 96, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(one.pixels, two.pixels)
    seen = set(np.unique(one.ids)) - {0}
    assert seen <= set(range(1, len(one.materials) + 1))
    assert bool(seen) == (kind != "packaging")


def test_the_median_of_a_rendered_shade_is_near_its_true_color():
    errors = []
    for scene in render_scenes(12, 96, seed=3, kinds=("pan", "smear", "bullet")):
        lab = rgb_to_lab(scene.pixels)
        for number, material in enumerate(scene.materials, start=1):
            if material.finish in ("matte", "satin", "cream"):
                errors.append(delta_e(np.median(lab[scene.ids == number], axis=0), material.lab))
    assert len(errors) >= 3
    assert np.median(errors) < 6


def test_cores_of_pans_that_touch_do_not():
    ids = np.zeros((40, 80), np.uint8)
    ids[5:35, 5:40], ids[5:35, 40:75] = 1, 2
    core = find_cores(ids)
    assert core[20, 22] == core[20, 57] == 1
    assert core[:, 36:44].max() == 0


def test_a_batch_is_a_function_of_its_numbers_and_the_generator():
    data = SceneData(SceneStore.from_scenes(render_scenes(4, 64, seed=0)), 64)
    one, two = (data.batch(torch.arange(2), torch.Generator().manual_seed(1)) for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert one["shade"].shape == (2, 32, 32)


def test_recolored_truth_goes_with_its_picture():
    flat = np.full((64, 64, 3), (180, 60, 80), np.uint8)
    store = SceneStore(
        flat[None],
        np.ones((1, 64, 64), np.uint8),
        rgb_to_lab(flat)[None, 0, :1].astype(np.float32),
        np.zeros(1, np.int64),
        np.zeros(1, np.uint8),
    )
    batch = SceneData(store, 64).batch(torch.zeros(3).long(), torch.Generator().manual_seed(4))
    inside = batch["lab"][:, :, 12:20, 12:20].mean((2, 3))
    torch.testing.assert_close(inside, batch["color"], atol=1.0, rtol=0)
    assert (batch["color"][0] - batch["color"][1]).abs().max() > 1


def test_a_shade_shown_elsewhere_has_about_the_same_place():
    crop = np.zeros((128, 128, 4), np.uint8)
    crop[40:90, 30:100] = (180, 60, 80, 255)
    other = show_elsewhere(crop, np.random.default_rng(0))
    assert other.shape == crop.shape
    assert not np.array_equal(other[..., :3], crop[..., :3])
    one, two = crop[..., 3] > 127, other[..., 3] > 127
    assert (one & two).sum() > 0.5 * (one | two).sum()


def test_no_finish_is_learned_where_nobody_knows_it():
    features = np.random.default_rng(0).normal(size=(4, SHOPS, 7)).astype(np.float32)
    data = FinishData(features, np.array([-1, -1, 3, 4]), np.full((4, 5), np.nan, np.float32))
    method = ClassifyFinish(FinishClassifier(signs=7, width=8), torch.from_numpy(features[:, 0]))
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        batch = data.batch(torch.arange(4), generator)
        losses = method.step(batch, generator, "reader")
    assert not torch.equal(batch["features"], batch["again"])
    assert float(losses["axes"]) == 0
    assert float(losses["finish"]) == pytest.approx(np.log(10), abs=1e-4)


def test_bottles_hide_their_finish_from_the_reader():
    scenes = render_scenes(2, 96, seed=1, kinds=("bottle",))
    with pytest.raises(ValueError, match="at least one"):
        FinishData.from_scenes(scenes)


@pytest.mark.parametrize("preset", ["tiny", "tiny_reader"])
def test_both_networks_take_their_tiny_steps(tmp_path, preset):
    config = replace(train_attributes.PRESETS[preset][1], output=tmp_path)
    train_attributes.build(config).run()
    assert len((config.folder / "log.jsonl").read_text().splitlines()) == 5


def test_the_regression_finds_what_made_the_labels():
    values = np.random.default_rng(0).normal(size=(4000, 2))
    chance = 1 / (1 + np.exp(-(1.5 * values[:, 0] - 0.7)))
    right = np.random.default_rng(1).random(4000) < chance
    np.testing.assert_allclose(fit_logistic(values, right), [1.5, 0, -0.7], atol=0.2)


def test_weights_before_and_after_a_training_are_averaged_by_share(tmp_path):
    before, after = (ShadeFinder(widths=(8, 8), depths=(1, 1), channels=8) for _ in range(2))
    before.save_pretrained(tmp_path / "before")
    after.save_pretrained(tmp_path / "after")
    folders = [str(tmp_path / name) for name in ("before", "after", "out")]
    average_weights.main([*folders[:2], "-o", folders[2], "--share", "0.25"])
    found = ShadeFinder.from_pretrained(folders[2]).to_kind.weight
    expected = 0.75 * before.to_kind.weight + 0.25 * after.to_kind.weight
    assert torch.allclose(found, expected)


def test_weights_of_different_networks_are_not_averaged():
    with pytest.raises(ValueError, match="different networks"):
        average_weights.average({"a": torch.zeros(2)}, {"a": torch.zeros(3)}, 0.5)
