"""What each way of distilling would need with FLUX itself, reckoned on a toy."""

import json
import warnings
from pathlib import Path

import pytest

from training.flux.distill_networks import METHODS
from training.flux.distill_teacher import make_toy_teacher
from training.memory.distill import (
    CARDS,
    adapt_preset,
    count_parts,
    format_table,
    low_rank_gigabytes,
    make_row,
    whole_network_gigabytes,
)
from training.train_distill import PRESETS

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return make_toy_teacher(tmp_path_factory.mktemp("toy") / "cache", seed=0)


@pytest.fixture(scope="module")
def needs(teacher):
    """What `training.memory.distill` finds, by method."""
    with warnings.catch_warnings():  # PyTorch's forward derivatives script a function
        warnings.simplefilter("ignore", DeprecationWarning)
        return {name: make_row(name, teacher) for name in METHODS}


def test_memory_counts_what_a_method_keeps(needs):
    def counts(name):
        return tuple(needs[name][key] for key in ("trained", "asked", "passes", "head"))

    assert counts("dmd2") == (2, 1, 3, True)
    assert counts("dmd") == (2, 1, 1, False)
    assert counts("sid") == (2, 1, 3, False)  # its gradient goes through teacher and critic
    assert counts("cd") == (1, 2, 1, False)
    assert counts("add") == (1, 1, 2, True)


def test_presets_fit_their_cards_by_calculation(needs):
    spread, one = ({name: sum(needs[name][p].values()) for name in needs} for p in CARDS)
    assert max(spread.values()) < 0.9 * 80
    assert 0.5 * 24 < max(one[name] for name in ("add", "ladd", "cd", "rcgm")) < 0.95 * 24
    assert min(one[name] for name in ("dmd", "dmd2", "sid")) > 24
    assert one[PRESETS["card24"][1].method] < 0.95 * 24


def test_only_the_transformer_is_spread_over_cards(teacher):
    parts = count_parts("dmd2", teacher)
    assert whole_network_gigabytes(parts, 8) > 80 > whole_network_gigabytes(parts, 16)
    one, eight = (
        low_rank_gigabytes(adapt_preset("card80", "dmd2"), parts, cards) for cards in (1, 8)
    )
    assert one["transformer"] == pytest.approx(8 * eight["transformer"])
    assert {**one, "transformer": 0} == {**eight, "transformer": 0}


def test_the_readme_shows_what_was_reckoned(needs):
    path = ROOT / "tests/benchmarks/results/distillation_memory.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]
    assert rows == list(needs.values())
    assert format_table(rows) in (ROOT / "training/README.md").read_text(encoding="utf-8")
