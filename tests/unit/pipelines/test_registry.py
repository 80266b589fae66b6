"""The table of pipelines is true: what it names is there, and what others need is in it."""

import subprocess
import sys

import pytest
from torch import nn

from pipelines import registry
from pipelines.registry import REGISTRY, Entry

TOYS = [entry for entry in REGISTRY if entry.toy is not None]


def name_of(entry: Entry) -> str:
    return entry.name


@pytest.mark.parametrize("entry", REGISTRY, ids=name_of)
def test_every_class_is_where_its_path_says(entry):
    assert isinstance(entry.load_class(), type)
    assert callable(entry.load_class().__call__)
    assert entry.load_class().__module__ == entry.class_path.split(":")[0]


@pytest.mark.parametrize("entry", REGISTRY, ids=name_of)
def test_every_pipeline_says_what_lacks_here(entry):
    lacks = entry.list_missing()
    assert all(isinstance(each, str) and each for each in lacks)
    assert entry.missing or registry.is_ready(entry.name) == (lacks == [])


@pytest.mark.parametrize("entry", TOYS, ids=name_of)
def test_every_toy_is_its_pipeline_and_is_read_back(entry, tmp_path):
    entry.make_toy().save_pretrained(tmp_path)
    again = entry.load_class().from_pretrained(tmp_path)
    assert type(again) is entry.load_class()


@pytest.mark.parametrize("entry", REGISTRY, ids=name_of)
def test_every_network_to_export_is_there_with_its_weights(entry):
    for folder, path in entry.exports:
        assert issubclass(registry.load_object(path), nn.Module)
        assert registry.has_weights(folder)


def test_a_tab_needs_one_pipeline():
    tabs = [tab for entry in REGISTRY for tab in entry.tabs]
    assert len(tabs) == len(set(tabs))
    assert registry.entry_of_tab("looks-tab").name == "beautybank"


def test_names_are_unique():
    assert len({entry.name for entry in REGISTRY}) == len(REGISTRY)


def test_the_table_itself_imports_nothing_heavy():
    heavy = "{'torch', 'numpy', 'diffusers'}"
    code = f"import sys, pipelines.registry; assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
