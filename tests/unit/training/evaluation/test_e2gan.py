"""E2GAN's recipe at toy size: what a look's training changes, finds and keeps."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models import seeding
from models.analysis.face_classes import LEFT_EYE, RIGHT_EYE, SKIN, UPPER_LIP
from models.errors import TrainingError
from models.small.e2gan import E2Gan
from training.data.makeup.look_pairs import LookPairs, choose_representatives
from training.evaluation.e2gan import find_regions, format_table, judge
from training.evaluation.held_out_pairs import HeldOutPairs
from training.evaluation.rank_search import ablate_by_freezing, search_ranks
from training.train_e2gan import PRESETS, build


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of a tiny base."""
    config = replace(PRESETS["tiny"][1], output=tmp_path_factory.mktemp("base"))
    config = replace(config, loop=replace(config.loop, threads=1, save_every=1))
    build(config).run()
    return config


def look_of(run, tmp_path, **changed):
    base = run.folder / "checkpoints" / "000003" / "weights" / "generator"
    settings = {"looks": ("new",), "base": base, "output": tmp_path} | changed
    return replace(run, **({"ranks": {"residual.2": 1}} | settings))


def losses(config):
    lines = (config.folder / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(x).items() if k != "s"} for x in lines]


def test_a_stopped_base_goes_on_to_the_same_losses(run, tmp_path):
    stopped = replace(run, output=tmp_path)
    first = build(stopped)
    fail_after(first.data, 2)
    with pytest.raises(InterruptedError):
        first.run()
    build(stopped).run()
    assert losses(stopped) == losses(run)


def fail_after(data, batches):
    """Let data fail after so many batches, as a machine that is switched off."""
    left, whole = iter(range(batches)), data.batch

    def batch(indices, generator):
        if next(left, None) is None:
            raise InterruptedError
        return whole(indices, generator)

    data.batch = batch


@pytest.mark.parametrize("ranks", [{"residual.2": 1, "up": 2}, {"residual.2": 0}])
def test_a_look_is_learned_and_the_base_stays_as_it_was(run, tmp_path, ranks):
    config = look_of(run, tmp_path, ranks=ranks)
    trainer = build(config)
    method = trainer.method
    before = {name: value.clone() for name, value in method.generator.state_dict().items()}
    concept = method.adapter.concept.detach().clone()
    trainer.run()
    assert not torch.equal(method.adapter.concept, concept)
    after = method.generator.state_dict()
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    weights = config.folder / "checkpoints" / "000003" / "weights"
    assert {path.name for path in weights.iterdir()} == {"adapter", "discriminator"}


def test_without_ranks_all_of_the_base_learns_the_look(run, tmp_path):
    config = look_of(run, tmp_path, ranks={})
    base = E2Gan.from_pretrained(config.base, low_cpu_mem_usage=False)
    trainer = build(config)
    start = trainer.method.generator.concept(torch.tensor([0]))
    torch.testing.assert_close(start[0], base.concept(torch.tensor([0, 1])).mean(0))
    trainer.run()
    assert not torch.equal(trainer.method.generator.stem[0].weight, base.stem[0].weight)


def test_a_picture_is_judged_as_the_look_it_is_meant_to_wear(run):
    batch = build(run).data.batch(torch.arange(8), seeding.generator_for(0))
    assert batch["look"].tolist() == [0] * 4 + [1] * 4
    redder = (batch["made_up"] - batch["bare"])[..., 24:, :].mean((2, 3))
    assert (redder[:4, 0] > 0.1).all()
    assert (redder[:4, 2] < 0.1).all()


def test_clusters_keep_one_picture_of_each_kind():
    """Five kinds of noise around five colours; one of each kind must stay."""
    rng = np.random.default_rng(0)
    colors = rng.integers(40, 200, (5, 1, 1, 1, 3))
    pictures = (colors + rng.integers(-8, 8, (5, 6, 16, 16, 3))).astype(np.uint8)
    kept = choose_representatives(pictures.reshape(30, 16, 16, 3), 5)
    assert sorted(kept // 6) == [0, 1, 2, 3, 4]


def test_more_pictures_than_there_are_cannot_be_kept():
    alike = np.zeros((4, 16, 16, 3), np.uint8)
    with pytest.raises(TrainingError) as caught:
        choose_representatives(alike, 2)
    assert (caught.value.found, caught.value.needed) == (1, 2)


def test_reduced_data_are_pairs_of_the_whole_data():
    data = LookPairs.synthetic(1, 32, seeding.generator_for(0))
    few = data.keep_representatives(2)
    kept = {bare.tobytes(): made_up.tobytes() for bare, made_up in pairs_of(few)}
    assert len(kept) == 2
    assert kept.items() <= {a.tobytes(): b.tobytes() for a, b in pairs_of(data)}.items()


def pairs_of(data):
    return zip(data.pairs.bare, data.pairs.made_up, strict=True)


def test_the_layer_that_is_missed_most_is_the_most_crucial():
    worth = {"a": 1.0, "b": 5.0, "c": 3.0}

    def measure_error(ranks):
        return 10.0 - sum(worth[layer] for layer in ranks)

    assert ablate_by_freezing(tuple(worth), 2, measure_error) == {"b": 5.0, "c": 3.0, "a": 1.0}


def test_ranks_are_raised_until_it_stops_paying():
    """One layer is done at rank 4 and the other at rank 1; each further doubling gains nothing."""
    enough = {"one": 4, "other": 1}

    def measure_error(ranks):
        return sum(1.0 / max(min(rank, enough[layer]), 0.5) for layer, rank in ranks.items())

    ranks, curve = search_ranks(("one", "other"), measure_error, lambda ranks: True)
    assert ranks == enough
    assert curve[0][0] == {"one": 0, "other": 0}
    assert [tried["one"] for tried, _ in curve] == [0, 1, 2, 4, 8, 4]


def test_ranks_are_not_raised_beyond_what_is_affordable():
    ranks, _ = search_ranks(
        ("one",), lambda ranks: 1.0 / (1 + ranks["one"]), lambda ranks: ranks["one"] <= 8
    )
    assert ranks == {"one": 8}


def test_the_teachers_own_picture_has_no_error_and_a_red_lip_none_on_the_cheeks():
    classes = np.full((1, 32, 32), SKIN, np.uint8)
    classes[:, 8:11, 6:12], classes[:, 8:11, 20:26] = RIGHT_EYE, LEFT_EYE
    classes[:, 22:25, 11:21] = UPPER_LIP
    source = torch.zeros(1, 3, 32, 32)
    target = source.clone()
    target[:, 0, 22:25, 11:21] = 0.8
    held_out = HeldOutPairs(source, target, target, classes)
    assert set(judge(held_out, target).values()) == {0.0}
    bare = judge(held_out, source)
    assert bare["lips"] == bare["painted"] > 20
    assert bare["cheeks"] == bare["eyes"] == 0
    rows, columns = np.nonzero(find_regions(held_out)["cheeks"][0])
    assert (rows.min(), rows.max()) == (11, 21)
    assert not set(columns) & set(range(11, 21))


def test_the_table_in_the_readme_is_the_measured_one():
    root = Path(__file__).parents[4]
    found = json.loads((root / "tests/benchmarks/results/e2gan.json").read_text())
    assert format_table(found["rows"]) in (root / "training/README.md").read_text(encoding="utf-8")
