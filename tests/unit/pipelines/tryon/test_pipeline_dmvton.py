import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from models import regions
from models.analysis.human_parsing import Part
from models.dmvton.compose import dress
from models.dmvton.flow import identity_grid
from models.dmvton.generator import TryOn
from models.errors import CheckpointError, GarmentError, NoPersonError
from models.ops.masks import polygon
from pipelines.tryon import pipeline_dmvton
from pipelines.tryon.coach import coach_tryon
from pipelines.tryon.live import LiveTryOn
from pipelines.tryon.pipeline_dmvton import DMVTONPipeline


@pytest.fixture(scope="module")
def shared():
    return DMVTONPipeline()


@pytest.fixture
def tryon(toy_tryon, shared):
    return DMVTONPipeline(shared.analyzer, shared.garments)


@pytest.fixture(scope="module")
def person(shared, astronaut):
    return shared.analyzer(astronaut)


@pytest.mark.parametrize("network", ["student", "teacher"])
def test_what_does_not_change_is_equal_to_the_last_bit(tryon, astronaut, red_shirt, face, network):
    result = tryon(astronaut, red_shirt, network=network)
    before, after = np.asarray(astronaut), np.asarray(result.image)
    assert before.shape == after.shape
    assert np.array_equal(before[~result.changed], after[~result.changed])
    assert 0.02 < result.changed.mean() < 0.7
    oval = polygon(face.points_xyz[list(regions.FACE_OVAL), :2], face.size_hw) > 0.5
    assert np.array_equal(before[oval], after[oval])
    assert not result.changed[:40].any()  # the wall above her
    assert list(result.milliseconds) == ["person", "garment", "network", "enlarge", "paste"]


def test_a_large_picture_keeps_its_size_and_its_pixels(
    tryon, person, shared, red_shirt, monkeypatch
):
    monkeypatch.setattr(pipeline_dmvton, "MOST_ROWS", 300)
    result = tryon.wear(person, shared.garments(red_shirt))
    after = np.asarray(result.image)
    assert after.shape == person.image.shape
    assert np.array_equal(person.image[~result.changed], after[~result.changed])
    assert (person.image != after).any()


def small_try_on(share: float) -> TryOn:
    """The garment laid over the picture as it is, wherever `share` is 1."""
    blank = torch.zeros(1, 3, 256, 192)
    there = torch.full((1, 1, 256, 192), share)
    flow = identity_grid(torch.empty(1, 1, 256, 192))
    return TryOn(blank, blank, blank, there, there, 1 - there, torch.ones_like(there), flow)


def wearing_a_top() -> np.ndarray:
    parts = np.zeros((11, 256, 192), np.float32)
    parts[Part.BACKGROUND] = 1
    parts[:, 80:200, 50:140] = 0
    parts[Part.UPPER, 80:200, 50:140] = 1
    parts[:, 20:70, 70:120] = 0
    parts[Part.FACE, 20:70, 70:120] = 1
    return parts


def test_a_print_is_as_sharp_on_the_person_as_on_the_full_size_garment():
    crop = np.full((1024, 768, 3), 128, np.uint8)
    stripes = np.zeros((1024, 768, 3), np.uint8)
    stripes[:, ::2] = 255  # finer than the network's own pixels by a factor of four
    result, share = dress(
        small_try_on(1.0),
        crop,
        wearing_a_top(),
        stripes,
        np.ones((1024, 768), np.float32),
        on_plate=False,
    )
    inside = np.s_[400:720, 260:500]
    assert (share[inside] == 1).all()
    assert np.abs(result[inside].astype(int) - stripes[inside]).max() <= 1


def test_a_garment_never_covers_the_face_and_nothing_worn_before_is_kept():
    crop = np.random.default_rng(0).integers(0, 256, (512, 384, 3), np.uint8)
    cloth = np.zeros_like(crop), np.ones((512, 384), np.float32)
    result, share = dress(small_try_on(1.0), crop, wearing_a_top(), *cloth, on_plate=False)
    face = np.s_[50:130, 150:230]
    assert np.array_equal(result[face], crop[face])
    kept, share = dress(small_try_on(0.0), crop, wearing_a_top(), *cloth, on_plate=False)
    top = np.zeros((512, 384), bool)
    top[150:410, 90:290] = True  # what the parse calls a top, with a rim
    assert share[180:380, 120:260].min() > 0.999
    assert not share[~top].any()
    assert np.array_equal(kept[~top], crop[~top])


def test_a_drawn_shirt_is_cut_out_and_a_room_or_trousers_are_not(shared, red_shirt):
    garment = shared.garments(red_shirt)
    assert not garment.on_body
    assert not garment.cut_off
    colors = garment.image[garment.mask > 0.9]
    assert (colors[:, 0] > colors[:, 1] + 30).mean() > 0.95
    with pytest.raises(GarmentError) as caught:
        shared.garments(Image.new("RGB", (300, 300), (200, 190, 180)))
    assert caught.value.reason == "none"
    trousers = Image.new("RGB", (300, 400), "white")
    legs = [(80, 30), (220, 30), (250, 380), (175, 380), (150, 150), (125, 380), (50, 380)]
    ImageDraw.Draw(trousers).polygon(legs, fill=(40, 60, 110))
    with pytest.raises(GarmentError) as caught:
        shared.garments(trousers)
    assert caught.value.reason == "trousers"


def test_a_garment_is_taken_off_the_person_who_wears_it(shared, astronaut):
    garment = shared.garments(astronaut)
    assert garment.on_body
    colors = garment.image[garment.mask > 0.9].astype(int)
    orange = (colors[:, 0] - colors[:, 2] > 60).mean()
    assert 0.3 < orange < 0.9  # her suit; patches and harness belong to it


def test_the_coach_says_what_is_missing(person):
    codes = {item.code for item in coach_tryon(person)}
    assert "cropped_torso" in codes
    (nobody,) = coach_tryon(NoPersonError("nobody", found=0, needed=1))
    assert (nobody.code, nobody.severity) == ("no_person", "refuse")


def test_without_weights_the_error_names_them(shared, astronaut, red_shirt, tmp_path, monkeypatch):
    monkeypatch.setattr(pipeline_dmvton, "WEIGHTS", tmp_path)
    pipeline = DMVTONPipeline(shared.analyzer, shared.garments)
    with pytest.raises(CheckpointError) as caught:
        pipeline(astronaut, red_shirt)
    assert caught.value.needed == "dmvton-student"


def test_the_live_mirror_dresses_a_person_and_shows_an_empty_room_as_it_is(
    tryon, shared, astronaut, red_shirt
):
    mirror, garment = LiveTryOn(tryon), shared.garments(red_shirt)
    room = np.full((240, 320, 3), 120, np.uint8)
    tryon.load()
    assert np.array_equal(mirror(room, garment), room)
    frame = np.asarray(astronaut)
    assert (mirror(frame, garment) != frame).any()
