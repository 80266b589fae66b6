"""Codes of makeup: what a patch shows, what a code can do, what its networks promise."""

import numpy as np
import pytest
import torch

from models import regions, seeding
from models.beautybank.code import (
    DETAIL_STEP,
    MakeupCode,
    between,
    mix,
    shifted,
    strengthened,
)
from models.beautybank.drawing import bare_colors, draw_code, made_up, read_bare, read_code, see
from models.beautybank.networks import SLOTS, BeautyBank, Layer
from models.beautybank.patches import MAP_SIZE, REGIONS, cut, paintable, paste, shares
from models.beautybank.psp import PspEncoder
from models.beautybank.published import PublishedBeautyBank, build_sampler, published_weights
from models.beautybank.published_tuning import (
    Judges,
    demakeup,
    refine_makeup,
    refine_unrelated,
)
from models.beautybank.reading import SPREAD
from models.beautybank.sampler import LookSampler
from models.beautybank.tuning import tuned
from models.errors import CheckpointError
from models.instant.face_texture import unfold
from models.ops.masks import blur, face_fade


def code(seed: int, detail: int = 0) -> MakeupCode:
    rng = np.random.default_rng(seed)
    made = MakeupCode(
        rng.normal(0, 1, (4, 8)).astype(np.float32),
        rng.normal(0, 0.5, (SLOTS, 3)).astype(np.float32),
        np.float32([-20, 2, 4]) + seed,
    )
    if not detail:
        return made
    pattern = np.zeros((256, 256, 3), np.float32)
    pattern.reshape(-1, 3)[rng.choice(65536, detail, replace=False)] = rng.normal(0, 9, (detail, 3))
    return made.with_detail(pattern)


@pytest.fixture(scope="module")
def toy():
    """A network whose every weight is random, so that every number of a code shows."""
    network = BeautyBank(structure=8, bare=8, base=8, width=16)
    generator = seeding.generator_for(1, "toy")
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0, 0.25, generator=generator)
    return network.eval()


@pytest.mark.parametrize("region", REGIONS)
def test_a_smooth_map_survives_its_patch_and_stays_on_its_side(region):
    rng = np.random.default_rng(0)
    maps = blur(rng.normal(0, 50, (MAP_SIZE, MAP_SIZE, 3)).astype(np.float32), 10)
    back = paste(cut(maps, region), region, MAP_SIZE)
    inside = shares(MAP_SIZE)[region] * face_fade(MAP_SIZE) > 0.9
    assert np.abs(back - maps)[inside].max() < 0.1 * np.abs(maps[inside]).max()


def test_every_texel_belongs_to_the_regions_in_whole():
    assert sum(shares(128).values()) == pytest.approx(np.ones((128, 128)), abs=1e-5)
    assert paintable(128)[regions.EYES][40:56].min() < 0.05  # no shadow on the eyeball


def test_full_opacity_replaces_the_skin_and_a_tint_moves_it():
    shape = (1, 2, 1, 4, 4)
    one, none = torch.ones(shape), torch.zeros(shape)
    bare, paint = torch.full((1, 6, 4, 4), 0.7), torch.full((1, 6, 4, 4), -0.2)
    tint = torch.full((1, 6, 4, 4), 0.5)
    hidden = Layer(one, none, one.sum(2), paint, tint)
    assert torch.allclose(bare + hidden.change_on(bare), paint)
    sheer = Layer(none, one, none.sum(2), torch.zeros_like(paint), tint)
    lightness = sheer.change_on(bare)[0, 0, 0, 0] * SPREAD[0]
    assert float(lightness) == pytest.approx(6.0)  # half of 12 units of L*


def test_mixing_takes_a_region_from_the_other_code_and_nothing_else():
    first, second = code(1, 3000), code(2, 3000)
    mixed = mix(first, {"lips": second, "brows": second})
    row, colors = REGIONS.index("lips"), first.colors_of("lips")
    assert np.array_equal(mixed.structure[row], second.structure[row])
    assert np.array_equal(mixed.colors[colors], second.colors[colors])
    assert np.array_equal(mixed.brows, second.brows)
    rest = [k for k in range(4) if k != row]
    assert np.array_equal(mixed.structure[rest], first.structure[rest])
    owner = np.argmax([shares(256)[region] for region in REGIONS], 0)
    assert np.array_equal(mixed.detail()[owner == row], second.detail()[owner == row])
    assert np.array_equal(mixed.detail()[owner != row], first.detail()[owner != row])
    with pytest.raises(KeyError):
        mix(first, {"ears": second})


def test_a_walk_between_two_codes_begins_and_ends_at_them():
    first, second = code(1, 500), code(2, 500)
    for t, end in ((0.0, first), (1.0, second)):
        walked = between(first, second, t)
        assert np.allclose(walked.vector, end.vector, atol=1e-6)
        assert np.array_equal(walked.detail(), end.detail())
    middle = between(first, second, 0.5).vector
    assert np.allclose(middle, (first.vector + second.vector) / 2)


def test_taking_a_region_off_leaves_the_code_of_nothing_there():
    off = strengthened(code(3, 2000), {"cheeks": 0.0})
    assert not off.structure[REGIONS.index("cheeks")].any()
    owner = np.argmax([shares(256)[region] for region in REGIONS], 0)
    assert not off.detail()[owner == REGIONS.index("cheeks")].any()


def test_a_fine_pattern_is_kept_to_half_a_step():
    pattern = np.zeros((256, 256, 3), np.float32)
    pattern[100:140, 60:90] = np.random.default_rng(0).normal(0, 12, (40, 30, 3))
    kept = code(0).with_detail(pattern).detail()
    assert np.abs(kept - pattern).max() <= DETAIL_STEP / 2 + 1e-5


def test_another_color_leaves_every_pattern_exactly_as_it_is(toy):
    before = draw_code(toy, code(4), 128)
    after = draw_code(toy, shifted(code(4), (10, -6, 3), ["lips"]), 128)
    assert np.array_equal(before.opacity, after.opacity)
    lips = (shares(128)["lips"] > 0.95) & (before.opacity > 0.3)
    moved = (after.paint - before.paint)[lips]
    assert moved.mean(0) == pytest.approx([10, -6, 3], abs=0.3)
    elsewhere = shares(128)["lips"] == 0
    assert np.array_equal(before.deviation[elsewhere], after.deviation[elsewhere])


def test_reading_is_the_same_for_a_face_and_its_mirror_image_swaps_sides(toy, face):
    texture = unfold(face, MAP_SIZE)
    first, again = read_code(toy, texture), read_code(toy, texture)
    assert np.array_equal(first.vector, again.vector)
    patches = see(texture)
    right, left = patches["eyes"].chunk(2, 1)
    assert right.shape == left.shape == (1, 7, 48, 64)
    assert not torch.equal(right, left)


def test_a_code_read_from_a_face_has_no_finer_digits_than_it_needs(toy, face):
    read = read_code(toy, unfold(face, MAP_SIZE))
    again = read.rounded()
    assert np.array_equal(read.vector, again.vector)
    assert np.abs(code(5).rounded().structure - code(5).structure).max() <= 0.15 + 1e-6
    assert np.abs(code(5).rounded().colors - code(5).colors).max() <= 0.05 + 1e-6


def test_tuning_draws_nearer_to_the_face(toy, face):
    texture = unfold(face, MAP_SIZE)
    result = tuned(toy, texture, iterations=8)
    bare = bare_colors(toy, read_bare(toy, texture), texture.bare, MAP_SIZE)
    seen = texture.seen > 0.9
    before, after = (
        np.abs(made_up(bare, draw_code(toy, code, MAP_SIZE)) - texture.lab)[seen].mean()
        for code in (result.before, result.stage1)
    )
    assert after < 0.9 * before


def test_the_sampler_repeats_itself_by_seed():
    sampler = LookSampler(structure=8, bare=8)
    seeding.initialise(sampler, seeding.generator_for(0, "sampler"))
    first = sampler.sample(2, seeding.generator_for(5, "looks"))
    again = sampler.sample(2, seeding.generator_for(5, "looks"))
    other = sampler.sample(2, seeding.generator_for(6, "looks"))
    assert np.array_equal(first[1].vector, again[1].vector)
    assert not np.array_equal(first[1].vector, other[1].vector)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_published_generator_has_the_published_number_of_parameters():
    with torch.device("meta"):
        network = PublishedBeautyBank()
    assert round(count(network) / 1e6, 2) == 74.18
    assert round(count(network.generator) / 1e6, 2) == 30.37
    assert round(count(network.res) / 1e6, 2) == 43.28
    assert round(count(network.style) / 1e6, 2) == 0.53
    assert round(count(network.res[0]) / 1e6, 2) == 5.77
    assert network.n_latent == 18


def test_no_weight_on_the_makeup_path_gives_the_bare_face():
    network = PublishedBeautyBank(size=64, style=16, widest=16)
    bare, makeup = torch.randn(2, 2, network.n_latent, 16, generator=seeding.generator_for(0, "z"))
    with torch.no_grad():
        alone = network(bare, None)
        off = network(bare, makeup, [0.0] * network.n_latent)
        on = network(bare, makeup)
    assert alone.shape == (2, 3, 64, 64)
    assert torch.allclose(alone, off, atol=1e-5)
    assert float((on - alone).abs().mean()) > 1e-3


def test_public_keys_load_and_other_files_are_refused(tmp_path):
    from safetensors.torch import save_file

    network = PublishedBeautyBank(size=64, style=16, widest=16)
    state = {f"g_ema.{key}": value.clone() for key, value in network.state_dict().items()}
    for key in (
        "res.0.conv.0.weight",
        "res.0.conv.1.bias",
        "res.0.norm.style.bias",
        "style.1.weight",
        "generator.convs.0.conv.blur.kernel",
        "generator.to_rgbs.0.upsample.kernel",
        "generator.noises.noise_8",
        "generator.input.input",
        "generator.conv1.activate.bias",
        "generator.to_rgb1.conv.modulation.bias",
        "generator.style.8.weight",
        "res.9.weight",
    ):
        assert f"g_ema.{key}" in state
    save_file(state, tmp_path / "generator.safetensors")
    network.load_state_dict(published_weights(tmp_path / "generator.safetensors"))
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError):
        published_weights(tmp_path / "other.safetensors")


def distance(a, b):
    return (a - b).square().mean()


def test_the_published_tuning_repeats_a_picture_and_then_gives_the_background_back():
    network = PublishedBeautyBank(size=64, style=16, widest=16)
    draws = seeding.generator_for(3, "codes")
    for parameter in network.res.parameters():
        torch.nn.init.normal_(parameter, 0, 0.3, generator=draws)
    bare, wanted, first = torch.randn(3, 1, network.n_latent, 16, generator=draws)
    with torch.no_grad():
        picture, plain = network(bare, wanted), network(bare, None)
        before = distance(network(bare, first), picture)
    face = torch.zeros(1, 1, 64, 64)
    face[..., 16:48, 16:48] = 1
    masks = dict.fromkeys(("face", "eyes", "mouth", "foreground"), face) | {"background": 1 - face}
    judges = Judges(distance, distance, distance)
    stage1 = refine_makeup(network, bare, first, picture, masks, judges, steps=10)
    stage2 = refine_unrelated(network, bare, stage1, plain, masks, judges, steps=10)
    with torch.no_grad():
        one, two = network(bare, stage1), network(bare, stage2)
    assert distance(one, picture) < before
    outside = 1 - face
    assert distance(outside * two, outside * plain) < distance(outside * one, outside * plain)


def test_taking_makeup_out_of_a_code_keeps_the_encoders_late_layers():
    network = PublishedBeautyBank(size=64, style=16, widest=16).requires_grad_(False)
    encoded, other = torch.randn(
        2, 1, network.n_latent, 16, generator=seeding.generator_for(1, "e")
    )
    picture, face = network(other, None), torch.ones(1, 1, 64, 64)
    judges = Judges(distance, distance, distance)
    bare = demakeup(lambda code: network(code, None), encoded, picture, face, judges, steps=10)
    assert torch.equal(bare[:, 8:], encoded[:, 8:])
    assert not torch.equal(bare[:, :8], encoded[:, :8])


def test_the_published_encoder_gives_a_code_for_every_layer():
    with torch.device("meta"):
        assert 266e6 < count(PspEncoder()) < 269e6
    toy = PspEncoder(layers=10, width=4).eval()
    keys = toy.state_dict().keys()
    assert {"body.23.res_layer.5.fc2.weight", "styles.9.convs.10.weight"} <= keys
    assert {"input_layer.2.weight", "latlayer2.bias", "styles.0.linear.weight"} <= keys
    with torch.no_grad():
        assert toy(torch.zeros(2, 3, 256, 256)).shape == (2, 10, 32)


def test_the_published_sampler_fills_both_parts_of_a_code():
    noise = torch.randn(4, 128, generator=seeding.generator_for(0, "noise"))
    parts = [build_sampler(part)(noise) for part in ("structure", "colour")]
    assert torch.cat(parts, 1).view(4, 18, 512).isfinite().all()
