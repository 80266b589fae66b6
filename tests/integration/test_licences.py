"""Where only commercial use will do, nothing else runs."""

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.licences import refuse_unlicensed
from models.errors import WeightsError
from pipelines.registry import REGISTRY

COMMANDS = [
    ["makeup", "me.png", "--look", "nude", "-o", "out.png"],
    ["makeup", "me.png", "her.png", "-o", "out.png", "--pipeline", "flux-makeup"],
    ["looks", "save", "her.png", "-o", "look.json"],
    ["looks", "encode", "her.png", "-o", "look.safetensors"],
    ["shade", "me.png", "--color", "#b01030", "-o", "out.png"],
    ["tryon", "me.png", "top.png", "-o", "out.png"],
    ["attributes", "me.png", "-o", "out.jsonl"],
    ["catalog", "search", "-c", "catalog", "--like", "me.png"],
    ["catalog", "match", "-c", "catalog", "--face", "me.png"],
    ["catalog", "match", "-c", "catalog", "--skin", "me.png"],
]


@pytest.mark.parametrize("how", ["option", "environment"])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_every_command_refuses_research_weights(words, how, tmp_path, monkeypatch, astronaut):
    monkeypatch.chdir(tmp_path)
    for name in ("me.png", "her.png", "top.png"):
        astronaut.save(name)
    before = sorted(tmp_path.iterdir())
    if how == "environment":
        monkeypatch.setenv("MIRRA_COMMERCIAL_ONLY", "1")
    refused = CliRunner().invoke(app, words + ["--commercial-only"] * (how == "option"))
    assert isinstance(refused.exception, WeightsError), refused.output
    assert refused.exception.reason == "licence"
    assert sorted(tmp_path.iterdir()) == before


def test_looking_a_color_up_needs_no_weights(tmp_path):
    words = ["catalog", "search", "-c", str(tmp_path / "catalog"), "--color", "#b01030"]
    asked = CliRunner().invoke(app, [*words, "--commercial-only"])
    assert asked.exit_code == 2  # there is no such catalogue, and that is all
    assert not isinstance(asked.exception, WeightsError)


def test_every_pipeline_says_what_a_user_must_observe():
    for entry in REGISTRY:
        licence = entry.licence
        assert all((licence.code, licence.weights, licence.base, licence.data))
        assert licence.commercial or "commercial" in f"{licence.weights} {licence.base}"
        refuse_unlicensed(entry.name, commercial_only=False)
