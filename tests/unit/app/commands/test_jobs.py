import ast
import json
from pathlib import Path

import pytest
import typer

from app.commands.jobs import Job, JobItem, blame, find_sources, plan_job
from models.errors import NoFaceError, WeightsError

COMMANDS = Path(__file__).resolve().parents[4] / "app" / "commands"


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("b.png", "a.JPG", "notes.txt", "c.webp"):
        (folder / name).touch()
    return folder


def test_a_folder_a_glob_and_a_path_name_pictures(photos):
    names = ["a.JPG", "b.png", "c.webp"]
    assert [path.name for path in find_sources(str(photos)).paths] == names
    assert [path.name for path in find_sources(str(photos / "*.[jJpP]*")).paths] == names[:2]
    single = find_sources(str(photos / "not-there.png"))
    assert (single.paths, single.many) == ([photos / "not-there.png"], False)


@pytest.mark.parametrize("text", ["empty", "photos/*.tiff"])
def test_what_names_no_picture_is_wrong_usage(photos, text):
    (photos.parent / "empty").mkdir()
    with pytest.raises(typer.BadParameter):
        find_sources(str(photos.parent / text))


def test_each_source_meets_each_reference(photos):
    out = photos.parent / "out"
    job = plan_job(find_sources(str(photos)), ["nude", "her/red.png"], out, "jpeg")
    assert [item.target.name for item in job.items[:3]] == [
        "a__nude.jpg",
        "a__red.jpg",
        "b__nude.jpg",
    ]
    assert len(job.items) == 6
    assert out.is_dir()


def test_no_result_takes_the_place_of_a_source_or_of_another(photos):
    (photos / "a.png").touch()
    with pytest.raises(typer.BadParameter, match="would both become"):
        plan_job(find_sources(str(photos)), [""], photos.parent / "out")
    with pytest.raises(typer.BadParameter, match="would overwrite"):
        plan_job(find_sources(str(photos / "b.png")), [""], photos / "b.png")


def plan_pairs(*pairs: str) -> Job:
    items = (pair.split() for pair in pairs)
    return Job([JobItem(Path(a), b, Path(f"{a}-{b}")) for a, b in items], in_folder=True)


def test_one_bad_picture_does_not_end_the_others_and_is_told_at_the_end(tmp_path, capsys):
    job = plan_pairs("a x", "b x", "c x")

    def make(item: JobItem) -> dict[str, object]:
        if item.source.name == "b":
            raise NoFaceError("none", found=0, needed=1)
        return {"result": item.target.name}

    job.run(make, bar=False)
    job.write_report(tmp_path / "report.json")
    with pytest.raises(typer.Exit) as ended:
        job.finish()
    assert ended.value.exit_code == 3
    assert capsys.readouterr().err.startswith("b: We found no face in this picture.")
    first, second, third = json.loads((tmp_path / "report.json").read_text())
    assert (first, third) == (
        {"source": "a", "result": "a-x"},
        {"source": "c", "result": "c-x"},
    )
    assert second.keys() == {"source", "error"}


def test_a_picture_that_several_items_share_is_tried_and_blamed_once():
    job, tried = plan_pairs("a bad", "b bad", "b good"), []

    def make(item: JobItem) -> dict[str, object]:
        tried.append(item)
        with blame(Path(item.reference)):
            if item.reference == "bad":
                raise OSError("unreadable")
        return {}

    job.run(make, shared=lambda item: (item.source, Path(item.reference)), bar=False)
    assert tried == [job.items[0], job.items[2]]
    assert [path.name for path, _ in job.failures] == ["bad"]
    assert [report.get("error") is not None for report in job.reports] == [True, True, False]


def test_without_weights_the_run_ends_at_once():
    def make(_: JobItem) -> dict[str, object]:
        raise WeightsError("gated", reason="gated")

    with pytest.raises(WeightsError):
        plan_pairs("a x", "b x").run(make, bar=False)


def test_no_command_imports_from_another():
    cli = ast.parse((COMMANDS.parent / "cli.py").read_text())
    commands = {
        alias.name
        for node in ast.walk(cli)
        if isinstance(node, ast.ImportFrom) and node.module == "app.commands"
        for alias in node.names
    }
    assert {"makeup", "shade", "tryon", "pairs"} <= commands
    imported = {
        f"{path.name} from {node.module}"
        for path in COMMANDS.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
        and node.module in {f"app.commands.{name}" for name in commands}
    }
    assert imported == set()
