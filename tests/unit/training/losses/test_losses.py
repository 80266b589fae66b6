import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from models import seeding
from models.analysis.human_parsing import HumanParser
from models.dmvton.flow import Warp, identity_grid, offset_grid
from training import metrics
from training.losses.perceptual import perceptual
from training.losses.tryon_distill import adjustable_distillation, compute_gates
from training.losses.warp import second_order, total_variation, warp_losses


def noise(*shape, seed=0):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def warp_with(flow):
    zeros = torch.zeros(len(flow), 2, 8, 8)
    features = [torch.zeros(len(flow), 4, 8, 8)]
    return Warp(flow, [flow], [zeros], features, features)


def test_a_garment_already_in_place_costs_nothing_but_a_bend_of_zero():
    garment, mask = noise(2, 3, 16, 16), torch.ones(2, 1, 16, 16)
    losses = warp_losses(
        warp_with(identity_grid(garment)), garment, mask, garment, mask, torch.ones_like(mask)
    )
    assert losses["warp_pixels"] == pytest.approx(0, abs=1e-5)
    assert losses["warp_outline"] == pytest.approx(0, abs=1e-5)
    assert losses["warp_bend"] < 0.01


def test_moving_and_stretching_do_not_bend_but_waves_do():
    grid = identity_grid(torch.empty(1, 1, 16, 16))
    flat = second_order(0.7 * grid + 0.1)
    assert flat == pytest.approx(1e-6**0.45 * 4 / 4, rel=0.05)
    assert second_order(grid + 0.1 * torch.sin(12 * grid)) > 10 * flat


def test_total_variation_of_a_ramp_is_its_slope():
    ramp = torch.arange(8.0).expand(1, 2, 8, 8)
    assert total_variation(ramp) == pytest.approx(1.0)


def test_the_gate_opens_only_where_the_teacher_is_nearer():
    garment = noise(2, 3, 16, 16)
    right = identity_grid(garment)
    shift = torch.zeros(2, 2, 16, 16)
    shift[:, 0] = 3
    wrong = offset_grid(shift)
    teacher = warp_with(torch.stack([right[0], wrong[0]]))
    student = warp_with(torch.stack([wrong[0], right[0]]))
    gates = compute_gates(teacher, student, garment, garment)
    assert gates.tolist() == [1.0, 0.0]
    losses = adjustable_distillation(teacher, student, gates)
    assert losses["distill_flow"] == pytest.approx(
        float((right[0] - wrong[0]).norm(dim=-1).mean()), rel=1e-4
    )
    assert adjustable_distillation(teacher, student, torch.zeros(2))["distill_flow"] == 0


def test_perceptual_distance_is_zero_for_the_same_and_grows_with_difference():
    parser = HumanParser(widths=(8, 8, 8), depths=(1, 1, 1), expand=2)
    seeding.initialise(parser, seeding.generator_for(0)).eval()
    a, b = noise(1, 3, 32, 32), noise(1, 3, 32, 32, seed=1)
    assert perceptual(parser, a, a) == 0
    assert perceptual(parser, a, a.lerp(b, 0.1)) < perceptual(parser, a, b)


def test_ssim_agrees_with_scikit_image():
    a = noise(1, 1, 48, 40)
    b = a.lerp(noise(1, 1, 48, 40, seed=1), 0.3)
    ours = metrics.ssim(a, b)[0, 0, 8:-8, 8:-8].mean()
    _, theirs = structural_similarity(
        a[0, 0].numpy(),
        b[0, 0].numpy(),
        data_range=2.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        full=True,
    )
    assert ours == pytest.approx(float(theirs[8:-8, 8:-8].mean()), abs=2e-3)


def test_iou_of_a_known_table():
    truth = torch.tensor([0, 0, 0, 1, 1, 255])
    found = torch.tensor([0, 0, 1, 1, 1, 0])
    scores = metrics.intersection_over_union(metrics.confusion(found, truth, 2))
    assert scores.tolist() == pytest.approx([2 / 3, 2 / 3])


def test_frechet_distance_of_two_normal_clouds_has_its_closed_form():
    rng = np.random.default_rng(0)
    a = torch.from_numpy(rng.normal(0, 1, (40000, 2)))
    b = torch.from_numpy(rng.normal([3, 0], 2, (40000, 2)))
    # |m|^2 + tr(A + B - 2 sqrt(AB)) = 9 + 2 * (1 + 4 - 4) = 11
    assert metrics.frechet_distance(a, b) == pytest.approx(11, abs=0.3)


def test_lettering_agrees_with_itself_and_not_with_a_blur():
    text, mask = noise(1, 3, 32, 32), torch.ones(1, 1, 32, 32)
    assert metrics.high_pass_agreement(text, text, mask) == pytest.approx(1, abs=1e-5)
    other = metrics.high_pass_agreement(text, noise(1, 3, 32, 32, seed=5), mask)
    assert abs(float(other)) < 0.2
