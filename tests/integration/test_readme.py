import json
import re
from pathlib import Path

import pytest
from PIL import Image

from pipelines.registry import REGISTRY

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
RESULTS = ROOT / "tests" / "benchmarks" / "results"


def test_the_python_in_the_readme_runs(tmp_path, monkeypatch):
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(code, {})
    with Image.open("out.png") as made:
        assert made.size == (512, 512)


def test_every_picture_in_the_readme_is_in_the_repository():
    pictures = re.findall(r"!\[.+?\]\((.+?)\)", README)
    assert pictures
    assert [p for p in pictures if not (ROOT / p).is_file()] == []


def test_every_pipeline_has_its_row():
    for entry in REGISTRY:
        assert f"| {entry.name} | {entry.task} |" in README


def found(row: str) -> list[float]:
    """The numbers in a row of the README's tables, after its name."""
    (line,) = [line for line in README.splitlines() if line.startswith(f"| {row} |")]
    return [float(n) for n in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", line.split("|", 2)[2])]


@pytest.mark.parametrize(
    ("row", "measure"),
    [
        ("lips, CIEDE2000 to the reference's", "lips_delta_e"),
        ("eyeshadow reached", "eyes_reached"),
        ("blush reached", "cheeks_reached"),
        ("skin tone moved, CIEDE2000", "skin_shift"),
        ("skin texture kept, correlation", "laplacian_correlation"),
        ("landmark drift, % of the eye distance", "landmark_drift"),
        ("gradient along the face's outline", "oval_gradient"),
    ],
)
def test_quality_figures_are_those_measured(row, measure):
    figures = json.loads((RESULTS / "evaluation_makeup.json").read_text())
    median = figures["overall"][measure]["median"]
    gap = figures["by_skin_tone"]["gap"][measure]
    assert found(row)[:2] == [round(median, 2), round(gap, 2)]


@pytest.mark.parametrize(
    ("row", "stage"),
    [("whole transfer", "whole_transfer"), ("a slider moves", "blend_on_slider_move")],
)
def test_times_are_those_measured(row, stage):
    figures = json.loads((RESULTS / "bench_instant.json").read_text())
    assert found(row)[0] == figures["stages"][stage]["median_ms"]
