import math

import cv2
import numpy as np
import pytest
import torch

from models import seeding
from models.attributes.color_names import NOUNS, color_name
from models.attributes.crops import crop_shade, letterbox
from models.attributes.finding import likeliest
from models.attributes.networks import FinishClassifier, ShadeFinder
from models.attributes.pan_grid import complete, fit_pan_grid
from models.attributes.shade_color import shade_color
from models.attributes.shades import (
    Region,
    merge_duplicates,
    reading_order,
    rows_of,
    separate_pans,
    separate_pieces,
    without_mirror,
)
from models.attributes.skin import MONK, monk_tone, skin_tone
from models.attributes.surface_features import surface_features
from models.attributes.vocabulary import KINDS
from models.ops.color import delta_e, rgb_to_lab
from training.data.products.scene_data import render_scenes


def lab_of(code: str) -> np.ndarray:
    return rgb_to_lab(np.array([[[int(code[i : i + 2], 16) for i in (1, 3, 5)]]], np.uint8))[0, 0]


@pytest.mark.parametrize("noun", ["red", "peach", "plum", "navy", "olive", "white", "black"])
def test_a_color_of_the_table_gets_its_own_noun(noun):
    assert color_name(lab_of(NOUNS[noun])) == noun


def test_adjectives_say_how_a_color_differs_from_its_noun():
    assert color_name(lab_of(NOUNS["mauve"]) - (10, 0, 0)) == "deep mauve"
    peach = lab_of(NOUNS["peach"])
    assert color_name(peach + np.array([8, -2, -2])) == "soft peach"


def test_every_color_of_srgb_has_a_name_of_at_most_three_words():
    steps = np.arange(0, 256, 51, dtype=np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    for lab in rgb_to_lab(cube)[0]:
        assert 1 <= len(color_name(lab).split()) <= 3


def test_monk_tones_are_their_own_nearest_and_darken():
    for number, code in enumerate(MONK, start=1):
        assert monk_tone(lab_of(code)) == number


def test_skin_tones_are_told_by_published_bands():
    assert skin_tone(np.array([72.0, 6.0, 14.0])).band == "very light"
    assert skin_tone(np.array([45.0, 12.0, 20.0])).band == "brown"
    assert skin_tone(np.array([65.0, 14.0, 15.0])).undertone == "cool"
    assert skin_tone(np.array([65.0, 7.0, 20.0])).undertone == "warm"


def test_a_tilted_grid_reads_row_by_row():
    turn = np.radians(14)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    grid = np.array([(x, y) for y in range(3) for x in range(6)], float) * 50 @ rotation.T + 200
    boxes = np.hstack([grid - 18, grid + 18])
    shuffled = np.random.default_rng(3).permutation(18)
    assert [int(shuffled[i]) for i in reading_order(boxes[shuffled])] == list(range(18))


def test_rows_in_the_mirror_of_the_lid_are_left_out():
    boxes = np.array([(x, y, x + 10, y + 10) for y in (0, 20, 60, 80) for x in (0, 20, 40, 60)])
    colors = np.random.default_rng(1).uniform((20, -30, -30), (80, 50, 50), (8, 3))
    labs = np.vstack([colors[4:], colors[:4], colors]) - np.repeat([2, 0], 8)[:, None] * (1, 0, 0)
    assert without_mirror(rows_of(boxes), labs) == list(range(8, 16))


def test_nothing_has_an_order_too():
    assert reading_order(np.zeros((0, 4))) == []


def test_shades_no_eye_tells_apart_become_one_and_the_largest_leads():
    labs = np.array([[50, 40, 20], [70, 10, 60], [50.5, 40.4, 20], [30, 0, 0]], float)
    groups = merge_duplicates(labs, np.array([10, 30, 90, 5]))
    assert groups == [[2, 0], [1], [3]]


def test_the_color_stays_when_light_and_glitter_fall_on_the_shade():
    rng = np.random.default_rng(0)
    true = np.array([45.0, 42.0, 18.0])
    body = true + rng.normal(0, 1.2, (700, 3))
    highlight = np.array([92.0, 6, 3]) + rng.normal(0, 3, (180, 3))
    shadow = np.array([22.0, 24, 9]) + rng.normal(0, 3, (120, 3))
    pixels = np.vstack([body, highlight, shadow])
    read = shade_color(pixels, np.ones(len(pixels)))
    assert delta_e(read.lab, true) < 1
    assert delta_e(pixels.mean(0), true) > 5
    assert read.spread < 5


def test_pixels_without_weight_are_not_seen():
    pixels = np.array([[50.0, 20, 20]] * 10 + [[80.0, -20, 40]] * 30)
    weights = np.array([1.0] * 10 + [0.0] * 30)
    np.testing.assert_allclose(shade_color(pixels, weights).lab, [50, 20, 20])


def test_touching_pans_with_cores_of_their_own_are_two_shades():
    shade, core = np.zeros((40, 80), np.float32), np.zeros((40, 80), np.float32)
    shade[5:35, 5:75] = 1  # no gap is seen between them
    core[12:28, 12:34] = core[12:28, 46:68] = 1
    regions = separate_pans(shade, core, (80, 160))
    assert [region.bbox_xyxy for region in regions] == [(10, 10, 80, 70), (80, 10, 150, 70)]


def test_a_missed_pan_is_found_where_its_row_and_column_cross_and_a_stray_one_is_dropped():
    turn = np.radians(8)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    grid = np.array([(x, y) for y in range(3) for x in range(5)], float) * 40 @ rotation.T + 60
    square = np.ones((30, 30), bool)

    def at(x: float, y: float) -> Region:
        return Region((round(x) - 15, round(y) - 15, round(x) + 15, round(y) + 15), square, 0.9)

    pans = [at(*center) for center in grid]
    shade = np.full((200, 300), 0.4, np.float32)
    stray = at(*(grid[7] + 21))
    found = complete([*pans[:6], *pans[7:], stray], shade, (200, 300))
    assert len(found) == 15
    assert np.abs(np.array(found[-1].center_xy) - grid[6]).max() <= 1.5
    assert stray not in found
    assert fit_pan_grid(np.random.default_rng(0).uniform(0, 300, (4, 2))) is None


def test_a_glint_far_smaller_than_the_pans_is_no_pan():
    shade = np.zeros((40, 80), np.float32)
    for x in (4, 24, 44):
        shade[10:26, x : x + 16] = 1
    shade[30:33, 70:73] = 1
    core = np.zeros_like(shade)
    for x in (8, 28, 48):
        core[14:22, x : x + 8] = 1
    core[31, 71] = 1
    assert len(separate_pans(shade, core, (40, 80))) == 3


def test_a_tube_of_another_color_is_no_piece_of_its_bullet():
    shade, tone = np.zeros((60, 30), np.float32), np.zeros((60, 30), np.float32)
    shade[5:55, 10:20] = 0.9
    tone[5:20, 10:20] = 0.95
    (piece,) = separate_pieces(shade, tone, (60, 30), wand=False)
    assert piece.bbox_xyxy == (10, 5, 20, 20)


def test_the_tip_of_a_wand_comes_before_its_bottle():
    shade = np.zeros((60, 60), np.float32)
    shade[20:55, 10:25] = shade[4:10, 40:44] = 0.9
    tip, bottle = separate_pieces(shade, shade, (60, 60), wand=True)
    assert tip.bbox_xyxy == (40, 4, 44, 10)
    assert separate_pieces(shade, shade, (60, 60), wand=False)[0].bbox_xyxy == bottle.bbox_xyxy


def test_a_crop_shows_the_shade_in_its_middle_also_at_the_border():
    pixels = np.zeros((50, 90, 3), np.uint8)
    pixels[:30, :20] = 200
    crop = crop_shade(pixels, np.ones((30, 20), bool), (0, 0, 20, 30))
    assert crop[64, 64].tolist() == [200, 200, 200, 255]
    assert crop[5, 64, 3] == 0
    assert crop[64, 5].tolist() == [128, 128, 128, 0]


def a_shade(seed: int = 0) -> np.ndarray:
    """A rendered pan, (240, 240, 3) uint8 with its mask."""
    (scene,) = render_scenes(1, 240, seed=seed, kinds=("pan",))
    return np.dstack([scene.pixels, 255 * (scene.ids == 1)]).astype(np.uint8)


def features_of(picture: np.ndarray) -> np.ndarray:
    region = Region.of(picture[..., 3] > 127, 1.0)
    return surface_features(crop_shade(picture[..., :3].copy(), region.mask, region.bbox_xyxy))


def test_features_are_the_same_however_many_pixels_show_a_shade():
    picture = a_shade()
    large = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    assert np.abs(features_of(picture) - features_of(large)).mean() < 0.1


def test_features_of_another_shade_are_others():
    assert np.abs(features_of(a_shade(0)) - features_of(a_shade(3))).mean() > 0.2


def test_features_hardly_change_with_the_lights_color():
    picture = a_shade()
    warm = picture.copy()
    warm[..., :3] = np.clip(picture[..., :3] * np.array([1.03, 1.0, 0.96]), 0, 255)
    assert np.abs(features_of(picture) - features_of(warm)).mean() < 0.1


@pytest.mark.parametrize("side", [0, 1, 3, 20])
def test_features_of_any_mask_are_finite(side):
    square = np.full((128, 128, 4), 128, np.uint8)
    square[..., 3] = 0
    square[60 : 60 + side, 60 : 60 + side, 3] = 255
    assert np.isfinite(surface_features(square)).all()


def test_letterboxing_keeps_the_shape_of_things():
    square, scale = letterbox(np.full((100, 50, 3), 9, np.uint8), 64)
    assert square.shape == (64, 64, 3)
    assert scale == pytest.approx(0.64)


@pytest.mark.parametrize(
    ("toy", "shape"),
    [
        (ShadeFinder(widths=(8, 8, 8), depths=(1, 1, 1)), (1, 3, 64, 64)),
        (FinishClassifier(signs=7, width=8), (2, 7)),
    ],
    ids=["finder", "reader"],
)
def test_saved_and_read_back_it_says_the_same(tmp_path, toy, shape):
    seeding.initialise(toy, seeding.generator_for(0, "toy"))
    toy.eval().save_pretrained(tmp_path)
    again = type(toy).from_pretrained(tmp_path).eval()
    images = torch.linspace(-1, 1, math.prod(shape)).view(shape)
    with torch.inference_mode():
        for one, two in zip(toy(images), again(images), strict=True):
            torch.testing.assert_close(one, two, atol=1e-5, rtol=1e-5)


def test_a_classifier_saved_under_its_old_name_is_read(tmp_path):
    toy = FinishClassifier(signs=7, width=8)
    seeding.initialise(toy, seeding.generator_for(0, "toy"))
    toy.eval().save_pretrained(tmp_path)
    config = tmp_path / "config.json"
    old = config.read_text("utf-8").replace("FinishClassifier", "FinishReader")
    config.write_text(old, encoding="utf-8")
    again = FinishClassifier.from_pretrained(tmp_path).eval()
    features = torch.linspace(-1, 1, 14).view(2, 7)
    with torch.inference_mode():
        assert torch.equal(toy(features)[1], again(features)[1])


@pytest.mark.parametrize(
    ("chances", "kind"),
    [
        ({"packaging": 0.4, "bottle": 0.35, "bullet": 0.25}, "bottle"),
        ({"packaging": 0.3, "on_model": 0.25, "bottle": 0.45}, "packaging"),
        ({"smear": 1.0}, "smear"),
    ],
)
def test_no_product_is_given_up_for_packaging_by_a_hair(chances, kind):
    assert likeliest(np.array([chances.get(each, 0.0) for each in KINDS])) == kind


def test_a_region_is_cut_to_its_box():
    mask = np.zeros((20, 30), bool)
    mask[4:9, 10:13] = True
    region = Region.of(mask, 0.5)
    assert region.bbox_xyxy == (10, 4, 13, 9)
    assert region.area == 15
