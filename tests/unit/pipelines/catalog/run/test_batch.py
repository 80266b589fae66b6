import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.messages import explain
from models.errors import CatalogError, CheckpointError
from pipelines.catalog.formats.tables import read_rows
from pipelines.catalog.run.batch import find_state_path, read_pictures
from pipelines.catalog.run.batch_worker import KNOWN, BatchExtractor, BatchLoader
from pipelines.catalog.run.duplicates import Duplicates, fingerprint
from pipelines.catalog.run.engines import Work
from pipelines.catalog.run.inputs import read_inputs, to_columns
from pipelines.catalog.run.state import RunState
from tests.mean_color import Deadly, MeanColor, Picky, TwoColors, Unready

ROOT = Path(__file__).resolve().parents[5]


def fill(folder: Path, count: int, seed: int = 0) -> Path:
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        color = tuple(int(value) for value in rng.integers(20, 235, 3))
        Image.new("RGB", (24, 32), color).save(folder / f"{number:03}.png")
    return folder


@pytest.fixture
def shop(tmp_path):
    folder = fill(tmp_path / "shop", 20)
    (folder / "005.png").write_bytes(b"")
    (folder / "006.png").write_text("no picture")
    (folder / "007.png").write_bytes((folder / "008.png").read_bytes()[:60])
    return folder


def read(folder, out, extractor=MeanColor, version="1", **options):
    work = Work(extractor, version, explain)
    return read_pictures(read_inputs([str(folder)]), out, work, **options)


def test_every_picture_has_its_row_and_bad_ones_say_why(shop, tmp_path):
    out = tmp_path / "out.jsonl"
    progress = read(shop, out)
    rows = list(read_rows(out))
    assert [row["sku"] for row in rows] == [f"{number:03}" for number in range(20)]
    assert (progress.pictures, progress.errors, progress.rows) == (20, 3, 20)
    assert [row["error"] for row in rows[5:8]] == ["empty", "unknown_kind", "damaged"]
    assert all(row["message"].endswith(".") for row in rows[5:8])
    for row in rows[:5]:
        with Image.open(row["source"]) as image:
            red, green, blue = image.getpixel((0, 0))
        assert row["hex"] == f"#{red:02x}{green:02x}{blue:02x}"
        assert row["lch"][1] == pytest.approx(np.hypot(*row["lab"][1:]), abs=0.01)


@pytest.mark.parametrize("ending", ["jsonl", "csv", "parquet"])
def test_rows_come_back_the_same_from_every_kind_of_table(shop, tmp_path, ending):
    read(shop, tmp_path / "reference.jsonl", TwoColors)
    out = tmp_path / f"out.{ending}"
    read(shop, out, TwoColors)
    first = out.read_bytes()
    assert list(read_rows(out)) == list(read_rows(tmp_path / "reference.jsonl"))
    read(shop, out, TwoColors)
    assert out.read_bytes() == first


def test_workers_change_nothing_and_a_deadly_picture_costs_one_row(shop, tmp_path):
    read(shop, tmp_path / "one.jsonl")
    Image.new("RGB", (40, 40), "white").save(shop / "deadly.png")
    read(shop, tmp_path / "two.jsonl", Deadly, workers=2)
    *others, deadly = read_rows(tmp_path / "two.jsonl")
    assert deadly["error"] == "CrashError"
    assert others == list(read_rows(tmp_path / "one.jsonl"))


def test_what_nobody_expected_is_a_row_too(shop, tmp_path):
    Image.new("RGB", (40, 40), "black").save(shop / "black.png")
    assert read(shop, tmp_path / "o.csv", Picky).errors == 4
    assert list(read_rows(tmp_path / "o.csv"))[-1]["error"] == "ZeroDivisionError"
    read(shop, tmp_path / "o.csv")  # with the mistake mended it is read again
    assert list(read_rows(tmp_path / "o.csv"))[-1]["status"] == "ok"


def test_missing_weights_end_the_run_rather_than_blame_every_picture(shop, tmp_path):
    with pytest.raises(CheckpointError):
        read(shop, tmp_path / "o.csv", Unready)
    assert not (tmp_path / "o.csv").exists()


def test_only_what_is_new_or_changed_is_read_again(shop, tmp_path):
    out = tmp_path / "out.jsonl"
    read(shop, out)
    assert read(shop, out).kept == 19  # all but the empty file, which has no content to know it by
    Image.new("RGB", (24, 32), "teal").save(shop / "001.png")
    (shop / "002.png").rename(shop / "000-first.png")
    progress = read(shop, out)
    assert progress.kept == 18
    fresh = tmp_path / "fresh.jsonl"
    read(shop, fresh)
    assert out.read_bytes() == fresh.read_bytes()
    assert read(shop, out, version="2").kept == 0


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path):
    shop = fill(tmp_path / "shop", 200)
    out, whole = tmp_path / "out.parquet", tmp_path / "whole.parquet"
    read(shop, whole)
    script = (
        "import signal, sys, time; sys.path.insert(0, sys.argv[1])\n"
        # a shell that runs the tests in the background has had SIGINT ignored
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from tests.unit.pipelines.catalog.run.test_batch import MeanColor, Path, read\n"
        "class Tired(MeanColor):\n"
        "    read = 0\n"
        "    def __call__(self, image, **words):\n"
        "        self.read += 1; time.sleep(0.3 * (self.read > 60))\n"
        "        return super().__call__(image, **words)\n"
        "read(sys.argv[2], Path(sys.argv[3]), Tired)\n"
    )
    known = written = 0
    for stop in (signal.SIGKILL, signal.SIGINT):
        run = subprocess.Popen(
            [sys.executable, "-c", script, str(ROOT), str(shop), str(out)],
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 60
        while run.poll() is None and time.monotonic() < until:
            if (
                find_state_path(out).exists()
                and find_state_path(out).stat().st_size > written + 60_000
            ):
                break
            time.sleep(0.01)
        run.send_signal(stop)
        run.wait(60)
        assert not out.exists()
        with RunState(find_state_path(out)) as state:
            before, known = known, len(state.read_keys())
        assert before < known < 200
        written = find_state_path(out).stat().st_size
    assert read(shop, out).kept >= known
    assert out.read_bytes() == whole.read_bytes()
    assert [p.name for p in tmp_path.iterdir() if ".tmp" in p.name] == []


def test_two_runs_do_not_write_one_result(shop, tmp_path):
    out = tmp_path / "out.jsonl"
    with RunState(find_state_path(out)), pytest.raises(CatalogError) as caught:
        read(shop, out)
    assert caught.value.reason == "busy"


def test_a_file_that_is_no_state_is_left_alone(shop, tmp_path):
    out = tmp_path / "out.jsonl"
    find_state_path(out).write_text("my diary\n" * 100)
    with pytest.raises(CatalogError, match="not the state"):
        read(shop, out)
    assert find_state_path(out).read_text().startswith("my diary")


def test_an_ending_we_do_not_write_is_refused_before_any_work(shop, tmp_path):
    with pytest.raises(CatalogError, match="xlsx"):
        read(shop, tmp_path / "out.xlsx")
    assert not find_state_path(tmp_path / "out.xlsx").exists()


def test_the_best_shade_comes_first_unless_it_is_a_palette(tmp_path):
    from pipelines.catalog.extract.rows import make_rows
    from pipelines.catalog.run.inputs import CatalogItem

    shades = [
        {
            "index": i,
            "hex": "#000000",
            "lab": (0, 0, 0),
            "name": "black",
            "spread": 0,
            "finish": "matte",
            "gloss": 0,
            "sparkle_density": 0,
            "sparkle_size": 0,
            "hue_shift": 0,
            "opacity": 1,
            "bbox_xyxy": (0, 0, 1, 1),
            "confidence": 1,
        }
        for i in range(3)
    ]
    found = {"status": "ok", "kind": "bullet", "shades": shades, "best": 2, "size_wh": (9, 9)}
    assert [r["shade_index"] for r in make_rows(CatalogItem("s", "s", "s"), found, "1")] == [
        2,
        0,
        1,
    ]
    found["kind"] = "palette"
    rows = make_rows(CatalogItem("s", "s", "s", category="blush"), found, "1")
    assert [r["shade_index"] for r in rows] == [0, 1, 2]
    assert [r["best"] for r in rows] == [False, False, True]
    assert {r["category"] for r in rows} == {"blush"}


def swatch(color, size=(320, 240)) -> Image.Image:
    """A round pan on white."""
    y, x = np.mgrid[: size[1], : size[0]]
    inside = np.hypot(x - size[0] * 0.4, y - size[1] / 2) < size[1] * 0.3
    pixels = np.where(inside[..., None], np.uint8(color), np.uint8(250))
    return Image.fromarray(pixels)


def test_a_repeated_picture_is_known_by_shape_and_color():
    seen = Duplicates(4)
    red = swatch((180, 30, 50))
    assert seen.find_first(fingerprint(red)) is None
    assert seen.find_first(fingerprint(swatch((180, 30, 50), (640, 480)))) == 0
    assert seen.find_first(fingerprint(red.resize((200, 150), Image.Resampling.BICUBIC))) == 0
    assert seen.find_first(fingerprint(swatch((150, 45, 90)))) is None, "another shade of one line"


def test_duplicates_are_exact_for_any_distance():
    import base64

    rng = np.random.default_rng(3)
    shapes = rng.integers(0, 2, (60, 64)).astype(np.uint8)
    shapes[30:] = shapes[:30]
    for number, row in enumerate(shapes[30:]):
        row[rng.permutation(64)[: number % 12]] ^= 1
    seen, kept = Duplicates(6), []
    for row in shapes:
        mark = base64.b64encode(np.packbits(row).tobytes() + bytes(192)).decode()
        near = [i for i, other in enumerate(kept) if (other != row).sum() <= 6]
        assert seen.find_first(mark) == (near[0] if near else None)
        if not near:
            kept.append(row)


def test_repeats_become_one_row_that_names_the_first(tmp_path):
    shop = tmp_path / "shop"
    shop.mkdir()
    swatch((180, 30, 50)).save(shop / "a.png")
    swatch((180, 30, 50), (640, 480)).save(shop / "b.jpg", quality=92)
    swatch((30, 80, 160)).save(shop / "c.png")
    out = tmp_path / "out.jsonl"
    read(shop, out, dedupe=4)
    first, second, third = read_rows(out)
    assert (first["status"], second["status"], third["status"]) == ("ok", "duplicate", "ok")
    assert second["duplicate_of"] == first["source"]
    read(shop, out)
    assert [row["status"] for row in read_rows(out)] == ["ok"] * 3


def test_reports_grow_batch_by_batch(shop, tmp_path):
    seen = []
    read(shop, tmp_path / "o.csv", report=lambda progress: seen.append(progress.pictures))
    assert seen == [16, 20]
    assert json.loads((tmp_path / "o.csv").read_text().splitlines()[1].split(",")[-2]) == 1


def test_the_batch_worker_takes_what_spark_and_ray_hand_over(shop, tmp_path):
    """The recipe of `batch_worker`'s docstring, with the frames that mapInPandas gives."""
    import pandas

    items = list(enumerate(read_inputs([str(shop)])))
    frames = [pandas.DataFrame(to_columns(items[start : start + 7])) for start in range(0, 20, 7)]
    load, extract = BatchLoader("1"), BatchExtractor(MeanColor)
    results = [
        pandas.DataFrame(extract(load({name: frame[name].to_numpy() for name in frame})))
        for frame in frames
    ]
    found = pandas.concat(results)
    assert list(found.columns) == ["position", "key", "payload"]
    assert found["position"].tolist() == list(range(20))
    assert sum(json.loads(text)["status"] == "ok" for text in found["payload"]) == 17
    known = frozenset(found["key"]) - {""}
    again = BatchLoader("1", known.intersection)(to_columns(items))
    assert again["payload"].tolist().count(KNOWN) == 19
    assert extract(again)["payload"].tolist().count(KNOWN) == 19


def test_a_batch_without_pictures_gives_one_without_results():
    empty = BatchExtractor(MeanColor)(BatchLoader("1")(to_columns([])))
    assert {name: len(values) for name, values in empty.items()} == {
        "position": 0,
        "key": 0,
        "payload": 0,
    }
