import json
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from models.dmvton.student import LightStudent
from models.errors import TrainingError
from training import train_dmvton, train_parsing
from training.config import from_command_line
from training.data.tryon.batches import SyntheticTryOn
from training.evaluation.dmvton import recolor
from training.evaluation.tryon_measures import (
    describe_garment,
    measure_retrieval,
    measure_still_visible,
)

ROOT = Path(__file__).parents[3]


def losses_of(folder):
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(x).items() if k != "s"} for x in lines]


def test_the_parser_learns_synthetic_people_in_five_steps(tmp_path):
    config = replace(train_parsing.PRESETS["tiny"][1], output=tmp_path)
    train_parsing.build(config).run()
    assert len(losses_of(config.folder)) == 5


@pytest.mark.parametrize("stage", ["pb_warp", "pb_e2e", "pf_warp", "pf_e2e"])
def test_every_stage_takes_its_tiny_steps(tmp_path, stage):
    config = replace(train_dmvton.PRESETS[f"{stage}_tiny"][1], output=tmp_path)
    before = train_dmvton.build(config)
    network = "teacher" if stage.startswith("pb") else "student"
    start = {k: v.clone() for k, v in before.method.networks[network].named_parameters()}
    frozen = [n for n in before.method.networks if n != network]
    kept = {n: [p.clone() for p in before.method.networks[n].parameters()] for n in frozen}
    before.run()
    moved = [
        not torch.equal(start[k], v) for k, v in before.method.networks[network].named_parameters()
    ]
    assert any(moved)
    for name in frozen:
        pairs = zip(kept[name], before.method.networks[name].parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs)
    assert len(losses_of(config.folder)) == 3


def test_a_run_killed_in_the_middle_goes_on_to_bit_equal_losses(tmp_path):
    settings = ["--loop.steps", "12", "--loop.save-every", "4", "--loop.threads", "1"]

    def command(output):
        words = [sys.executable, "-m", "training.train_dmvton", "tiny", "--output", str(output)]
        return subprocess.Popen([*words, *settings], cwd=ROOT)

    killed = command(tmp_path / "killed")
    folder = tmp_path / "killed" / "dmvton-pf_e2e-tiny"
    deadline = time.monotonic() + 100
    while not (folder / "checkpoints" / "000004").is_dir() and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    config = replace(
        from_command_line(
            train_dmvton.PRESETS, "", ["tiny", "--output", str(tmp_path / "killed"), *settings]
        )
    )
    train_dmvton.build(config).run()
    whole = replace(config, output=tmp_path / "whole")
    train_dmvton.build(whole).run()
    assert len(losses_of(whole.folder)) == 12
    assert losses_of(folder) == losses_of(whole.folder)


def test_what_a_run_leaves_is_read_by_from_pretrained(tmp_path):
    config = replace(train_dmvton.PRESETS["tiny"][1], output=tmp_path)
    train_dmvton.build(config).run()
    weights = config.folder / "checkpoints" / "000003" / "weights"
    student = LightStudent.from_pretrained(weights / "student").eval()
    batch = SyntheticTryOn().batch(torch.arange(1), torch.Generator().manual_seed(0))
    result, _ = student(batch["person"], batch["garment"], batch["garment_mask"])
    assert torch.isfinite(result.image).all()


def test_a_student_without_a_teacher_is_refused():
    config = replace(train_dmvton.PRESETS["pf_e2e"][1], data=Path("somewhere"))
    with pytest.raises(TrainingError, match="--teacher"):
        train_dmvton.build(config)


def test_retrieval_finds_what_is_there_and_not_what_is_not():
    garments = torch.eye(64)
    assert measure_retrieval(garments, garments) == {"top1": 1.0, "top5": 1.0}
    assert measure_retrieval(garments.roll(7, 0), garments)["top1"] == 0.0


def test_the_old_garment_is_visible_until_it_is_painted_over():
    batch = SyntheticTryOn().batch(torch.arange(4), torch.Generator().manual_seed(2))
    person, parts = batch["person"], batch["parts"]
    other = batch["other_garment"], batch["other_mask"]
    assert measure_still_visible(person, person, parts, *other).max() == pytest.approx(1, abs=1e-5)
    assert measure_still_visible(batch["fill"], person, parts, *other).max() == 0


def test_recoloring_gives_the_region_the_garments_mean():
    batch = SyntheticTryOn().batch(torch.arange(2), torch.Generator().manual_seed(2))
    other = batch["other_garment"], batch["other_mask"]
    painted = recolor(batch["person"], batch["parts"], *other)
    torch.testing.assert_close(
        painted[:, :, 40, 32], batch["other_garment"][:, :, 30, 30], atol=1e-4, rtol=0
    )


def test_garment_features_of_the_same_cloth_agree():
    batch = SyntheticTryOn().batch(torch.arange(4), torch.Generator().manual_seed(2))
    features = describe_garment(batch["garment"], batch["garment_mask"])
    assert features[:, :216].sum(1).tolist() == pytest.approx([1.0] * 4)
