"""Negative prompts in attention, against runs of the plain transformer."""

import math

import pytest
import torch

from models import seeding, tiny
from models.diffusion.flux_tokens import position_ids
from models.diffusion.negative_attention import NAG, NASA, NegativeAttention
from models.diffusion.rectified_flow import Conditions, velocity
from models.reflora.layers import install_reference_attention

GRID = 4


def drawn(*shape, place="x"):
    return torch.randn(shape, generator=seeding.generator_for(0, place, *shape))


PROMPT, NEGATIVE = drawn(2, 5, tiny.WIDTH), drawn(2, 3, tiny.WIDTH)


@pytest.fixture(scope="module", params=["plain", "joint", "separate"])
def run(request):
    """A call of a transformer of two double and two single blocks, plain or with a reference."""
    transformer = tiny.flux_transformer(0, 2, 2)
    attention = {}
    if request.param != "plain":
        injector = tiny.reflora_injector(transformer, form=request.param)
        with torch.no_grad():
            attention["reference"] = injector(drawn(2, 16, 16), GRID, GRID)
    install_reference_attention(transformer)
    ids = torch.cat([position_ids(GRID, GRID, kind) for kind in (0, 1)])

    @torch.no_grad()
    def run(*prompts, guidance=None):
        more = {}
        if guidance is not None:
            more["negative"] = NegativeAttention(guidance, *(x.shape[1] for x in prompts))
        conditions = Conditions(
            torch.cat(prompts, 1),
            drawn(2, tiny.WIDTH),
            drawn(2, 16, 16),
            ids,
            2.5,
            attention | more,
        )
        noisy = drawn(2, 16, 16, place="noisy")
        return velocity(transformer, noisy, torch.full((2,), 0.5), conditions)

    return run


def close(a, b):
    torch.testing.assert_close(a, b, atol=2e-6, rtol=0)


@pytest.mark.parametrize("guidance", [NAG(scale=1.0), NAG(blend=0.0), NASA(0.0)])
def test_without_strength_a_negative_prompt_changes_nothing(run, guidance):
    assert guidance.idle
    close(run(PROMPT, NEGATIVE, guidance=guidance), run(PROMPT))


@pytest.mark.parametrize("guidance", [NAG(), NAG(scale=11.0, limit=9.0, blend=1.0), NASA(2.0)])
def test_a_negative_prompt_equal_to_the_prompt_changes_nothing(run, guidance):
    assert not guidance.idle
    close(run(PROMPT, PROMPT, guidance=guidance), run(PROMPT))


def test_guided_all_the_way_back_the_picture_sees_the_negative_prompt_alone(run):
    only_negative = run(NEGATIVE)
    close(run(PROMPT, NEGATIVE, guidance=NASA(-1.0)), only_negative)
    close(run(PROMPT, NEGATIVE, guidance=NAG(0.0, limit=math.inf, blend=1.0)), only_negative)
    assert (only_negative - run(PROMPT)).abs().max() > 1e-2


def test_guidance_leads_away_from_what_the_negative_prompt_would_paint(run):
    plain, unwanted = run(PROMPT), run(NEGATIVE)
    for guidance in (NAG(), NASA()):
        moved = run(PROMPT, NEGATIVE, guidance=guidance) - plain
        assert float((moved * (unwanted - plain)).sum()) < 0
        assert moved.abs().max() > 1e-3


def test_nag_holds_the_size_of_all_heads_together_within_its_limit():
    wanted, unwanted = drawn(2, 4, 32), drawn(2, 4, 32, place="unwanted")
    guided = NAG(scale=50.0, limit=2.5, blend=1.0)(wanted, unwanted)
    torch.testing.assert_close(guided.abs().sum(-1), 2.5 * wanted.abs().sum(-1))
    free = NAG(scale=2.0, limit=100.0, blend=1.0)(wanted, unwanted)
    torch.testing.assert_close(free, 2 * wanted - unwanted)
    blended = NAG(scale=2.0, limit=100.0, blend=0.25)(wanted, unwanted)
    torch.testing.assert_close(blended, 0.25 * free + 0.75 * wanted)


def test_features_that_are_zero_stay_numbers():
    zero = torch.zeros(1, 2, 8)
    assert torch.equal(NAG()(zero, zero), zero)
    assert torch.isfinite(NAG()(zero, drawn(1, 2, 8))).all()
