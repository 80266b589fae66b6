from itertools import pairwise

import pytest
import torch

from models import seeding
from models.diffusion.few_step import (
    FewStepSampler,
    HybridDenoiser,
    euler_sample,
)
from models.diffusion.weight_delta import DeltaDenoiser, WeightDelta
from models.errors import CheckpointError, ShapeError
from training.toys.mixture import ring
from training.toys.networks import ReplicaMLP


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=seeding.generator_for(seed, "test"))


BASE, STUDENT = (ReplicaMLP(width=16, seeds=(seed,)).eval() for seed in (1, 2))


@pytest.mark.parametrize("noise", ["fresh", "fixed", "ddim", "jump"])
def test_training_sees_the_states_that_inference_goes_through(noise):
    sampler, z = FewStepSampler.even(4, noise), drawn(8, 2)
    with torch.no_grad():
        steps = list(sampler.steps(STUDENT, z, None, seeding.generator_for(3)))
    for step in steps:
        x_t = sampler.simulate(STUDENT, z, step.number, None, seeding.generator_for(3))
        assert torch.equal(x_t, step.x_t)
    result = sampler.sample(STUDENT, z, None, seeding.generator_for(3))
    assert torch.equal(result, steps[-1].picture)


def test_only_fresh_noise_asks_the_generator():
    z = drawn(8, 2)
    for noise, differs in (("fresh", True), ("fixed", False), ("ddim", False), ("jump", False)):
        sampler = FewStepSampler.even(3, noise)
        one, two = (sampler.sample(STUDENT, z, None, seeding.generator_for(s)) for s in (1, 2))
        assert torch.equal(one, two) != differs


def test_steps_that_follow_the_implied_noise_are_euler_steps_of_the_flow():
    z, flow = drawn(64, 2), ring()
    few = FewStepSampler.even(8, "ddim").sample(flow, z)
    assert torch.allclose(few, euler_sample(flow, z, 8), atol=1e-5)


def test_times_that_do_not_fall_are_refused():
    with pytest.raises(ShapeError):
        FewStepSampler((0.5, 1.0))
    with pytest.raises(ShapeError):
        FewStepSampler(())


def test_diversity_distillation_is_the_student_with_0_base_steps_and_the_base_with_all():
    sampler, z = FewStepSampler.even(4), drawn(16, 2)

    def sample(denoiser):
        return sampler.sample(denoiser, z, None, seeding.generator_for(3))

    results = [sample(HybridDenoiser(BASE, STUDENT, k)) for k in range(5)]
    assert torch.equal(results[0], sample(STUDENT))
    assert torch.equal(results[4], sample(BASE))
    assert all(not torch.equal(a, b) for a, b in pairwise(results))


def test_a_change_of_rank_0_and_an_untrained_one_leave_the_base_bit_equal():
    x, t = drawn(8, 2), torch.full((8,), 0.5)
    for rank in (0, 4):
        changed = DeltaDenoiser(BASE, WeightDelta(BASE, rank, seeding.generator_for(0)))
        assert torch.equal(changed.velocity(x, t), BASE.velocity(x, t))
        assert torch.equal(changed.features(x, t), BASE.features(x, t))


def test_a_change_trained_on_the_base_loads_into_the_student():
    change = WeightDelta(BASE, 2, seeding.generator_for(0))
    with torch.no_grad():
        for matrix in change.down:
            matrix.copy_(drawn(*matrix.shape))
    again = WeightDelta(STUDENT, 2, seeding.generator_for(5))
    again.load_state_dict(change.state_dict())
    weights, own = again.weights(STUDENT), dict(STUDENT.named_parameters())
    on_base, theirs = change.weights(BASE), dict(BASE.named_parameters())
    for name, weight in weights.items():
        moved = weight - own[name]
        assert torch.allclose(moved, on_base[name] - theirs[name], atol=1e-5)
        assert float(moved.detach().abs().max()) > 0.1
    with pytest.raises(CheckpointError):
        change.weights(ReplicaMLP(width=8))


def test_only_the_change_is_trained_and_saved():
    changed = DeltaDenoiser(BASE, WeightDelta(BASE, 2, seeding.generator_for(0), only=("hidden",)))
    assert all("A." in name or "B." in name for name in changed.state_dict())
    assert changed.change.names == ("hidden.0.weight", "hidden.1.weight")
