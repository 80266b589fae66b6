import pytest
import torch

from models import seeding
from models.blocks import Pyramid, count_parameters
from models.dmvton.encoders import PublishedPyramid
from models.dmvton.flow import (
    FlowNet,
    compose,
    cost_volume,
    identity_grid,
    offset_grid,
    resize_flow,
    sample,
)
from models.dmvton.generator import PublishedGenerator, three_way_blend
from models.dmvton.student import LightStudent, PublishedStudent
from models.dmvton.teacher import CONDITION_CHANNELS, MobileTeacher

TOY = {
    "channels": 8,
    "widths": (8, 8, 8, 8),
    "depths": (1, 1, 1, 1),
    "expand": 2,
    "head": 8,
    "flow_size_hw": (64, 32),
    "generator_widths": (8, 8, 8, 8),
    "generator_depths": (1, 1, 1, 1),
}


def noise(*shape, place="noise"):
    return torch.randn(shape, generator=seeding.generator_for(0, place))


def toy_student():
    return seeding.initialise(LightStudent(**TOY), seeding.generator_for(0)).eval()


def test_published_parts_have_the_published_number_of_parameters():
    with torch.device("meta"):
        student = PublishedStudent()
    assert count_parameters(student.garment_encoder) == 1_504_704
    assert count_parameters(student.flow.main) == 747_050
    assert count_parameters(student.flow.refine) == 3_413_930
    assert count_parameters(student.flow) == 4_160_980
    assert count_parameters(student.generator) == 2_179_736
    assert count_parameters(student) == 7_170_388 + 2_179_736


def test_published_student_weighs_what_the_paper_says():
    with torch.device("meta"):
        student = PublishedStudent()
    floats = sum(p.numel() for p in student.parameters())
    # Batch norm counts its batches in an integer, which published sizes leave out.
    floats += sum(b.numel() for b in student.buffers() if b.is_floating_point())
    assert floats * 4 / 1e6 == pytest.approx(37.57, abs=0.03)


def test_published_pyramid_gives_the_published_maps():
    with torch.device("meta"):
        maps = PublishedPyramid()(torch.empty(1, 3, 256, 192))
        assert PublishedGenerator()(torch.empty(1, 7, 256, 192)).shape == (1, 4, 256, 192)
    sizes = [tuple(x.shape[1:]) for x in maps]
    assert sizes == [(256, 128, 96), (256, 64, 48), (256, 32, 24), (256, 16, 12), (256, 8, 6)]


def test_our_student_is_below_twelve_megabytes():
    with torch.device("meta"):
        assert count_parameters(LightStudent()) * 4 < 12e6


def test_cost_volume_is_the_mean_product_with_each_neighbour():
    a, b = noise(1, 4, 6, 5, place="a"), noise(1, 4, 6, 5, place="b")
    costs = cost_volume(a, b, radius=3)
    assert costs.shape == (1, 49, 6, 5)
    dx, dy, x, y = 2, -1, 1, 3
    expected = (a[0, :, y, x] * b[0, :, y + dy, x + dx]).mean()
    assert costs[0, (dy + 3) * 7 + dx + 3, y, x] == pytest.approx(float(expected), abs=1e-6)
    assert costs[0, 0, 0, 0] == 0  # three up and left of the corner there is nothing


def test_cost_volume_peaks_at_the_shift():
    b = torch.nn.functional.normalize(noise(1, 64, 12, 12), dim=1)
    a = b.roll((-1, -2), (2, 3))  # a(x, y) = b(x + 2, y + 1)
    best = cost_volume(a, b)[0, :, 4:8, 4:8].argmax(0)
    assert (best == (1 + 3) * 7 + 2 + 3).all()


def test_an_offset_of_one_pixel_moves_the_picture_one_pixel():
    picture = noise(1, 3, 8, 9)
    offset = torch.zeros(1, 2, 8, 9)
    offset[:, 0] = 1
    moved = sample(picture, offset_grid(offset))
    torch.testing.assert_close(moved[..., :-1], picture[..., 1:], atol=1e-4, rtol=0)


def test_offsets_add_up_when_composed():
    one = torch.zeros(1, 2, 8, 9)
    one[:, 1] = 1
    twice = compose(offset_grid(one), one)
    torch.testing.assert_close(twice[:, :-2], offset_grid(2 * one)[:, :-2], atol=1e-5, rtol=0)


def test_an_enlarged_identity_is_the_identity():
    small = identity_grid(torch.empty(1, 1, 8, 6))
    torch.testing.assert_close(
        resize_flow(small, (16, 12)), identity_grid(torch.empty(1, 1, 16, 12))
    )


def test_a_flow_net_begins_with_the_identity():
    encoder = Pyramid(3, (8, 8, 8), (1, 1, 1), 8, 2)
    net = FlowNet(8, 2, light=True, width=8)
    for network in (encoder, net):
        seeding.initialise(network, seeding.generator_for(0)).eval()
    maps = encoder(noise(1, 3, 32, 32))
    warp = net(maps, maps, (32, 32))
    torch.testing.assert_close(
        warp.flow, identity_grid(torch.empty(1, 1, 32, 32)), atol=1e-5, rtol=0
    )


@pytest.mark.parametrize("size_hw", [(64, 32), (128, 64)])
def test_student_and_teacher_return_pictures_of_the_size_they_got(size_hw):
    garment, mask = noise(1, 3, *size_hw), torch.ones(1, 1, *size_hw)
    result, warp = toy_student()(noise(1, 3, *size_hw), garment, mask)
    assert result.image.shape == (1, 3, *size_hw)
    assert warp.flow.shape == (1, *size_hw, 2)
    teacher = seeding.initialise(MobileTeacher(**TOY), seeding.generator_for(0)).eval()
    plate = noise(1, 3, *size_hw)
    result, _ = teacher(noise(1, CONDITION_CHANNELS, *size_hw), garment, mask, plate)
    assert result.image.shape == (1, 3, *size_hw)


def test_shares_of_garment_and_person_leave_room_for_paint():
    result, _ = toy_student()(noise(1, 3, 64, 32), noise(1, 3, 64, 32), torch.ones(1, 1, 64, 32))
    total = result.garment_share + result.person_share
    assert total.min() >= 0
    assert total.max() <= 1


def test_teacher_keeps_what_is_outside_the_hole_and_off_the_garment():
    teacher = seeding.initialise(MobileTeacher(**TOY), seeding.generator_for(0)).eval()
    condition, plate = noise(1, CONDITION_CHANNELS, 64, 32), noise(1, 3, 64, 32, place="plate")
    condition[:, 3], condition[:, 3, 20:40] = 0, 1
    nothing = torch.zeros(1, 1, 64, 32)
    result, _ = teacher(condition, noise(1, 3, 64, 32), nothing, plate)
    torch.testing.assert_close(result.image[:, :, :20], plate[:, :, :20], atol=1e-6, rtol=0)
    assert not torch.allclose(result.image[:, :, 20:40], plate[:, :, 20:40], atol=1e-3)


def test_a_saved_student_gives_the_same_picture(tmp_path):
    student = toy_student()
    inputs = noise(1, 3, 64, 32), noise(1, 3, 64, 32, place="g"), torch.ones(1, 1, 64, 32)
    student.save_pretrained(tmp_path)
    again = LightStudent.from_pretrained(tmp_path).eval()
    assert torch.equal(student(*inputs)[0].image, again(*inputs)[0].image)


def test_light_on_a_garment_is_one_smooth_channel_and_never_paint():
    draw = noise(1, 6, 32, 32) * 3
    draw[:, 3] = 20  # all of it the garment
    warped = noise(1, 3, 32, 32, place="warped").clamp(-0.9, 0.9)
    flow = identity_grid(torch.empty(1, 1, 32, 32))
    result = three_way_blend(draw, warped, warped, torch.ones(1, 1, 32, 32), flow)
    gain = (result.image + 1) / (warped + 1)
    torch.testing.assert_close(gain[:, :1], gain[:, 1:2], atol=1e-3, rtol=0)
    assert result.shade.log().abs().max() <= 0.8
    assert (
        result.shade.diff(dim=3).abs().mean() < 0.3 * noise(1, 6, 32, 32)[:, 5].diff().abs().mean()
    )
