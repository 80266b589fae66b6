import json

import numpy as np
import pytest
from PIL import Image

from models import tiny
from pipelines.tryon.pipeline_mcvton import MCVTONPipeline
from tests.command import run
from tests.integration.test_hostile_files import DAMAGED, NOT_PICTURES


@pytest.fixture
def folder(tmp_path, astronaut, red_shirt, toy_tryon):
    astronaut.save(tmp_path / "me.png")
    red_shirt.save(tmp_path / "shirt.png")
    return tmp_path


def test_a_shirt_is_tried_on_and_reported(folder):
    out, report = folder / "out.png", folder / "report.json"
    code, _ = run("tryon", folder / "me.png", folder / "shirt.png", "-o", out, "--report", report)
    assert code == 0
    figures = json.loads(report.read_text())
    assert figures["pixels_changed_outside"] == 0
    assert figures["garment_kind"] == "flat"
    assert "cropped_torso" in figures["advice"]
    with Image.open(out) as made, Image.open(folder / "me.png") as source:
        assert made.size == source.size
        assert (np.asarray(made.convert("RGB")) != np.asarray(source)).any()


def test_folders_give_every_pair_and_a_contact_sheet_past_bad_pictures(folder, astronaut):
    people, garments, out = folder / "people", folder / "garments", folder / "results"
    people.mkdir()
    garments.mkdir()
    astronaut.save(people / "a.png")
    (people / "b.jpg").write_bytes(NOT_PICTURES["paper.jpg"])
    (folder / "shirt.png").rename(garments / "red.png")
    (garments / "half.jpg").write_bytes(DAMAGED["half.jpg"])
    Image.new("RGB", (200, 200), (120, 120, 120)).save(garments / "wall.png")
    report = folder / "report.json"
    code, said = run("tryon", people, garments, "-o", out, "--report", report)
    assert code == 3
    assert all(name in said for name in ("b.jpg", "half.jpg", "wall.png"))
    assert "PDF document" in said
    assert "no garment" in said
    assert "Traceback" not in said
    assert sorted(p.name for p in out.iterdir()) == ["a__red.png", "contact-sheet.png"]
    assert len(json.loads(report.read_text())) == 6
    with Image.open(out / "contact-sheet.png") as sheet:
        assert sheet.size == (2 * 192, 2 * 256)


@pytest.mark.parametrize(
    "words",
    [
        ["{me}", "{shirt}", "-o", "{folder}/out.gif"],
        ["{me}", "{shirt}", "-o", "{shirt}"],
        ["{me}", "{shirt}", "-o", "{me}"],
        ["{me}", "-o", "{folder}/out.png"],
        ["{me}", "{shirt}", "-o", "{folder}/out.png", "--network", "guess"],
        ["{folder}/*.nothing", "{shirt}", "-o", "{folder}/x"],
    ],
)
def test_wrong_usage_ends_with_2_and_leaves_the_pictures_alone(folder, words):
    names = {"me": folder / "me.png", "shirt": folder / "shirt.png", "folder": folder}
    before = (folder / "me.png").read_bytes(), (folder / "shirt.png").read_bytes()
    assert run("tryon", *(word.format(**names) for word in words))[0] == 2
    assert before == ((folder / "me.png").read_bytes(), (folder / "shirt.png").read_bytes())


@pytest.fixture
def painting(monkeypatch, tmp_path_factory):
    toy = tmp_path_factory.mktemp("mc-vton")
    MCVTONPipeline(**tiny.mcvton()).save_pretrained(toy)
    monkeypatch.setenv("MIRRA_MCVTON", str(toy))


def test_mc_vton_paints_within_a_mask_that_can_be_edited(folder, painting):
    words = ["tryon", folder / "me.png", folder / "shirt.png", "--pipeline", "mcvton", "-o"]
    out, mask = folder / "out.png", folder / "mask.png"
    code, said = run(*words, out, "--save-mask", mask)
    assert code == 0
    edited = np.asarray(Image.open(mask)).copy()
    assert 0 < (edited > 127).mean() < 1
    edited[: edited.shape[0] // 2] = 0  # nothing is to change above the middle
    Image.fromarray(edited).save(mask)
    seed = said.rsplit(maxsplit=1)[1]
    again = folder / "again.png"
    assert run(*words, again, "--mask", mask, "--seed", seed)[0] == 0
    before, after = (np.asarray(Image.open(p).convert("RGB")) for p in (folder / "me.png", again))
    changed = (before != after).any(-1)
    assert changed.any()
    assert not changed[edited <= 127].any()


def test_a_mask_of_another_size_and_stray_options_get_a_sentence(folder, painting):
    words = ["tryon", folder / "me.png", folder / "shirt.png", "-o", folder / "out.png"]
    code, said = run(*words, "--pipeline", "mcvton", "--mask", folder / "shirt.png")
    assert code == 3
    assert "shirt.png" in said
    assert "Traceback" not in said
    assert run(*words, "--seed", "3")[0] == 2
    assert run(*words, "--pipeline", "mcvton", "--wear", "hat")[0] == 2
