import pytest
import torch

from models import seeding, tiny
from models.diffusion.flux_denoiser import FluxDenoiser
from models.errors import ShapeError
from training.config import LoopConfig, OptimConfig, RunConfig
from training.loop import Trainer
from training.methods.distill.compression.ppcl import DepthPruning, replace_blocks


def flux():
    transformer = tiny.flux_transformer(0, layers=1, single_layers=5).requires_grad_(False)
    ids = torch.zeros(8, 3)
    prompt, pooled = torch.zeros(1, 2, tiny.WIDTH), torch.zeros(1, tiny.WIDTH)
    return transformer, FluxDenoiser(transformer, prompt, pooled, ids)


class Latents:
    def __len__(self):
        return 4

    def batch(self, indices, generator):
        x0, cond = torch.randn((2, 4, 4, 16), generator=generator)
        return {"x0": x0, "cond": cond}


BATCH = Latents().batch(None, seeding.generator_for(0))


def losses(method):
    found = method.step(BATCH, seeding.generator_for(1), "students")
    return {name: float(term.detach()) for name, term in found.items()}


def test_a_block_in_its_own_place_has_no_error_and_a_long_interval_has():
    transformer, denoiser = flux()
    found = losses(DepthPruning(denoiser, transformer, [(0, 0), (1, 3)]))
    assert found["blocks 0-0"] == 0
    assert found["blocks 1-3"] > 1e-3


def test_unplugged_the_teacher_is_what_it_was_bit_by_bit():
    transformer, denoiser = flux()
    method = DepthPruning(denoiser, transformer, [(1, 3)])
    t = torch.full((4,), 0.5)
    with torch.no_grad():
        before = denoiser.velocity(BATCH["x0"], t, BATCH["cond"])
        with replace_blocks(transformer, method.students, method.intervals):
            assert len(transformer.single_transformer_blocks) == 3
            within = denoiser.velocity(BATCH["x0"], t, BATCH["cond"])
        after = denoiser.velocity(BATCH["x0"], t, BATCH["cond"])
    assert torch.equal(before, after)
    assert not torch.equal(before, within)


@pytest.mark.parametrize("intervals", [[(1, 5)], [(1, 2), (2, 3)], [(3, 4), (0, 1)], [(2, 1)]])
def test_intervals_that_overlap_or_end_outside_are_refused(intervals):
    transformer, _ = flux()
    blocks = list(transformer.single_transformer_blocks)[: len(intervals)]
    with pytest.raises(ShapeError), replace_blocks(transformer, blocks, intervals):
        pass


def test_the_block_learns_what_three_did(tmp_path):
    transformer, denoiser = flux()
    method = DepthPruning(denoiser, transformer, [(1, 3)])
    before = losses(method)["blocks 1-3"]
    config = RunConfig(
        "run",
        tmp_path,
        OptimConfig(lr=3e-3, warmup=1),
        LoopConfig(steps=40, batch=4, ema=0, threads=1),
    )
    Trainer(config, method, Latents()).run()
    assert losses(method)["blocks 1-3"] < 0.7 * before
