import numpy as np
import pytest
import torch

from models.analysis.human_parsing import IGNORE, Part
from models.tryon import agnostic
from models.tryon.agnostic import background_plate, condition_of, grow, is_part
from training.data.tryon import batches, viton, viton_labels
from training.data.tryon.batches import SyntheticTryOn, fill_region, find_bounds
from training.data.tryon.parsing import SyntheticParsing, augment


def batch_of(count=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return SyntheticTryOn().batch(torch.arange(count), generator)


def test_the_teacher_sees_nothing_of_the_garment():
    batch = batch_of()
    agnostic, hole = batch["condition"][:, :3], batch["condition"][:, 3:4]
    upper = is_part(batch["parts"], Part.UPPER)
    assert (hole[upper > 0] == 1).all()
    repainted = batch["person"].where(upper == 0, torch.ones(()))
    again = condition_of(repainted, batch["parts"], batch["pose"])
    assert torch.equal(again, batch["condition"])
    outside = (hole == 0).expand_as(agnostic)
    assert torch.equal(agnostic[outside], batch["person"][outside])


def test_the_hole_spares_the_face_and_the_hands():
    parts = torch.full((1, 64, 48), int(Part.UPPER))
    parts[:, :10], parts[:, 50:] = int(Part.FACE), int(Part.HANDS)
    hole = condition_of(torch.zeros(1, 3, 64, 48), parts, torch.zeros(1, 18, 3))[:, 3]
    assert hole[:, :10].max() == hole[:, 50:].max() == 0
    assert hole[:, 10:50].min() == 1


def test_sleeve_length_cannot_be_read_from_the_hole():
    long = torch.zeros(1, 64, 48, dtype=torch.int64)
    long[:, 20:50, 10:38] = int(Part.UPPER)
    short = long.clone()
    short[:, 30:50, 10:16] = int(Part.RIGHT_ARM)
    pose = torch.zeros(1, 18, 3)
    person = torch.zeros(1, 3, 64, 48)
    assert torch.equal(condition_of(person, long, pose), condition_of(person, short, pose))


def test_a_fill_paints_the_region_and_nothing_else():
    batch = batch_of()
    upper = is_part(batch["parts"], Part.UPPER).expand(-1, 3, -1, -1)
    filled = batch["fill"]
    assert torch.equal(filled[upper == 0], batch["person"][upper == 0])
    # Synthetic garments are plain, so the region becomes the other garment's colour.
    color = batch["other_garment"][:, :, 30:31, 30:31].expand_as(filled)
    torch.testing.assert_close(filled[upper == 1], color[upper == 1], atol=1e-5, rtol=0)


def test_a_fill_with_the_same_box_puts_each_pixel_where_it_was():
    parts = torch.zeros(1, 32, 32, dtype=torch.int64)
    parts[:, 8:24, 4:28] = int(Part.UPPER)
    mask = is_part(parts, Part.UPPER)
    garment = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * mask
    filled = fill_region(torch.zeros(1, 3, 32, 32), parts, garment, mask)
    torch.testing.assert_close(filled, garment, atol=1e-4, rtol=0)


def test_a_plate_has_the_wall_where_the_garment_was():
    parts = torch.full((1, 64, 48), int(Part.BACKGROUND))
    parts[:, 20:50, 15:30] = int(Part.UPPER)
    wall = torch.tensor([0.2, -0.4, 0.6]).view(1, 3, 1, 1).expand(1, 3, 64, 48)
    person = torch.where(is_part(parts, Part.UPPER) > 0, -1.0, wall)
    torch.testing.assert_close(background_plate(person, parts), wall, atol=1e-5, rtol=0)


def test_a_varied_person_keeps_pose_and_parts_together():
    parts = torch.full((32, 128, 96), int(Part.BACKGROUND))
    parts[:, 56:73, 24:37] = int(Part.LEFT_ARM)
    pose = torch.zeros(32, 18, 3)
    pose[:, agnostic.L_ELBOW] = torch.tensor([30.5 / 96, 64.5 / 128, 1.0])
    garment = torch.linspace(-1, 1, 96).expand(32, 3, 128, 96)
    person = torch.zeros(32, 3, 128, 96)
    generator = torch.Generator().manual_seed(0)
    _, flat, _, found, points = batches.vary(
        person, garment, garment[:, :1], parts, pose, generator
    )
    mirrored = flat[:, 0, 0, 0] > 0
    assert 4 < mirrored.sum() < 28
    for i in range(32):
        arm, elbow = (
            (Part.RIGHT_ARM, agnostic.R_ELBOW) if mirrored[i] else (Part.LEFT_ARM, agnostic.L_ELBOW)
        )
        rows, columns = torch.nonzero(found[i] == int(arm), as_tuple=True)
        centre = torch.stack([columns.float().mean() + 0.5, rows.float().mean() + 0.5])
        expected = points[i, elbow, :2] * torch.tensor([96, 128])
        torch.testing.assert_close(centre, expected, atol=0.7, rtol=0)


def test_bounds_of_nothing_are_the_whole_picture():
    assert find_bounds(torch.zeros(1, 1, 8, 8)).tolist() == [[-1, -1, 1, 1]]


def test_growing_adds_its_share_of_the_height_on_each_side():
    mask = torch.zeros(1, 1, 100, 100)
    mask[..., 50, 50] = 1
    assert grow(mask, 0.03).sum() == 7 * 7


def test_a_limb_is_as_long_and_wide_as_stated():
    pose = torch.zeros(1, 18, 3)
    pose[0, agnostic.R_SHOULDER] = torch.tensor([0.5, 0.2, 1.0])
    pose[0, agnostic.R_ELBOW] = torch.tensor([0.5, 0.8, 1.0])
    mask = agnostic.limb_mask(pose, (100, 100))[0, 0]
    assert mask[50].sum() == pytest.approx(11, abs=1)
    assert mask[:, 50].sum() == pytest.approx(60 + 11, abs=2)


def test_a_batch_depends_on_its_numbers_and_its_generator_only():
    first, second, other = batch_of(), batch_of(), batch_of(seed=1)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["draw"], other["draw"])


def test_a_mirrored_picture_swaps_left_and_right_arms():
    parts = torch.full((64, 16, 16), int(Part.LEFT_ARM))
    generator = torch.Generator().manual_seed(0)
    found = augment(torch.zeros(64, 3, 16, 16), parts, generator, 0.0)["parts"]
    seen = {int(x) for x in found.unique()} - {IGNORE}
    assert seen == {Part.LEFT_ARM, Part.RIGHT_ARM}


def test_light_and_place_keep_pictures_in_range():
    batch = SyntheticParsing((32, 32)).batch(torch.arange(8), torch.Generator().manual_seed(3))
    assert batch["image"].abs().max() <= 1
    assert batch["parts"].dtype == torch.int64


def test_a_neck_is_skin_below_the_face():
    person = np.full((128, 96, 3), 235, np.uint8)
    lip = np.zeros((128, 96), np.uint8)
    person[10:40, 36:60], lip[10:40, 36:60] = (200, 150, 130), 13  # face
    person[40:55, 42:54] = (180, 130, 110)  # neck, in shadow
    person[55:110, 20:76], lip[55:110, 20:76] = (20, 40, 120), 5  # a blue top
    parts = viton_labels.merge_labels(person, lip, np.zeros((18, 3), np.float32))
    assert (parts[43:52, 44:52] == Part.NECK).all()
    assert (parts[60:100, 30:60] == Part.UPPER).all()
    assert (parts[:5] == Part.BACKGROUND).all()


def test_a_hand_lies_beyond_the_wrist():
    parts = np.full((100, 100), int(Part.RIGHT_ARM), np.uint8)
    pose = np.zeros((18, 3), np.float32)
    pose[3], pose[4] = (50, 20, 1), (50, 60, 1)
    marked = viton_labels.mark_hands(parts, pose)
    assert marked[80, 50] == Part.HANDS
    assert marked[40, 50] == Part.RIGHT_ARM


def test_holes_in_a_pale_garment_are_filled():
    garment = np.full((64, 48, 3), 255, np.uint8)
    garment[10:54, 8:40] = (250, 235, 235)
    mask = np.zeros((64, 48), np.uint8)
    mask[10:54, 8:40] = 255
    mask[20:40, 15:30] = 0
    filled = viton_labels.fill_garment_mask(garment, mask)
    assert (filled[14:50, 12:36] == 255).all()
    assert filled[:6].max() == 0


def test_validation_ids_are_as_many_as_promised():
    chosen = viton.read_validation_ids()
    assert len(chosen) >= 400
