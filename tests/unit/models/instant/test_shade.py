from dataclasses import replace

import numpy as np
import pytest

from models import regions
from models.errors import ShadeError
from models.instant.coats import Coat, laid_out
from models.instant.face_light import FaceLight, estimate_light
from models.instant.face_texture import unfold
from models.instant.finish import FINISHES, Finish, mirrored
from models.instant.layer import blend
from models.instant.pigment import layer_over
from models.instant.shade import render_coats
from models.ops.color import delta_e, hex_to_lab, rgb_to_lab
from models.ops.landmarks import canonical_face
from models.ops.masks import blur
from pipelines.catalog.extract.attributes import FINISHES as CATALOG_FINISHES
from pipelines.makeup.report import draw_outline


@pytest.fixture(scope="module")
def face(pipeline, astronaut):
    """From closer by than the shared one, so that there is room for glints on the lips."""
    width, height = astronaut.size
    return pipeline.find_faces(astronaut.resize((3 * width, 3 * height)).crop((420, 90, 990, 660)))[
        0
    ]


@pytest.fixture(scope="module")
def wear(face):
    texture = unfold(face)

    def put_on(*coats, strengths=None):
        layer, reached = render_coats(coats, face, texture)
        return blend(face.image, layer, strengths or {}), reached

    return put_on


@pytest.fixture(scope="module")
def lips(face):
    from training.evaluation.wearers import find_region_masks

    return find_region_masks(face)["lips"][0]


def highlight(image, area):
    light = rgb_to_lab(image)[area][:, 0]
    return np.percentile(light, 98) - np.median(light)


def grain(image, area):
    light = np.ascontiguousarray(rgb_to_lab(image)[..., 0])
    return (light - blur(light, 1.0))[area].std()


def test_a_layer_agrees_with_kubelka_and_munks_hyperbolic_form():
    skin, white = np.array([0.55, 0.35, 0.25]), np.array([0.7, 0.6, 0.5])
    a, b = (1 / white + white) / 2, (1 / white - white) / 2
    thickness = 0.8  # S X
    coth = 1 / np.tanh(b * thickness)
    expected = (1 - skin * (a - b * coth)) / (a - skin + b * coth)
    opacity = 1 - np.exp(-2 * b * thickness).mean()
    assert layer_over(skin, white, opacity) == pytest.approx(expected, abs=1e-4)


def test_a_layer_goes_from_skin_to_pigment_as_it_grows():
    skin, red = np.array([0.5, 0.3, 0.22]), np.array([0.43, 0.02, 0.03])
    layers = np.array([layer_over(skin, red, opacity) for opacity in np.linspace(0, 1, 9)])
    assert layers[0] == pytest.approx(skin)
    assert layers[-1] == pytest.approx(red, abs=1e-4)
    assert (np.diff(layers, axis=0) < 0).all()


def test_light_is_found_where_it_was_put(face):
    mesh = canonical_face()
    normals = mesh.interpolate(mesh.normals(face.points_xyz), 512)
    lamp = np.array([0.5, -0.4, 0.77])
    shade = 0.3 + 0.7 * np.clip(normals @ lamp, 0, 1)
    texture = unfold(face)
    lab = texture.lab.copy()
    lab[..., 0] = 116 * np.cbrt(0.4 * shade) - 16
    found = estimate_light(face, replace(texture, lab=lab))
    assert np.degrees(np.arccos(found.direction @ lamp)) < 15
    bright, dark = found.at(np.array([lamp, lamp * [-1, -1, 1]]))
    assert bright / dark == pytest.approx(1.0 / (0.3 + 0.7 * (lamp * [-1, -1, 1]) @ lamp), rel=0.2)


def test_a_surface_mirrors_most_halfway_between_lamp_and_eye_and_more_so_when_smooth():
    lamp = np.array([0.6, 0.0, 0.8])
    light = FaceLight(np.eye(9)[0], lamp, 0.8, 0.3)
    angles = np.radians(np.arange(-60, 61))
    normals = np.stack([np.sin(angles), np.zeros_like(angles), np.cos(angles)], -1)
    wet, powder = (mirrored(np.float32(normals), light, rough) for rough in (0.1, 0.9))
    halfway = np.degrees(np.arctan2(0.6, 1.8))
    assert abs(np.degrees(angles[wet.argmax()]) - halfway) < 3
    assert wet.max() > 8 * powder.max()


def test_finishes_have_the_names_the_catalog_gives():
    assert set(FINISHES) == set(CATALOG_FINISHES)


@pytest.mark.parametrize("color", ["#b01030", "#c98a7c", "#3a1a20", "#f0b0b0", "#7a2048"])
def test_lips_get_the_color_asked_for_in_the_light_of_the_face(wear, lips, color):
    image, (reached,) = wear(Coat(color))
    found = np.median(rgb_to_lab(image)[lips], axis=0)
    assert delta_e(found, reached.expected_lab) < 3
    assert delta_e(found, hex_to_lab(color)) < 8  # the same product still, in this light


@pytest.mark.parametrize("finish", FINISHES)
def test_no_finish_carries_the_color_away(wear, finish):
    for coat in (Coat("#b0304a", "lips", finish), Coat("#7a5a8a", "eyes", finish)):
        _, (reached,) = wear(coat)
        assert reached.delta_e < 2


def test_gloss_shines_satin_less_and_matte_takes_shine_away(wear, lips, face):
    gloss, satin, matte = (
        highlight(wear(Coat("#b0304a", "lips", finish))[0], lips)
        for finish in ("gloss", "satin", "matte")
    )
    assert gloss > satin + 3 > matte + 6
    assert matte < highlight(face.image, lips)


def test_sparkle_grows_from_satin_over_shimmer_to_glitter(wear, lips):
    satin, shimmer, glitter = (
        grain(wear(Coat("#b0304a", "lips", finish))[0], lips)
        for finish in ("satin", "shimmer", "glitter")
    )
    assert glitter > shimmer > satin


def test_metal_spreads_light_and_dark(wear, lips):
    metallic, matte = (
        np.percentile(rgb_to_lab(wear(Coat("#b87333", "lips", finish))[0])[lips][:, 0], [5, 95])
        for finish in ("metallic", "matte")
    )
    assert np.ptp(metallic) > np.ptp(matte) + 5


def test_hue_shift_turns_the_hue_where_light_is_mirrored_and_nowhere_else(wear, lips, monkeypatch):
    turned = rgb_to_lab(wear(Coat("#6a3a9a", "lips", "duochrome"))[0])[lips]
    monkeypatch.setitem(FINISHES, "duochrome", replace(FINISHES["duochrome"], hue_shift=0))
    plain = rgb_to_lab(wear(Coat("#6a3a9a", "lips", "duochrome"))[0])[lips]
    change = delta_e(turned, plain)
    assert np.percentile(change, 95) > 12
    assert np.percentile(change, 25) < 3
    redder = (turned - plain)[change > 12]
    assert np.median(redder[:, 2]) > 5  # 75 degrees on from violet is red, less blue


def test_a_stronger_sparkle_light_is_all_that_its_axis_changes(wear, lips, monkeypatch):
    base = Finish(roughness=0.4, gloss=0.5, sparkle=0.2, sparkle_size=0.4, sparkle_light=0.0)
    monkeypatch.setitem(FINISHES, "glitter", base)
    dull = wear(Coat("#b0304a", "lips", "glitter"))[0].astype(int)
    monkeypatch.setitem(FINISHES, "glitter", replace(base, sparkle_light=1.4))
    bright = wear(Coat("#b0304a", "lips", "glitter"))[0].astype(int)
    assert np.percentile((bright - dull)[lips].max(-1), 99) > 40
    assert abs(np.median((bright - dull)[lips])) <= 2


def test_matte_lips_keep_their_own_lines(wear, lips, face):
    def lines(image):
        light = np.ascontiguousarray(rgb_to_lab(image)[..., 0])
        fine = np.minimum(light - blur(light, 5.0), 0)  # what is darker than around it
        return fine[lips]

    assert np.corrcoef(lines(wear(Coat("#b0304a"))[0]), lines(face.image))[0, 1] > 0.6


def test_opacity_zero_and_strength_zero_give_the_source_back_bit_for_bit(wear, face):
    assert np.array_equal(wear(Coat("#b01030", "lips", "gloss", 0.0))[0], face.image)
    coats = Coat("#b01030", "lips", "gloss"), Coat("#2f6f5e", "eyes", "glitter")
    off = {regions.LIPS: 0.0, regions.EYES: 0.0}
    assert np.array_equal(wear(*coats, strengths=off)[0], face.image)


@pytest.mark.parametrize("place", ["lips", "eyes", "cheeks", "brows", "skin"])
def test_nothing_changes_outside_the_face_nor_far_from_the_place(wear, face, place):
    image, _ = wear(Coat("#4a2050", place, "glitter"))
    changed = (image != face.image).any(-1)
    assert changed.any()
    assert not changed[draw_outline(face) == 0].any()
    rows = np.nonzero(changed.any(1))[0]
    if place == "lips":
        assert rows.min() > face.points_xyz[1, 1]  # below the tip of the nose
    if place in ("eyes", "brows"):
        assert rows.max() < face.points_xyz[1, 1]


def test_a_palette_is_laid_out_over_the_lid(wear):
    colors = "#c9a227", "#6b3a2a", "#3a2030", "#f4e4c0"
    coats = laid_out([Coat(color, "eyes") for color in colors] + [Coat("#b5654f")])
    assert [coat.place for coat in coats] == ["lid", "crease", "outer", "inner", "lips"]
    _, reached = wear(*coats)
    assert all(one.delta_e < 3 for one in reached)
    with pytest.raises(ShadeError):
        laid_out([Coat("#c9a227", "eyes")] * 5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"color": "b01030"},
        {"color": "#b0103"},
        {"color": "#b01030\n"},
        {"color": "#b01030", "place": "nose"},
        {"color": "#b01030", "finish": "wet"},
        {"color": "#b01030", "opacity": 1.2},
        {"color": "#b01030", "opacity": float("nan")},
    ],
)
def test_a_shade_that_cannot_be_worn_is_refused(wrong):
    with pytest.raises(ShadeError):
        Coat(**wrong)
