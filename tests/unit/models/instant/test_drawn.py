import numpy as np
import pytest

from models import regions
from models.instant.drawn import draw
from models.instant.drawn_shapes import area, curve, liner_mask, spot, zone_mask
from models.instant.look_recipe import (
    Freckles,
    Glitter,
    Liner,
    Lips,
    LookRecipe,
    Shadow,
    Star,
    Tint,
)
from models.ops.color import hex_to_lab as lab
from models.ops.landmarks import canonical_face
from models.ops.masks import canonical_regions
from models.regions import LASHES

SIZE = 256
ZONES = ("lid", "lashes", "crease", "outer", "inner", "lower", "browbone")
PLACES = ("apples", "cheekbones", "sunkissed", "contour", "highlight", "freckles")


def centre(mask: np.ndarray) -> np.ndarray:
    """Centre of the mask's right side on the median face."""
    size = len(mask)
    seen = canonical_face().interpolate(canonical_face().points_xyz, size)[..., :2]
    half = mask.copy()
    half[:, size // 2 :] = 0
    return np.asarray((half[..., None] * seen).sum((0, 1)) / half.sum())


@pytest.mark.parametrize("zone", ZONES + PLACES)
def test_every_zone_is_somewhere_and_the_same_on_both_sides(zone):
    mask = zone_mask(zone, SIZE)
    assert mask.max() > 0.5
    assert 0.001 < (mask > 0.4).mean() < 0.2
    assert np.array_equal(mask, mask[:, ::-1])


@pytest.mark.parametrize("zone", ZONES)
def test_eye_makeup_lies_where_the_eyes_have_weight(zone):
    mask = zone_mask(zone, SIZE)
    face = canonical_regions(SIZE)
    covered = face[regions.EYES] + face[regions.BROWS] + (face[regions.SKIN] < 0.01)
    assert (mask * np.clip(covered, 0, 1)).sum() > 0.9 * mask.sum()


def test_zones_lie_where_an_artist_puts_them():
    at = {zone: centre(zone_mask(zone, SIZE)) for zone in ZONES + PLACES}
    outer, inner = canonical_face().points_xyz[[33, 133], :2]
    assert at["outer"][0] < outer[0] + 0.05 < at["lid"][0] < at["inner"][0] < inner[0] + 0.05
    heights = [at[zone][1] for zone in ("browbone", "crease", "lid", "lashes", "lower")]
    assert heights == sorted(heights)
    assert at["highlight"][1] < at["cheekbones"][1] < at["contour"][1]


@pytest.mark.parametrize("place", ["apples", "cheekbones", "contour"])
def test_cheek_color_lifts_towards_the_ear(place):
    mask = zone_mask(place, SIZE).copy()
    mask[:, SIZE // 2 :] = 0
    seen = canonical_face().interpolate(canonical_face().points_xyz, SIZE)[..., :2]
    offset = seen - centre(mask)
    assert (mask * offset[..., 0] * offset[..., 1]).sum() > 0  # further in (x grows) is lower


def test_an_area_keeps_its_size_on_the_face():
    side = 0.2
    square = area([[-0.1, 0.3], [0.1, 0.3], [0.1, 0.5], [-0.1, 0.5]], 0.0, SIZE)
    seen = canonical_face().interpolate(canonical_face().points_xyz, SIZE)[..., :2]
    dx, dy = np.gradient(seen[..., 0], axis=1), np.gradient(seen[..., 1], axis=0)
    cross = np.gradient(seen[..., 0], axis=0) * np.gradient(seen[..., 1], axis=1)
    assert (square * np.abs(dx * dy - cross)).sum() == pytest.approx(side * side, rel=0.05)


def test_a_spot_falls_to_the_gaussian_at_one_sigma():
    mesh = canonical_face().points_xyz[205, :2]
    sigma = 0.1
    mask = spot(mesh - [sigma, 0], (sigma, 0.3), 0.0, 512)
    u, v = canonical_face().points_uv[205] * 512
    assert mask[int(v), int(u)] == pytest.approx(np.exp(-0.5), abs=0.03)


def test_a_curve_runs_from_its_first_point_to_its_last():
    line = curve(LASHES, 50)
    ends = canonical_face().points_xyz[[LASHES[0], LASHES[-1]], :2]
    assert np.allclose(line[[0, -1]], ends, atol=1e-6)
    assert np.linalg.norm(np.diff(line, axis=0), axis=1).std() < 0.005


def test_a_longer_wing_reaches_further_and_a_thicker_line_covers_more():
    reach = [np.nonzero(liner_mask(0.03, wing, 0, SIZE) > 0.5)[1].min() for wing in (0, 0.06, 0.12)]
    assert reach[0] > reach[1] > reach[2]
    cover = [liner_mask(thick, 0.05, 0, SIZE).sum() for thick in (0.02, 0.03, 0.05)]
    assert cover == sorted(cover)
    assert liner_mask(0.03, 0.05, 0.5, SIZE).sum() > liner_mask(0.03, 0.05, 0, SIZE).sum()


def test_liner_leaves_no_skin_between_itself_and_the_lashes():
    mask = liner_mask(0.03, 0.06, 0, 512)
    uv = canonical_face().points_uv[list(LASHES[1:6])] * 512
    assert min(mask[int(v) - 1, int(u)] for u, v in uv) > 0.8


def test_liner_is_black_on_everyone():
    makeup = draw(LookRecipe(liner=Liner(thickness=2.5)), SIZE)
    covered = makeup.opacity > 0.9
    assert covered.sum() > 30
    assert makeup.paint[covered][:, 0].max() < 6


def test_a_tint_shifts_skin_and_hides_nothing():
    makeup = draw(LookRecipe(tints=[Tint((-2, 10, 3), "apples")]), SIZE)
    assert makeup.opacity.max() == 0
    peak = makeup.deviation.reshape(-1, 3)[np.abs(makeup.deviation[..., 1]).argmax()]
    assert peak == pytest.approx([-2, 10, 3], rel=0.02)


def test_sheer_shadow_and_lips_hide_nothing_and_opaque_ones_shift_nothing():
    sheer = draw(LookRecipe(Lips("#9c6259", sheer=1), [Shadow("#bb837f", "lid", sheer=True)]), SIZE)
    opaque = draw(LookRecipe(Lips("#9c6259"), [Shadow("#bb837f", "lid")]), SIZE)
    assert sheer.opacity.max() == 0
    assert np.abs(sheer.deviation).max() > 3
    assert np.abs(opaque.deviation).max() == 0
    assert opaque.opacity.max() > 0.9


def test_lipstick_is_the_color_on_the_label_and_darker_at_a_dark_liner():
    plain = draw(LookRecipe(Lips("#a3122a")), SIZE)
    lined = draw(LookRecipe(Lips("#a3122a", liner="#4a0814")), SIZE)
    lips = canonical_regions(SIZE)[regions.LIPS]
    core, edge = lips > 0.99, (lips > 0.05) & (lips < 0.5)
    assert np.abs(plain.paint[core] - lab("#a3122a")).max() < 0.1
    assert np.median(lined.paint[edge][:, 0]) < np.median(plain.paint[edge][:, 0]) - 5


@pytest.mark.parametrize("part", ["glitter", "freckles"])
def test_the_same_seed_gives_the_same_specks_and_another_seed_others(part):
    def made(seed: int) -> np.ndarray:
        recipe = (
            LookRecipe(glitter=[Glitter(("#ffffff", "#ffcc44"), "cheekbones", seed=seed)])
            if part == "glitter"
            else LookRecipe(freckles=Freckles(seed=seed))
        )
        makeup = draw(recipe, SIZE)
        return np.dstack([makeup.opacity, makeup.paint, makeup.deviation])

    assert np.array_equal(made(7), made(7))
    assert not np.array_equal(made(7), made(8))


def test_freckles_darken_and_warm():
    spots = draw(LookRecipe(freckles=Freckles(60)), SIZE).deviation
    assert spots[..., 0].min() < -3
    assert spots[..., 0].max() <= 0
    assert spots[..., 2].max() > 1


def test_a_star_has_the_area_of_a_star():
    radius, at = 9.0, (0.0, 0.3)
    makeup = draw(LookRecipe(stars=[Star("#eebb3c", at, radius, mirrored=False)]), 512)
    seen = canonical_face().interpolate(canonical_face().points_xyz, 512)[..., :2]
    cross = np.gradient(seen[..., 0], axis=0) * np.gradient(seen[..., 1], axis=1)
    texel = np.abs(np.gradient(seen[..., 0], axis=1) * np.gradient(seen[..., 1], axis=0) - cross)
    wanted = 5 * 0.42 * np.sin(np.pi / 5) * (radius / 63) ** 2
    assert (makeup.opacity * texel).sum() / 0.95 == pytest.approx(wanted, rel=0.06)


@pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "123456", "#12345g"])
def test_colors_that_are_none_are_refused(color):
    with pytest.raises(ValueError, match=r"colour|non-hexadecimal"):
        lab(color)


def test_an_unknown_zone_is_a_key_error():
    with pytest.raises(KeyError):
        zone_mask("elbow", 64)  # pyright: ignore[reportArgumentType]
