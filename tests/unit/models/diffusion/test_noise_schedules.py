from itertools import product

import pytest
import torch

from models.diffusion.noise_schedules import EDM, RF, convert, map_state, trig

SCHEDULES = {"RF": RF, "EDM": EDM, "trig": trig(0.5)}
KINDS = ("x0", "noise", "v", "velocity", "score")


def drawn(schedule):
    generator = torch.Generator().manual_seed(0)
    x0, noise = torch.randn((2, 64, 3), generator=generator, dtype=torch.float64)
    t = 0.05 + 0.9 * torch.rand(64, generator=generator, dtype=torch.float64)
    a, s = schedule.alpha(t)[:, None], schedule.sigma(t)[:, None]
    return x0, noise, t, a * x0 + s * noise


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_prediction_can_be_told_as_every_other(name):
    x0, _, t, x_t = drawn(SCHEDULES[name])
    for source, target in product(KINDS, KINDS):
        converted = convert(x0, x_t, t, "x0", source, SCHEDULES[name])
        through = convert(converted, x_t, t, source, target, SCHEDULES[name])
        back = convert(through, x_t, t, target, "x0", SCHEDULES[name])
        assert float((back - x0).abs().max()) < 1e-10, (source, target)


@pytest.mark.parametrize("name", SCHEDULES)
def test_velocity_is_the_slope_of_the_path(name):
    schedule = SCHEDULES[name]
    x0, noise, t, x_t = drawn(schedule)
    h = 1e-6
    ahead, behind = (
        schedule.alpha(u)[:, None] * x0 + schedule.sigma(u)[:, None] * noise for u in (t + h, t - h)
    )
    velocity = convert(x0, x_t, t, "x0", "velocity", schedule)
    assert torch.allclose(velocity, (ahead - behind) / (2 * h), atol=1e-6, rtol=1e-6)


def test_the_velocity_of_rectified_flow_is_noise_minus_picture():
    x0, noise, t, x_t = drawn(RF)
    assert torch.allclose(convert(x0, x_t, t, "x0", "velocity"), noise - x0, atol=1e-12)


@pytest.mark.parametrize(("a", "b"), list(product(SCHEDULES, SCHEDULES)))
def test_a_noisy_picture_goes_to_another_schedule_and_back(a, b):
    x0, noise, t, x_t = drawn(SCHEDULES[a])
    there, time = map_state(x_t, t, SCHEDULES[a], SCHEDULES[b])
    target = SCHEDULES[b]
    same = target.alpha(time)[:, None] * x0 + target.sigma(time)[:, None] * noise
    assert torch.allclose(there, same, atol=1e-10)
    back, again = map_state(there, time, SCHEDULES[b], SCHEDULES[a])
    assert torch.allclose(back, x_t, atol=1e-10)
    assert torch.allclose(again, t, atol=1e-10)


def test_pure_noise_maps_between_flows_without_dividing_by_zero():
    noise, one = torch.ones(4, 2), torch.ones(4)
    x, angle = map_state(noise, one, RF, trig(0.5))
    assert torch.allclose(angle, torch.full((4,), torch.pi / 2))
    assert torch.allclose(x, 0.5 * noise)
