import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from models import devices, seeding
from models.errors import TrainingError
from training import checkpoints
from training.config import LoopConfig, OptimConfig, RunConfig
from training.loop import Method, Trainer, draw_batch_indices, learning_rate

ROOT = Path(__file__).parents[3]


class Points:
    """Noisy points on a line."""

    def __len__(self):
        return 10

    def batch(self, indices, generator):
        x = indices[:, None].float() / 10
        return {"x": x, "y": 3 * x - 1 + 0.01 * torch.randn(x.shape, generator=generator)}


class Line(Method):
    def __init__(self, spoiled_steps=()):
        self.networks = {
            "line": seeding.initialise(nn.Linear(1, 1), seeding.generator_for(0)),
            "frozen": nn.BatchNorm1d(1),
        }
        self.phases = {"line": ("line",)}
        self.spoiled_steps, self.calls = spoiled_steps, 0

    def step(self, batch, generator, phase):
        self.calls += 1
        noise = 0.01 * torch.randn(batch["x"].shape, generator=generator)
        error = self.networks["line"](batch["x"] + noise) - batch["y"]
        spoil = float("nan") if self.calls in self.spoiled_steps else 1.0
        return {"square": error.square().mean() * spoil, "watched": error.detach().abs().mean()}


def config_in(folder, **loop):
    settings = {"steps": 12, "batch": 4, "save_every": 4, "log_every": 1} | loop
    return RunConfig(
        name="line",
        output=folder,
        optim=OptimConfig(lr=0.1, warmup=1, schedule="constant"),
        loop=LoopConfig(**settings),
    )


def log_of(config):
    lines = (config.folder / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(x).items() if k != "s"} for x in lines]


def test_a_line_is_learned(tmp_path):
    config = config_in(tmp_path, steps=150, save_every=150)
    method = Line()
    Trainer(config, method, Points()).run()
    line = method.networks["line"]
    assert float(line.weight.detach()) == pytest.approx(3, abs=0.3)
    assert log_of(config)[-1]["square"] < 0.02


def test_an_interrupted_run_goes_on_to_bit_equal_losses(tmp_path):
    whole = config_in(tmp_path / "whole")
    Trainer(whole, Line(), Points()).run()
    halves = config_in(tmp_path / "halves")

    class StoppedError(Exception):
        pass

    class StopsAtSeven(Line):
        def step(self, batch, generator, phase):
            if self.calls == 7:
                raise StoppedError
            return super().step(batch, generator, phase)

    with pytest.raises(StoppedError):
        Trainer(halves, StopsAtSeven(), Points()).run()
    assert [entry["step"] for entry in log_of(halves)] == list(range(1, 8))
    Trainer(halves, Line(), Points()).run()
    assert log_of(halves) == log_of(whole)


def test_other_settings_in_the_same_folder_are_refused_by_name(tmp_path):
    config = config_in(tmp_path)
    Trainer(config, Line(), Points()).run()
    changed = replace(config, optim=replace(config.optim, lr=0.2))
    with pytest.raises(TrainingError, match=r"optim\.lr was 0\.1 and is 0\.2"):
        Trainer(changed, Line(), Points()).run()


def test_one_bad_step_is_left_out_and_many_end_the_run(tmp_path):
    method = Line(spoiled_steps=(3,))
    Trainer(config_in(tmp_path / "one"), method, Points()).run()
    assert torch.isfinite(method.networks["line"].weight).all()
    with pytest.raises(TrainingError, match="finite"):
        Trainer(config_in(tmp_path / "many", bad_steps=3), Line(range(2, 99)), Points()).run()


def test_frozen_networks_stay_as_they_are(tmp_path):
    method = Line()
    before = {k: v.clone() for k, v in method.networks["frozen"].state_dict().items()}
    Trainer(config_in(tmp_path), method, Points()).run()
    assert not method.networks["frozen"].training
    for name, value in method.networks["frozen"].state_dict().items():
        assert torch.equal(value, before[name])


def test_only_whole_checkpoints_count_and_old_ones_go(tmp_path):
    config = config_in(tmp_path, keep=2)
    Trainer(config, Line(), Points()).run()
    folder = config.folder / "checkpoints"
    (folder / ".000016.tmp").mkdir()
    found = checkpoints.find_checkpoints(folder)
    assert [path.name for path in found] == ["000008", "000012"]


def test_every_sample_is_seen_once_per_epoch():
    seen = torch.cat([draw_batch_indices(10, 4, seed=0, step=step) for step in range(5)])
    assert sorted(seen[:10].tolist()) == sorted(seen[10:].tolist()) == list(range(10))
    assert seen[:10].tolist() != seen[10:].tolist()


def test_cosine_schedule_warms_up_and_ends_at_its_share():
    config = OptimConfig(lr=1.0, warmup=10, schedule="cosine", final=0.02)
    assert learning_rate(config, 0, 100) == pytest.approx(0.1)
    assert learning_rate(config, 100, 100) == pytest.approx(0.02)
    assert learning_rate(config, 50, 100) == pytest.approx(0.51)


def test_streams_of_neighbouring_places_are_unrelated():
    seeds = {seeding.derive(seed, "step", step) for seed in range(20) for step in range(20)}
    assert len(seeds) == 400
    assert seeding.derive(1, "step", 23) != seeding.derive(1, "step", 2, 3)


def test_threads_are_the_main_threads_to_set():
    before = torch.get_num_threads()
    try:
        devices.use_threads(2)
        with ThreadPoolExecutor(1) as pool:
            pool.submit(devices.use_threads, 1).result()
        assert torch.get_num_threads() == 2
        devices.use_threads(1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
