"""How fast the catalogue reads and searches, how flat its memory is, and whether it survives.

    python tests/benchmarks/bench_catalog.py throughput memory kills search

Each part named is measured and written to results/bench_catalog.json; the others stay as they are.
All pictures are synthetic. `memory` and `kills` read them with the mean-colour extractor of the
tests, for they are about the machinery; `throughput` uses it and the real extractor.
"""

from __future__ import annotations

import json
import os
import platform
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from PIL import Image, ImageDraw

from pipelines.catalog.run.batch import BatchProgress, find_state_path, read_pictures
from pipelines.catalog.run.batch_worker import BatchExtractor
from pipelines.catalog.run.engines import Work, use_one_thread
from pipelines.catalog.run.inputs import read_inputs
from tests.mean_color import MeanColor

ROOT = Path(__file__).resolve().parents[2]
OUT = Path(__file__).parent / "results" / "bench_catalog.json"


def product(side: int, seed: int) -> Image.Image:
    """A row of pans on white, as a shop would show them; every seed other colours."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(image)
    for number in range(4):
        x = side * (0.06 + 0.23 * number)
        color = tuple(int(value) for value in rng.integers(30, 225, 3))
        draw.ellipse((x, side * 0.4, x + side * 0.2, side * 0.6), fill=color)
    return image


def shop(folder: Path, count: int, side: int) -> Path:
    """A folder of pictures."""
    folder.mkdir()
    for number in range(count):
        product(side, number).save(folder / f"{number:06}.png", compress_level=1)
    return folder


def throughput(folder: Path) -> dict[str, Any]:
    """Pictures a second on one core: 1000x1000 JPEGs, decoded, read and fingerprinted."""
    from pipelines.catalog.extract.extractor import AttributeExtractor
    from pipelines.images.encode import encode

    use_one_thread()
    files = [encode(product(1000, seed), "jpeg", quality=90) for seed in range(8)]
    results: dict[str, Any] = {"picture": "1000x1000 JPEG, four pans"}
    for name, maker, repeats in (("mean_color", MeanColor, 5), ("real", AttributeExtractor, 5)):
        extract = BatchExtractor(maker)
        batch = {
            "position": range(8),
            "title": [""] * 8,
            "description": [""] * 8,
            "data": files,
            "sha256": [""] * 8,
            "key": [""] * 8,
            "payload": [""] * 8,
        }
        found = [json.loads(payload)["status"] for payload in extract(batch)["payload"]]
        times = []
        for _ in range(repeats):
            start = time.process_time()
            extract(batch)
            times.append(8 / (time.process_time() - start))
        low, median, high = statistics.quantiles(times, n=4)
        results[name] = {
            "pictures_per_second_and_core": round(median, 2),
            "quartiles": [round(low, 2), round(high, 2)],
            "statuses": sorted(set(found)),
        }
    speed = results["real"]["pictures_per_second_and_core"]
    results["clock"] = (
        "processor time of the one thread, so other load on the machine hardly counts"
    )
    results["cost"] = {
        f"{count:,} pictures": {
            "core_hours": round(count / speed / 3600),
            "hours_on_64_cores": round(count / speed / 3600 / 64, 1),
        }
        for count in (1_000_000, 100_000_000)
    }
    return results


def memory(folder: Path) -> dict[str, Any]:
    """Resident memory of the one process while it reads 20,000 pictures of 32x32."""
    pictures, seen = shop(folder / "shop", 20_000, 32), {}

    def look(progress: BatchProgress) -> None:
        if progress.pictures in (992, 2000, 5008, 10_000, 15_008, 20_000):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            seen[progress.pictures] = round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)

    start = time.perf_counter()
    items = read_inputs([str(pictures)])
    progress = read_pictures(items, folder / "o.parquet", Work(MeanColor, "1"), report=look)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {
        "pictures": progress.pictures,
        "rows": progress.rows,
        "resident_mb_after_pictures": seen,
        "resident_mb_after_the_table_was_written": round(
            pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1
        ),
        "state_mb": round(find_state_path(folder / "o.parquet").stat().st_size / 2**20, 1),
        "seconds": round(time.perf_counter() - start),
    }


RUN = """
import sys; sys.path.insert(0, sys.argv[1])
from pathlib import Path
from pipelines.catalog.run.batch import read_pictures
from pipelines.catalog.run.engines import Work
from pipelines.catalog.run.inputs import read_inputs
from tests.mean_color import MeanColor
if __name__ == "__main__":
    items = read_inputs([sys.argv[2]])
    read_pictures(items, Path(sys.argv[3]), Work(MeanColor, "1"), workers=int(sys.argv[4]))
"""


def kills(folder: Path, times: int = 20) -> dict[str, Any]:
    """SIGKILL a run at random moments, then let it end; compare the bytes.

    Every fourth is killed while it starts, the others once the state has grown by a random amount;
    every fifth has two worker processes, the others none.
    """
    out, whole = folder / "o.parquet", folder / "w.parquet"
    pictures, script = shop(folder / "shop", 4000, 96), folder / "run.py"
    script.write_text(RUN)
    read_pictures(read_inputs([str(pictures)]), whole, Work(MeanColor, "1"))
    step = find_state_path(whole).stat().st_size * 1.6 / times
    draw, kept = random.Random(7), []
    for number in range(times):
        workers = 2 if number % 5 == 0 else 0
        command = [sys.executable, script, ROOT, pictures, out, str(workers)]
        run = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        if number % 4 == 1:
            time.sleep(draw.uniform(0, 4))
        else:
            until = _size(find_state_path(out)) + draw.uniform(0, step)
            while run.poll() is None and _size(find_state_path(out)) < until:
                time.sleep(0.002)
            time.sleep(draw.uniform(0, 0.05))
        assert run.poll() is None, "the run ended before it was killed"
        run.send_signal(signal.SIGKILL)
        run.wait()
        kept.append(_results(find_state_path(out)))
        assert not out.exists()
    time.sleep(5)
    left = subprocess.run(["pgrep", "-f", str(script)], capture_output=True, text=True).stdout
    progress = read_pictures(read_inputs([str(pictures)]), out, Work(MeanColor, "1"))
    return {
        "pictures": progress.pictures,
        "kills": times,
        "results_kept_after_each": kept,
        "kept_at_the_end": progress.kept,
        "orphaned_processes": len(left.split()),
        "byte_equal": out.read_bytes() == whole.read_bytes(),
    }


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _results(state: Path) -> int:
    import sqlite3

    if not state.exists():
        return 0
    with sqlite3.connect(state) as database:
        try:
            return database.execute("SELECT count(*) FROM results").fetchone()[0]
        except sqlite3.OperationalError:  # killed before the first commit
            return 0


def search(folder: Path, rows: int = 1_000_000, repeats: int = 60) -> dict[str, Any]:
    """A synthetic catalogue of lip, eye and cheek colours; filtered search, against brute force."""
    import pyarrow as pa

    from models.ops.color import delta_e
    from pipelines.catalog.search.filters import Filters
    from pipelines.catalog.search.search import find_nearest, find_similar, find_within
    from pipelines.catalog.search.store import (
        AXES,
        NUMBERS,
        TABLE,
        WORDS,
        Catalog,
        make_appearance_vector,
    )
    from pipelines.catalog.search.store import _schema as schema
    from tests.mean_color import shade_of

    rng = np.random.default_rng(0)
    kinds = {"lipstick": (45, 45, 18), "eyeshadow": (50, 10, 14), "blush": (62, 30, 18)}
    category = rng.choice(list(kinds), rows)
    labs = np.float32(
        np.stack([np.array(list(kinds.values()))[list(kinds).index(c)] for c in category])
        + rng.normal(size=(rows, 3)) * (14, 14, 11)
    )
    labs[:, 0] = labs[:, 0].clip(0, 100)
    finish = rng.choice(["matte", "satin", "shimmer", "gloss"], rows)
    price = rng.uniform(3, 60, rows).astype(np.float32)
    brand = np.char.add("brand ", rng.integers(0, 200, rows).astype(str))
    columns = {
        "id": np.char.add("sku", np.arange(rows).astype(str)),
        "shade_index": np.zeros(rows, int),
        **dict.fromkeys(WORDS, np.full(rows, "x")),
        **dict.fromkeys(NUMBERS, np.zeros(rows)),
        "category": category,
        "finish": finish,
        "price": price,
        "brand": brand,
        "L": labs[:, 0],
        "a": labs[:, 1],
        "b": labs[:, 2],
    }
    columns["sku"] = columns["id"]
    vectors = labs @ np.eye(3, 8, dtype=np.float32)
    assert np.allclose(vectors[0], make_appearance_vector(labs[0].tolist(), [0] * len(AXES)))
    arrow = {k: pa.array(v) for k, v in columns.items()}
    arrow["vector"] = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 8)
    table = pa.table([arrow[field.name] for field in schema()], names=schema().names).cast(schema())
    start = time.perf_counter()
    catalog = Catalog(folder / "catalog")
    catalog._database().create_table(TABLE, table)
    catalog.optimize()
    built = time.perf_counter() - start

    queries = rng.choice(rows, repeats, replace=False)
    filters = Filters(finishes=("matte",), categories=("lipstick", "blush"), max_price=30)
    allowed = (finish == "matte") & (category != "eyeshadow") & (price <= 30)
    exact = 0
    for number in queries[:5]:
        differences = delta_e(np.float64(labs), np.float64(labs[number]))
        want = int((differences[allowed] <= 2).sum())
        exact += len(find_within(catalog, labs[number], 2.0, filters)) == want
        best = np.sort(differences[allowed])[:10].round(2)
        got = [match.delta_e for match in find_nearest(catalog, labs[number], 10, filters)]
        exact += bool(np.abs(best - got).max() <= 0.011)

    def timed(work: Callable[[np.ndarray], Any]) -> dict[str, float]:
        work(labs[queries[0]])
        clocks = {"": time.perf_counter, "processor_": time.process_time}
        times: dict[str, list[float]] = {name: [] for name in clocks}
        for number in queries:
            begin = {name: clock() for name, clock in clocks.items()}
            work(labs[number])
            for name, clock in clocks.items():
                times[name].append(1000 * (clock() - begin[name]))
        cuts = {name: statistics.quantiles(values, n=20) for name, values in times.items()}
        return {
            f"{name}p{percent}_ms": round(values[percent // 5 - 1], 1)
            for name, values in cuts.items()
            for percent in (50, 95)
        }

    return {
        "rows": rows,
        "repeats": repeats,
        "build_seconds": round(built, 1),
        "disk_mb": round(
            sum(f.stat().st_size for f in (folder / "catalog").rglob("*") if f.is_file()) / 2**20
        ),
        "equal_to_brute_force": f"{exact} of 10",
        "nearest_10_filtered": timed(lambda lab: find_nearest(catalog, lab, 10, filters)),
        "nearest_10": timed(lambda lab: find_nearest(catalog, lab, 10)),
        "within_2_filtered": timed(lambda lab: find_within(catalog, lab, 2.0, filters)),
        "similar_10_filtered": timed(
            lambda lab: find_similar(catalog, shade_of(lab, opacity=0.0), 10, filters)
        ),
        "brute_force_ciede2000": timed_once(lambda: delta_e(np.float64(labs), np.float64(labs[0]))),
    }


def timed_once(work: Callable[[], Any]) -> dict[str, float]:
    """Seconds of one call after a warm-up."""
    work()
    start = time.perf_counter()
    work()
    return {"ms": round(1000 * (time.perf_counter() - start))}


PARTS = {"throughput": throughput, "memory": memory, "kills": kills, "search": search}


def main() -> None:
    results = json.loads(OUT.read_text()) if OUT.exists() else {}
    for name in sys.argv[1:] or PARTS:
        folder = Path(tempfile.mkdtemp(prefix="bench-catalog-"))
        load = os.getloadavg()[0]
        try:
            results[name] = {
                **PARTS[name](folder),
                "machine": {
                    "processor": platform.processor() or platform.machine(),
                    "threads": os.cpu_count(),
                    "load_before": round(load, 1),
                    "python": platform.python_version(),
                },
            }
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        OUT.parent.mkdir(exist_ok=True)
        OUT.write_text(json.dumps(results, indent=1) + "\n")
        print(json.dumps({name: results[name]}, indent=1))


if __name__ == "__main__":
    main()
