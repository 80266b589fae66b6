import json

import numpy as np
import pytest
from PIL import Image

from pipelines.makeup.look import Look
from pipelines.makeup.look_files import read_embedded
from pipelines.makeup.named_looks import NAMES
from pipelines.registry import REGISTRY
from tests.command import run


@pytest.fixture
def folder(tmp_path, astronaut, painted):
    astronaut.save(tmp_path / "me.png")
    painted.save(tmp_path / "look.png")
    return tmp_path


def pixels(path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_reference_is_worn_and_reported(folder):
    out, report = folder / "out.png", folder / "report.json"
    assert (
        run("makeup", folder / "me.png", folder / "look.png", "-o", out, "--report", report)[0] == 0
    )
    figures = json.loads(report.read_text())
    assert figures["pixels_changed_outside"] == 0
    assert figures["faces"][0]["delta_e"]["lips"] < 6
    assert np.abs(pixels(out) - pixels(folder / "me.png")).max() > 40
    assert read_embedded(out) is not None


def test_the_result_replays_as_a_reference(folder):
    first, again = folder / "first.png", folder / "again.png"
    run("makeup", folder / "me.png", folder / "look.png", "-o", first, "--lips", "0.4")
    run("makeup", folder / "me.png", first, "-o", again)
    assert np.array_equal(pixels(first), pixels(again))


def test_strength_zero_gives_the_source_back(folder):
    out = folder / "out.png"
    run("makeup", folder / "me.png", "--look", "festival", "--strength", "0", "-o", out)
    assert np.array_equal(pixels(out), pixels(folder / "me.png"))


def test_one_region_can_come_from_another_look(folder):
    out, lips = folder / "out.png", folder / "lips.png"
    run("makeup", folder / "me.png", "--look", "nude", "--lips-from", "deep-plum", "-o", out)
    run("makeup", folder / "me.png", "--look", "nude", "-o", lips)
    assert np.abs(pixels(out) - pixels(lips)).max() > 40
    only = folder / "only.png"
    assert run("makeup", folder / "me.png", "--lips-from", "deep-plum", "-o", only)[0] == 0


def test_a_folder_goes_on_past_a_bad_picture_and_says_which(folder, astronaut):
    shop = folder / "shop"
    shop.mkdir()
    astronaut.save(shop / "a.png")
    astronaut.save(shop / "c.jpg")
    (shop / "b.png").write_text("no picture")
    Image.new("RGB", (200, 200), "green").save(shop / "lawn.webp")
    (shop / "notes.txt").write_text("not meant")
    code, said = run("makeup", shop, "--look", "classic-red", "-o", folder / "results")
    assert code == 3
    assert "b.png" in said
    assert "lawn.webp" in said
    assert "Traceback" not in said
    assert sorted(p.name for p in (folder / "results").iterdir()) == ["a.png", "c.png"]


def test_several_references_give_one_result_each(folder):
    out = folder / "results"
    code, _ = run("makeup", folder / "me.png", folder / "look.png", "sunset", "-o", out)
    assert code == 0
    assert sorted(p.name for p in out.iterdir()) == ["me__look.png", "me__sunset.png"]


@pytest.mark.parametrize(
    "words",
    [
        ["makeup", "{me}", "-o", "{out}"],
        ["makeup", "{me}", "--look", "nude"],
        ["makeup", "{me}", "--look", "nude", "-o", "{out}", "--lips", "1.5"],
        ["makeup", "{me}", "--look", "nude", "-o", "{out}", "--face", "left"],
        ["makeup", "{me}", "--look", "nude", "-o", "{folder}/out.gif"],
        ["makeup", "{me}", "--look", "nude", "-o", "{folder}/nowhere/out.png"],
        ["makeup", "{me}", "--look", "nude", "-o", "{me}"],
        ["makeup", "{folder}/*.nothing", "--look", "nude", "-o", "{folder}/x"],
        ["makeup", "{folder}", "--look", "nude", "-o", "{me}"],
        ["makeup", "{me}", "{me}", "-o", "{out}", "--pipeline", "nano-flux", "--model", "x"],
        ["makeup", "{me}", "{me}", "-o", "{out}", "--pipeline", "nano-flux", "--size", "128"],
        ["makeup", "{me}", "--look", "nude", "-o", "{out}", "--pipeline", "nano-flux"],
        ["pairs", "{folder}", "{out}", "--others", "--editor", "somewhere"],
        ["paint"],
    ],
)
def test_wrong_usage_ends_with_2(folder, words):
    names = {"me": folder / "me.png", "out": folder / "out.png", "folder": folder}
    before = (folder / "me.png").read_bytes()
    assert run(*(word.format(**names) for word in words))[0] == 2
    assert (folder / "me.png").read_bytes() == before


def test_two_pictures_of_one_name_are_not_mixed_up(folder, astronaut):
    shop = folder / "shop"
    shop.mkdir()
    astronaut.save(shop / "a.png")
    astronaut.save(shop / "a.jpg")
    code, said = run("makeup", shop, "--look", "nude", "-o", folder / "results")
    assert code == 2
    assert "rename" in said


@pytest.mark.parametrize("words", [["--look", "no-such-look"], ["{folder}/lawn.png"]])
def test_a_look_that_cannot_be_read_ends_with_3_and_a_sentence(folder, words, capsys, monkeypatch):
    from app.cli import main

    Image.new("RGB", (200, 200), "green").save(folder / "lawn.png")
    words = [word.format(folder=folder) for word in words]
    monkeypatch.setattr(
        "sys.argv", ["mirra", "makeup", str(folder / "me.png"), *words, "-o", str(folder / "o.png")]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.endswith(".")
    assert "Traceback" not in said


def test_looks_are_listed_and_saved(folder):
    code, listed = run("looks")
    assert code == 0
    assert all(name in listed for name in NAMES)
    assert len(NAMES) >= 8
    out = folder / "look.json"
    assert run("looks", "save", "bronze", "-o", out)[0] == 0
    assert Look.from_json(out.read_bytes()).name == "Bronze"
    assert run("makeup", folder / "me.png", "--look", out, "-o", folder / "o.png")[0] == 0


def test_models_says_what_is_here_and_whether_it_may_be_sold():
    code, said = run("models")
    assert code == 0
    assert "instant (makeup): ready" in said
    assert said.count("may I use this commercially?  no") == len(REGISTRY)
    assert "base     FLUX.1-dev" in said


def test_a_tiny_net_says_which_look_it_wears(folder):
    out = folder / "tiny.png"
    code, said = run(
        "makeup", folder / "me.png", "--look", "nude", "-o", out, "--pipeline", "tiny-beauty"
    )
    assert code == 2
    assert "classic-red only" in " ".join(said.split())
    assert not out.exists()


@pytest.mark.parametrize("words", [("--strength", 0.4), ("--lips", 0.4)])
def test_a_soft_result_is_reported_at_its_own_strength(folder, words):
    out, report = folder / "out.png", folder / "report.json"
    run("makeup", folder / "me.png", "--look", "classic-red", *words, "-o", out, "--report", report)
    (face,) = json.loads(report.read_text())["faces"]
    assert face["delta_e"]["lips"] < 3
