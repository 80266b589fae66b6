from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from models import regions
from models.instant.face_texture import FaceTexture, unfold
from models.instant.layer import blend, render
from models.instant.makeup import extract, mix, nothing
from models.ops.color import delta_e, rgb_to_lab
from models.ops.landmarks import canonical_face
from models.ops.masks import canonical_regions, polygon

SIZE = 512


def made_up_texture(color=(0.0, 0.0, 0.0), where=None, light=0.0) -> FaceTexture:
    """A plain face in the canonical map with a colour added in a mask, under a slope of light."""
    tone = np.float32([68, 12, 18])
    slope = np.linspace(-light, light, SIZE, dtype=np.float32)[None, :, None] * [1, 0, 0]
    bare = np.float32(np.ones((SIZE, SIZE, 1)) * tone + slope)
    lab = bare.copy()
    if where is not None:
        lab += where[..., None] * np.float32(color)
    return FaceTexture(lab, bare, np.ones((SIZE, SIZE), np.float32), tone)


def lips_lab(picture: np.ndarray, face) -> np.ndarray:
    points = face.points_xyz[:, :2]
    outer = polygon(points[list(regions.LIPS_OUTER)], face.size_hw)
    inner = polygon(points[list(regions.LIPS_INNER)], face.size_hw, 1.0)
    core = (outer > 0.99) & (inner < 0.05)
    return np.median(rgb_to_lab(picture)[core], axis=0)


def test_bare_skin_under_a_slope_of_light_is_read_as_bare(face):
    width = face.size_hw[1]
    slope = np.linspace(0.75, 1.1, width)[None, :, None]
    lit = np.clip(face.image * slope, 0, 255).astype(np.uint8)
    plain, sloped = extract(unfold(face)), extract(unfold(replace(face, image=lit)))
    cheeks = canonical_regions(SIZE)[regions.CHEEKS] > 0.5
    moved = np.abs(sloped.deviation - plain.deviation)[cheeks].mean(0)
    assert moved.max() < 2.5


def test_blush_on_both_cheeks_is_read_in_full():
    cheeks = canonical_regions(SIZE)[regions.CHEEKS]
    makeup = extract(made_up_texture((-2, 14, 2), cheeks))
    core = cheeks > 0.9
    assert np.median(makeup.deviation[core], axis=0) == pytest.approx([-2, 14, 2], abs=1.5)


def test_a_shadow_on_one_side_is_not_makeup():
    half = np.zeros((SIZE, SIZE), np.float32)
    half[:, : SIZE // 2] = 1
    makeup = extract(made_up_texture((-18, 0, 0), half))
    plain = canonical_regions(SIZE)[regions.CHEEKS] > 0.5
    assert np.abs(makeup.deviation[plain]).max() < 2


def test_what_is_hidden_is_taken_from_the_other_side():
    eyes = canonical_regions(SIZE)[regions.EYES]
    texture = made_up_texture((-20, 5, -25), eyes)
    texture.lab[:, : SIZE // 2] = [10, 0, 0]  # hair over the person's right half
    texture.seen[:, : SIZE // 2] = 0
    makeup = extract(texture)
    hidden = (eyes > 0.95) & (np.arange(SIZE) < SIZE // 2)
    assert np.median(makeup.deviation[hidden], axis=0) == pytest.approx([-20, 5, -25], abs=3)


def test_no_makeup_changes_nothing(face):
    layer = render(nothing(), face, unfold(face))
    assert np.array_equal(blend(face.image, layer, {}), face.image)


def test_strength_zero_returns_the_source(face, painted, pipeline):
    layer = render(pipeline.read_look(painted).makeup, face, unfold(face))
    assert np.array_equal(blend(face.image, layer, {}, strength=0), face.image)
    silent = dict.fromkeys(regions.MAKEUP_REGIONS, 0.0)
    assert np.array_equal(blend(face.image, layer, silent), face.image)
    assert not np.array_equal(blend(face.image, layer, {}), face.image)


def test_pixels_outside_the_face_do_not_change_by_one_bit(face, painted, pipeline):
    layers = pipeline.wear([face], pipeline.read_look(painted))
    result = np.asarray(pipeline.blend(layers))
    outline = polygon(face.points_xyz[list(regions.FACE_OVAL), :2], face.size_hw)
    assert np.array_equal(result[outline == 0], face.image[outline == 0])


@pytest.mark.parametrize("region", regions.MAKEUP_REGIONS)
def test_one_region_changes_only_under_its_own_weight(region, face, painted, pipeline):
    layer = pipeline.wear([face], pipeline.read_look(painted)).by_face[0]
    only = {name: float(name == region) for name in regions.MAKEUP_REGIONS}
    changed = (blend(face.image, layer, only) != face.image).any(-1)
    x0, y0, x1, y1 = layer.box_xyxy
    allowed = np.zeros(face.size_hw, bool)
    allowed[y0:y1, x0:x1] = layer.weights[region] > 0
    assert not (changed & ~allowed).any()


def test_weights_share_each_pixel_and_never_exceed_it(face, painted, pipeline):
    layer = pipeline.wear([face], pipeline.read_look(painted)).by_face[0]
    total = np.sum(list(layer.weights.values()), axis=0)
    assert total.max() < 1.0001
    assert min(w.min() for w in layer.weights.values()) >= 0


def test_lips_reach_the_color_of_the_reference(face, pipeline):
    color = np.float32([40, 55, 28])
    lips = canonical_regions(SIZE)[regions.LIPS]
    plain = nothing()
    lipstick = replace(
        plain, paint=np.broadcast_to(color, (SIZE, SIZE, 3)).copy(), opacity=lips.copy()
    )
    result = blend(face.image, render(lipstick, face, unfold(face)), {})
    before = delta_e(lips_lab(face.image, face), color)
    assert before > 15
    assert delta_e(lips_lab(result, face), color) < 3


def test_nothing_is_painted_on_teeth_or_eyes(face, painted, pipeline):
    layer = pipeline.wear([face], pipeline.read_look(painted)).by_face[0]
    result = blend(face.image, layer, {})
    points = face.points_xyz[:, :2]
    for loop in (regions.EYE_LEFT, regions.EYE_RIGHT, regions.LIPS_INNER):
        inside = polygon(points[list(loop)], face.size_hw)
        inside = np.minimum.reduce(
            [np.roll(inside, (dy, dx), (0, 1)) for dy in (-2, 0, 2) for dx in (-2, 0, 2)]
        )
        assert np.abs(result[inside == 1].astype(int) - face.image[inside == 1]).max(initial=0) <= 1


def test_a_drawn_star_keeps_its_place_and_color(face, painted, pipeline):
    result = np.asarray(
        pipeline(Image.fromarray(face.image), pipeline.read_look(painted)).images[0]
    )
    x, y = np.round(face.points_xyz[50, :2]).astype(int)
    asked = rgb_to_lab(np.asarray(painted)[y - 2 : y + 3, x - 2 : x + 3]).mean((0, 1))
    found = rgb_to_lab(result[y - 2 : y + 3, x - 2 : x + 3]).mean((0, 1))
    assert delta_e(found, asked) < 6


def test_mixing_takes_each_region_from_its_own_look():
    lips = canonical_regions(SIZE)[regions.LIPS]
    red = replace(nothing(), paint=np.full((SIZE, SIZE, 3), 40, np.float32), opacity=lips.copy())
    shadow = replace(nothing(), deviation=np.full((SIZE, SIZE, 3), -9, np.float32))
    mixed = mix(red, {regions.EYES: shadow})
    eyes = canonical_regions(SIZE)[regions.EYES] > 0.99
    assert np.abs(mixed.deviation[eyes] + 9).max() < 0.1
    assert np.abs(mixed.deviation[lips > 0.99]).max() < 0.1
    assert np.abs(mixed.opacity - lips).max() < 0.05
    with pytest.raises(KeyError):
        mix(red, {"hair": shadow})


def test_unfolding_sees_the_front_and_not_what_hair_covers(face):
    covered = face.skin.copy()
    covered[: covered.shape[0] // 4] = 0
    texture = unfold(replace(face, skin=covered))
    uv = canonical_face().points_uv
    for point, seen in ((4, True), (10, False)):  # nose tip, top of the forehead
        u, v = (uv[point] * SIZE).astype(int)
        assert (texture.seen[min(v + 8, SIZE - 1), u] > 0.5) == seen
