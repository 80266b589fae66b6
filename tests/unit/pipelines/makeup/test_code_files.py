"""Codes as files: what is in them, and what is refused."""

import json

import numpy as np
import pytest
from safetensors.numpy import save

from models.beautybank.code import MakeupCode
from models.beautybank.networks import SLOTS
from models.errors import LookError
from pipelines.makeup.code_files import CodedLook, load_code


@pytest.fixture
def look():
    rng = np.random.default_rng(0)
    pattern = np.zeros((256, 256, 3), np.float32)
    pattern[90:100, 40:80] = rng.normal(0, 12, (10, 40, 3))
    code = MakeupCode(
        rng.normal(size=(4, 32)).astype(np.float32), rng.normal(size=(SLOTS, 3)).astype(np.float32)
    ).with_detail(pattern)
    preview = rng.integers(0, 255, (64, 64, 3), np.uint8)
    return CodedLook(code, "night out", "0123456789abcdef", preview)


def parts(look):
    code = look.code
    return {
        "structure": code.structure,
        "colors": code.colors,
        "brows": code.brows,
        "places": code.places,
        "values": code.values,
        "preview": look.preview,
    }


META = {"mirra_code": "1", "name": "x", "network": "y"}


def test_a_code_comes_back_from_its_file_bit_for_bit(look, tmp_path):
    (tmp_path / "look.safetensors").write_bytes(look.to_bytes())
    again = load_code(tmp_path / "look.safetensors")
    assert again.name == "night out"
    assert again.network == look.network
    for name, values in parts(look).items():
        assert np.array_equal(parts(again)[name], values, equal_nan=True), name


def test_a_file_says_nothing_but_version_name_and_networks(look):
    data = look.to_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert header["__metadata__"].keys() == {"mirra_code", "name", "network"}
    assert len(data) < 20_000


@pytest.mark.parametrize(
    ("change", "meta"),
    [
        ({"colors": np.zeros((SLOTS + 1, 3), np.float32)}, META),
        ({"colors": np.full((SLOTS, 3), np.nan, np.float32)}, META),
        ({"structure": np.full((4, 32), 1e9, np.float32)}, META),
        ({"structure": np.zeros((4, 32), np.float64)}, META),
        ({"places": np.uint16([3, 3]), "values": np.zeros((2, 3), np.int8)}, META),
        ({"places": np.uint16([3]), "values": np.zeros((2, 3), np.int8)}, META),
        ({"preview": np.zeros((640, 64, 3), np.uint8)}, META),
        ({"photo": np.zeros(9, np.uint8)}, META),
        ({}, META | {"mirra_code": "2"}),
        ({}, META | {"name": "a\nb"}),
        ({}, META | {"gps": "48.1, 11.6"}),
    ],
)
def test_what_no_code_holds_is_refused(look, change, meta):
    with pytest.raises(LookError):
        CodedLook.from_bytes(save({**parts(look), **change}, meta))


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00" * 8, b"\xff" * 200, b"{}", b"\x02\x00\x00\x00\x00\x00\x00\x00{}", b"x" * 200_000],
)
def test_what_is_no_code_at_all_is_refused(data):
    with pytest.raises(LookError):
        CodedLook.from_bytes(data)


def test_a_file_cut_off_anywhere_is_refused(look):
    data = look.to_bytes()
    for end in (4, 60, 400, len(data) // 2, len(data) - 1):
        with pytest.raises(LookError):
            CodedLook.from_bytes(data[:end])
