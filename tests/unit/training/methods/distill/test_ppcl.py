import json
from dataclasses import replace

import pytest
import torch

from models import seeding, tiny
from models.diffusion.flux_denoiser import FluxDenoiser
from models.errors import ShapeError, TrainingError
from training.config import LoopConfig, OptimConfig, RunConfig
from training.flux.distill_teacher import load_teacher
from training.loop import Trainer
from training.methods.distill.compression.ppcl import DepthPruning, replace_blocks
from training.methods.distill.compression.redundancy import find_intervals, measure_alignments
from training.train_distill import PRESETS, build


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


def test_with_its_own_blocks_again_the_teacher_is_what_it_was_bit_by_bit():
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


def test_a_block_that_changes_nothing_is_one_that_an_affine_layer_stands_in_for():
    transformer, denoiser = flux()
    with torch.no_grad():
        for parameter in transformer.single_transformer_blocks[2].proj_out.parameters():
            parameter.zero_()
    found = measure_alignments(denoiser, transformer, BATCH, seeding.generator_for(2))
    assert len(found) == 5
    assert found[2] == pytest.approx(1, abs=1e-6)
    assert max(found[:2] + found[3:]) < found[2]


def test_runs_of_blocks_that_matter_alike_are_intervals():
    assert find_intervals([0.9, 0.99, 0.991, 0.99, 0.8, 0.9, 0.9], 0.002) == ((1, 3), (5, 6))
    assert find_intervals([0.1, 0.2, 0.3], 0.05) == ()
    assert find_intervals([0.5, 0.5], 0.0) == ((0, 1),)


@pytest.fixture(scope="module")
def pruned(tmp_path_factory):
    """A run of the tiny preset, and its trainer."""
    config = replace(PRESETS["tiny_ppcl"][1], output=tmp_path_factory.mktemp("ppcl"))
    trainer = build(config)
    trainer.run()
    return config, trainer


def test_the_command_leaves_a_teacher_of_fewer_blocks(pruned):
    config, trainer = pruned
    weights = config.folder / "checkpoints/000003/weights"
    assert json.loads((weights / "intervals.json").read_text()) == [[1, 2]]
    assert {path.name for path in weights.iterdir()} == {"students", "intervals.json"}
    loaded = load_teacher(weights / "students", config.folder / "cache")
    assert len(loaded.transformer.single_transformer_blocks) == 3
    teacher, students = trainer.method.teacher.base, trainer.method.students
    x_t, t = torch.randn((2, 64, 16), generator=seeding.generator_for(1)), torch.tensor([0.9, 0.2])
    cond = torch.randn((2, 128, 16), generator=seeding.generator_for(2))
    with torch.no_grad(), trainer.averages["students"].swapped_into(students):
        with replace_blocks(teacher.transformer, list(students), [(1, 2)]):
            wanted = teacher.velocity(x_t, t, cond)
        found = loaded.velocity(x_t, t, cond)
        whole = teacher.velocity(x_t, t, cond)
    assert torch.equal(found, wanted)
    assert (whole - wanted).abs().max() > 1e-3


def test_intervals_that_were_not_given_are_found(pruned, tmp_path):
    config, _ = pruned
    (tmp_path / config.name).mkdir()
    (tmp_path / config.name / "cache").symlink_to(config.folder / "cache")
    run = replace(config, output=tmp_path, intervals=())
    assert build(replace(run, tolerance=1.0)).method.intervals == ((0, 3),)
    with pytest.raises(TrainingError, match="--tolerance"):
        build(replace(run, tolerance=-1.0))


@pytest.mark.parametrize("changes", [{"shard": True}, {"base": "nf4"}, {"validation": 2}])
def test_settings_that_blocks_cannot_be_copied_with_are_refused(changes):
    with pytest.raises(TrainingError):
        build(replace(PRESETS["tiny_ppcl"][1], **changes))
