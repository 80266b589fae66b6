"""A bank of looks: kept once, found by likeness."""

import numpy as np
import pytest

from models.beautybank.code import MakeupCode, mix
from models.beautybank.networks import SLOTS
from models.errors import CatalogError, LookError
from pipelines.makeup.bank import LookBank, project_to_plane
from pipelines.makeup.code_files import CodedLook

pytest.importorskip("lancedb")


def look(seed, network="a" * 16):
    rng = np.random.default_rng(seed)
    code = MakeupCode(
        rng.normal(size=(4, 8)).astype(np.float32), rng.normal(size=(SLOTS, 3)).astype(np.float32)
    )
    return CodedLook(code, f"look {seed}", network, np.zeros((64, 64, 3), np.uint8))


@pytest.fixture
def bank(tmp_path):
    bank = LookBank(tmp_path / "bank")
    bank.add(look(seed) for seed in range(12))
    return bank


def test_a_look_is_found_by_itself_first_and_kept_once(bank):
    bank.add([look(3)])
    assert len(bank) == 12
    found = bank.find_similar(look(3), 4)
    assert found[0].look.name == "look 3"
    assert found[0].distance == pytest.approx(0, abs=1e-4)
    distances = [neighbour.distance for neighbour in found]
    assert distances == sorted(distances)
    apart = look(3).code.vector - found[1].look.code.vector
    assert distances[1] == pytest.approx(np.sqrt((apart**2).mean()), rel=1e-4)


def test_lips_are_found_by_lips_alone(bank):
    mixed = look(5)
    asked = CodedLook(mix(look(50).code, {"lips": mixed.code}), "x", mixed.network, mixed.preview)
    assert bank.find_similar(asked, 1, "lips")[0].look.name == "look 5"


def test_looks_of_other_networks_are_not_compared(bank, tmp_path):
    with pytest.raises(LookError):
        bank.find_similar(look(1, "b" * 16))
    with pytest.raises(LookError):
        bank.add([look(1, "b" * 16)])
    with pytest.raises(CatalogError):
        LookBank(tmp_path / "nowhere").find_similar(look(1))


def test_a_map_keeps_apart_what_is_far_apart():
    line = np.outer(np.linspace(-3, 3, 7), np.ones(9)) + np.float64([0, 1e-3] * 4 + [0])
    places = project_to_plane(line)
    assert np.all(np.diff(places[:, 0]) > 0) or np.all(np.diff(places[:, 0]) < 0)
    assert np.abs(places).max() <= 1
