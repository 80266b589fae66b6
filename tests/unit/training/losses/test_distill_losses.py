import math

import pytest
import torch
from torch import nn
from torch.func import jvp

from models import seeding
from training.losses import compression, score, trajectory
from training.methods.distill.trajectories.scm import trig_velocity
from training.toys.gaussian import make_gaussian
from training.toys.mixture import ring


def drawn(*shape, seed=0, dtype=torch.float64):
    return torch.randn(shape, generator=seeding.generator_for(seed, "test"), dtype=dtype)


def times(count, seed=1):
    generator = seeding.generator_for(seed, "times")
    return 0.05 + 0.9 * torch.rand(count, generator=generator, dtype=torch.float64)


# PyTorch's forward derivatives script a function when first used.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")


@pytest.mark.parametrize("weight", ["residual", "vsd", "time", "none"])
def test_matching_hands_the_weighted_difference_to_the_picture_as_its_gradient(weight):
    x, real, fake = drawn(8, 2).requires_grad_(), drawn(8, 2, seed=1), drawn(8, 2, seed=2)
    t = times(8)
    score.distribution_matching(x, real, fake, t, weight).backward()
    g = score.compute_weight(weight, x, real, t) * (fake - real)
    assert torch.allclose(x.grad * x.numel(), g, atol=1e-10)


def test_matching_is_at_rest_where_both_scores_agree():
    x, mu = drawn(8, 2).requires_grad_(), drawn(8, 2, seed=1)
    score.distribution_matching(x, mu, mu.clone(), times(8)).backward()
    assert float(x.grad.abs().max()) == 0


def test_at_alpha_1_the_identity_is_the_difference_times_the_fake_residual():
    x, real, fake, t = drawn(8, 2), drawn(8, 2, seed=1), drawn(8, 2, seed=2), times(8)
    loss = score.score_identity(x, real, fake, t, 1.0, "none")
    assert float(loss - ((real - fake) * (fake - x)).mean()) == pytest.approx(0, abs=1e-10)
    half = score.score_identity(x, real, fake, t, 0.5, "none")
    unbiased = score.score_identity(x, real, fake, t, 0.0, "none")
    assert float(half - 0.5 * (loss + unbiased)) == pytest.approx(0, abs=1e-10)


def consistent(spread):
    """F of the exact consistency function of N(0, s^2) is f = x s / sqrt(s^2 cos^2 + sin^2)."""

    def f_of(x, angle):
        c, s = angle.cos()[:, None], angle.sin()[:, None]
        f = x * spread / (spread**2 * c.square() + s.square()).sqrt()
        return (c * x - f) / s

    return f_of


def test_the_tangent_vanishes_at_the_exact_consistency_function():
    spread, angle = 0.7, 0.1 + 1.4 * times(64)
    c, s = angle.cos()[:, None], angle.sin()[:, None]
    x = drawn(64, 3)
    variance = spread**2 * c.square() + s.square()
    teacher = x * c * s * (1 - spread**2) / variance  # dx/dt of N(0, s^2)
    frozen, rate = jvp(consistent(spread), (x, angle), (c * s * teacher, angle.cos() * angle.sin()))
    g = trajectory.scm_tangent(x, angle, frozen, teacher, rate, 1.0)
    assert float(g.abs().max()) < 1e-10
    off = trajectory.scm_tangent(x, angle, frozen + 0.1, teacher, rate, 1.0)
    assert float(off.abs().min()) > 1e-4


def test_a_flow_network_is_given_trigflows_times_without_loss():
    spread = 0.7
    flow = make_gaussian((0.0, 0.0), (spread, spread))
    angle = 0.1 + 1.3 * times(64).float()
    c, s = angle.cos()[:, None], angle.sin()[:, None]
    x = drawn(64, 2).float()
    for sigma in (0.5, 1.0):
        variance = spread**2 * c.square() + (sigma * s).square()
        exact = x * c * s * (sigma**2 - spread**2) / variance
        assert torch.allclose(trig_velocity(flow, x, angle, sigma), exact, atol=1e-5)


def average_velocity(x, t, r, spread):
    """Of N(0, s^2): x (1 - s_r / s_t) / (t - r), s_t the standard deviation at t."""
    at = [((1 - u).square() * spread**2 + u.square()).sqrt() for u in (t, r)]
    return x * ((1 - at[1] / at[0]) / (t - r))[:, None]


def test_jumps_of_an_exact_flow_are_at_rest_to_first_order_in_the_small_step():
    spread, x = 0.7, drawn(64, 2)
    t = 0.5 + 0.4 * times(64)
    r = t * 0.3
    variance = (1 - t).square() * spread**2 + t.square()
    v = x * ((t - (1 - t) * spread**2) / variance)[:, None]
    frozen = average_velocity(x, t, r, spread)
    errors = []
    for delta in (1e-2, 1e-3, 1e-4):
        small = torch.full_like(t, delta)
        after = x - delta * v
        jump = (t - small - r)[:, None] * average_velocity(after, t - small, r, spread)
        goal = trajectory.rcgm_target(frozen, v, jump, t, r, small)
        errors.append(float((goal - frozen).abs().max()))
    assert errors[0] < 0.1
    assert errors[1] == pytest.approx(errors[0] / 10, rel=0.1)
    assert errors[2] == pytest.approx(errors[1] / 10, rel=0.1)


def test_a_jump_of_no_length_is_the_velocity():
    v, t = drawn(8, 2), times(8)
    goal = trajectory.rcgm_target(drawn(8, 2, seed=3), v, v * 0, t, t, torch.full_like(t, 0.01))
    assert torch.equal(goal, v)


def test_least_squares_gives_back_an_affine_layer():
    layer, x = nn.Linear(6, 4).double(), drawn(100, 6)
    with torch.no_grad():
        layer.weight.copy_(drawn(4, 6, seed=1))
        layer.bias.copy_(drawn(4, seed=2))
        found = compression.least_squares(x, layer(x)).double()
        assert torch.allclose(found(x), layer(x), atol=1e-5)


def test_token_distance_sees_direction_and_not_length():
    x = drawn(2, 5, 8)
    assert float(compression.token_distance(3 * x, x)) < 1e-12
    assert float(compression.token_distance(-x, x)) == pytest.approx(4)


def test_representations_are_alike_up_to_rotation_and_scale():
    x = drawn(200, 6)
    turned = 3 * x @ torch.linalg.qr(drawn(6, 6, seed=1))[0] + 1
    assert compression.alignment(x, turned) == pytest.approx(1, abs=1e-10)
    assert compression.alignment(x, drawn(200, 6, seed=5)) < 0.2


def test_the_exact_flow_of_a_mixture_is_the_slope_of_its_posterior():
    """Tweedie: score = (alpha mu - x) / sigma^2 is the gradient of the log density."""
    mixture, t = ring(), torch.full((32,), 0.4)
    x = drawn(32, 2).float().requires_grad_()
    variance = ((1 - t[0]) * 0.15) ** 2 + t[0] ** 2
    square = (x[:, None] - (1 - t[0]) * mixture.means).square().sum(-1)
    density = (mixture.weights.log() - square / (2 * variance)).logsumexp(1).sum()
    (slope,) = torch.autograd.grad(density, x)
    mu = mixture.predict_x0(x.detach(), t)
    assert torch.allclose(((1 - t[0]) * mu - x.detach()) / t[0] ** 2, slope, atol=1e-4)
    assert math.isfinite(float(mixture.velocity(x.detach(), torch.zeros(32)).abs().max()))
