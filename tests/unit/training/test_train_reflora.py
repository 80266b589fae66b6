"""Training FLUX-Makeup's injector, and the pairs it learns from, at toy size."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models import seeding
from models.analysis.face_classes import FACE_CLASSES, LOWER_LIP, UPPER_LIP, parse_map
from models.errors import TrainingError
from models.reflora.injector import RefLoRAInjector
from training import train_reflora
from training.data.makeup.flux_pairs import MakeupPairs, WarpRange, warp_reference
from training.data.makeup.pair_quality import (
    PairLimits,
    align_to_source,
    blend_back,
    find_fault,
    measure_pair,
)
from training.memory.flux import reckon_memory

ROOT = Path(__file__).parents[3]
TINY = train_reflora.PRESETS["tiny"][1]


def tiny_run(folder, **loop):
    settings = {"threads": 1, "steps": 4, "save_every": 2} | loop
    return replace(TINY, output=folder, validation=0, loop=replace(TINY.loop, **settings))


def log_of(config):
    lines = (config.folder / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(x).items() if k != "s"} for x in lines]


def test_a_toy_learns_and_leaves_what_from_pretrained_reads(tmp_path):
    config = tiny_run(tmp_path, steps=40, save_every=40)
    train_reflora.build(replace(config, validation=1)).run()
    losses = [entry["velocity"] for entry in log_of(config)]
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:5])
    weights = config.folder / "checkpoints" / "000040" / "weights"
    assert RefLoRAInjector.from_pretrained(weights / "injector").config["rank"] == 8
    with Image.open(config.folder / "validation" / "000040.png") as sheet:
        assert sheet.size == (4 * 32, 32)


def test_a_resumed_run_takes_the_uninterrupted_runs_steps(tmp_path):
    whole = tiny_run(tmp_path / "whole")
    train_reflora.build(whole).run()
    halves = tiny_run(tmp_path / "halves")
    stopped = train_reflora.build(halves)
    original = stopped._take_step

    def stops(batch):
        if stopped.step == 3:
            raise KeyboardInterrupt
        return original(batch)

    stopped._take_step = stops
    with pytest.raises(KeyboardInterrupt):
        stopped.run()
    train_reflora.build(halves).run()
    assert log_of(halves) == log_of(whole)


def test_a_batch_in_pieces_has_the_whole_batchs_gradients(tmp_path):
    gradients = []
    for micro in (8, 2):
        trainer = train_reflora.build(replace(tiny_run(tmp_path), micro=micro))
        trainer._train_only(("injector",))
        trainer._compute_gradients("flow", trainer._load_batch(0))
        gradients.append(trainer.method.injector.layers[0].ref_to_v_lora_up.weight.grad)
    torch.testing.assert_close(*gradients, atol=1e-6, rtol=1e-4)


TWO = """
import sys
from dataclasses import replace
from pathlib import Path
from safetensors.torch import save_file
from training import train_reflora
config = train_reflora.PRESETS["tiny"][1]
config = replace(config, output=Path(sys.argv[1]), micro=4, validation=0, shard=False)
config = replace(config, loop=replace(config.loop, threads=1))
trainer = train_reflora.build(config)
trainer._train_only(tuple(trainer.method.networks))
trainer._compute_gradients("flow", trainer._load_batch(0))
named = trainer.method.injector.named_parameters()
rank = trainer.accelerator.process_index
grads = {name: p.grad for name, p in named if p.grad is not None}
save_file(grads, f"{sys.argv[2]}.{rank}.safetensors")
"""


def test_two_processes_have_one_processs_gradients(tmp_path):
    from safetensors.torch import load_file

    train_reflora.build(tiny_run(tmp_path))  # writes the cache both read
    script = tmp_path / "two.py"
    script.write_text(TWO)
    settings = {
        "WORLD_SIZE": "2",
        "LOCAL_WORLD_SIZE": "2",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": "29583",
        "ACCELERATE_USE_CPU": "true",
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }
    import os

    both = [
        subprocess.Popen(
            [sys.executable, str(script), str(tmp_path), str(tmp_path / "grads")],
            cwd=ROOT,
            env=os.environ | settings | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
        )
        for rank in range(2)
    ]
    trainer = train_reflora.build(tiny_run(tmp_path))
    trainer._train_only(tuple(trainer.method.networks))
    trainer._compute_gradients("flow", trainer._load_batch(0))
    assert [process.wait(timeout=300) for process in both] == [0, 0]
    first, second = (load_file(tmp_path / f"grads.{rank}.safetensors") for rank in range(2))
    assert len(first) > 8
    for name, parameter in trainer.method.injector.named_parameters():
        torch.testing.assert_close(first[name], parameter.grad, atol=1e-6, rtol=1e-4)
        assert torch.equal(first[name], second[name])


def test_a_batch_that_cannot_be_shared_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="multiple of 3"):
        train_reflora.build(replace(tiny_run(tmp_path), micro=3))


@pytest.mark.parametrize(("preset", "card"), [("card80", 80), ("card24", 24)])
def test_presets_fit_their_cards_by_calculation(preset, card):
    needs = reckon_memory(train_reflora.PRESETS[preset][1])
    assert 0.3 * card < needs.total < 0.9 * card


def test_memory_counts_the_weights_of_the_real_networks():
    needs = reckon_memory(train_reflora.PRESETS["card80"][1])
    assert needs.base == pytest.approx(11.9e9 * 2 / 1e9, rel=0.01)
    assert needs.trained == pytest.approx(4 * 726_872_064 * 5 / 1e9, rel=1e-6)


@pytest.fixture
def pairs(tmp_path, pipeline, astronaut, face):
    """One pair of the astronaut in a drawn look, in the official layout."""
    from pipelines.makeup.named_looks import find_look

    made = pipeline.blend(pipeline.wear([face], find_look("classic-red")))
    for folder, picture in (
        ("v00/src", astronaut),
        ("v00/ref", made),
        ("mask", Image.fromarray(parse_map(face))),
    ):
        (tmp_path / folder).mkdir(parents=True)
        picture.save(tmp_path / folder / "a.png")
    return tmp_path


def test_the_reference_is_the_targets_face_on_black(pairs):
    data = MakeupPairs(pairs, 128, WarpRange(turn=0, elastic=0, scale=(1, 1), shift=0))
    source, target, reference = data.sample(0, seeding.generator_for(1))
    shown = (reference > -1).any(0)
    assert 0.01 < shown.float().mean() < 0.2
    assert torch.equal(reference[:, shown], target[:, shown])
    assert not torch.equal(source, target)


def test_warped_references_keep_colors_and_lose_geometry(pairs):
    still = WarpRange(turn=0, elastic=0, scale=(1, 1), shift=0)
    plain = MakeupPairs(pairs, 128, still).sample(0, seeding.generator_for(1))[2]
    picture = ((plain + 1) * 127.5).byte().permute(1, 2, 0).numpy()
    warped = warp_reference(picture, WarpRange(), seeding.generator_for(3))
    again = warp_reference(picture, WarpRange(), seeding.generator_for(3))
    assert np.array_equal(warped, again)
    assert np.abs(np.int16(warped) - picture).mean() > 1
    mean = [np.median(p[p.sum(-1) > 300], axis=0) for p in (picture, warped)]
    assert np.abs(mean[0] - mean[1]).max() < 12


def test_looks_at_random_differ_from_pair_to_pair(tmp_path):
    from training.prepare.makeup_pairs import RANDOM, PairMaker, PairPlan

    maker = PairMaker(PairPlan(tmp_path, (RANDOM,)))
    first, second, again = (maker.draw_look(RANDOM, seeding.generator_for(s)) for s in (1, 2, 1))
    assert np.array_equal(first.makeup.deviation, again.makeup.deviation)
    assert not np.array_equal(first.makeup.deviation, second.makeup.deviation)


def test_a_folder_without_pairs_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="no pairs"):
        MakeupPairs(tmp_path)


def test_each_fault_has_its_reason():
    good = {"identity": 0.9, "drift": 0.5, "outside": 0.1, "strength": 9.0}
    assert find_fault(good, PairLimits()) is None
    for key, value, reason in (
        ("identity", 0.2, "another person"),
        ("drift", 9.0, "moved"),
        ("outside", 5.0, "outside"),
        ("strength", 0.5, "too little"),
    ):
        assert reason in find_fault(good | {key: value}, PairLimits())


def test_an_edit_that_slid_is_laid_back_and_only_the_face_is_taken(face):
    slid = np.roll(face.image, (5, -7), (0, 1))
    moved = replace(face, image=slid, points_xyz=face.points_xyz + np.float32([-7, 5, 0]))
    laid = align_to_source(moved, face)
    back = blend_back(laid, face)
    assert np.abs(np.int16(laid) - face.image)[30:-30, 30:-30].mean() < 0.5
    red = blend_back(np.full_like(face.image, 200), face)
    same = replace(face, image=red)
    assert measure_pair(face, same)["outside"] == 0.0
    assert measure_pair(face, same)["strength"] > 4
    assert measure_pair(face, replace(face, image=back))["strength"] < 1


def test_the_command_makes_pairs_goes_on_and_says_what_it_dropped(tmp_path, astronaut):
    from typer.testing import CliRunner

    from app.cli import app

    faces, out = tmp_path / "faces", tmp_path / "out"
    faces.mkdir()
    astronaut.save(faces / "a.png")
    Image.new("RGB", (200, 200), "grey").save(faces / "grey.png")
    words = ["pairs", str(faces), str(out), "--size", "192", "--looks", "classic-red"]
    first = CliRunner().invoke(app, words)
    assert "1 of 2 pairs kept" in first.output, first.output
    assert len(MakeupPairs(out, 64)) == 1
    report = json.loads((out / "report.json").read_text())
    assert sum(report["dropped"].values()) == 1
    stamp = (out / "v00" / "ref" / "a.png").stat().st_mtime_ns
    assert "1 of 2 pairs kept" in CliRunner().invoke(app, words).output
    assert (out / "v00" / "ref" / "a.png").stat().st_mtime_ns == stamp


def test_a_pair_may_come_with_another_face_in_the_same_look(tmp_path, astronaut):
    from training.prepare.makeup_pairs import PairPlan, make_pairs

    faces, out = tmp_path / "faces", tmp_path / "out"
    faces.mkdir()
    astronaut.save(faces / "a.png")
    astronaut.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(faces / "b.png")
    plan = PairPlan(out, ("classic-red",), 160, weakest=1, expand=0.05, others=True)
    make_pairs(sorted(faces.iterdir()), plan)
    pairs = MakeupPairs(out, 160)
    pair = pairs.read_pair(0)
    assert pair.other is not None
    assert (pair.other[:, :8] == 0).all()  # on black
    covered = [np.isin(p.classes, FACE_CLASSES).mean() for p in (pair, pairs.read_pair(1))]
    assert min(covered) > 0.3, "a tight square is mostly face"
    lips = np.isin(pair.classes, (UPPER_LIP, LOWER_LIP))
    red = pair.other.astype(int)
    red = red[(red[..., 0] > 100) & (red[..., 0] > 2 * red[..., 1])]
    assert np.abs(np.median(red, 0) - np.median(pair.target[lips], 0)).max() < 25
    still = MakeupPairs(out, 160, WarpRange(turn=0, elastic=0, scale=(1, 1), shift=0))
    shown = [still.sample(0, seeding.generator_for(s))[2] for s in range(8)]
    seen = {picture.sum().item() for picture in shown}
    assert len(seen) == 2, "now the target's own face, now the other's"
