import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from pipelines.registry import REGISTRY

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text()
RESULTS = ROOT / "tests" / "benchmarks" / "results"


def test_the_python_in_the_readme_runs_in_any_folder(
    tmp_path, tmp_path_factory, astronaut, red_shirt
):
    site = tmp_path_factory.mktemp("site")  # knows Mirra as `pip install -e .` makes it known
    (site / "mirra.py").symlink_to(ROOT / "mirra.py")
    astronaut.save(tmp_path / "me.jpg")
    red_shirt.save(tmp_path / "top.jpg")
    (code,) = re.findall(r"```python\n(.*?)```", README, re.S)
    (tmp_path / "example.py").write_text(code)
    subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        check=True,
    )
    made = sorted(tmp_path.glob("*.png"))
    assert [path.name for path in made] == ["lips.png", "smoky.png", "softer.png", "top.png"]
    for path in made:
        with Image.open(path) as picture:
            assert picture.size == (512, 512)


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


@pytest.mark.parametrize(
    ("row", "stage"),
    [
        ("try-on of a 1024x768 photo", "whole_picture_1024x768"),
        ("another top on the same photo", "another_top_on_a_known_person"),
    ],
)
def test_try_on_times_are_those_measured(row, stage):
    figures = json.loads((RESULTS / "bench_tryon.json").read_text())
    assert found(row)[0] == round(figures[stage]["median_ms"])


def said(words: str) -> list[float]:
    """The numbers in a sentence of the README that begins with these words."""
    (sentence,) = re.findall(rf"{re.escape(words)}.*?(?=\n\n)", README, re.S)
    return [float(n) for n in re.findall(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w.]*\d)", sentence)]


def test_try_on_figures_are_those_measured():
    figures = json.loads((RESULTS / "evaluation_dmvton.json").read_text())
    numbers = said("**Try-on is a first version.**")
    again = figures["unpaired"]["our student"]["top1"], figures["photographs"]["top1"]
    pixels = [figures["swap_back"][f"fill: {way}"]["l1"] for way in ("our student", "flat paste")]
    assert numbers[0] == figures["pictures"]
    assert numbers[2:4] == [round(100 * x) for x in again]  # after "one of 64"
    assert numbers[-2:] == [round(x, 1) for x in pixels]


def test_product_figures_are_those_measured():
    figures = json.loads((RESULTS / "evaluation_products.json").read_text())
    report = figures["colors"]["report"]
    assert said("**Product colours** lie within CIEDE2000") == [
        round(report["median"], 1),
        report["count"],
        round(100 * report["under_5"]),
        5,  # "under 5"
        round(figures["rendered_finishes"]["macro_f1"], 2),
    ]
