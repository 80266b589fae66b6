"""How long codes of makeup take on this machine, and how large they are.

    python tests/benchmarks/bench_looks.py

The face is scikit-image's astronaut in a drawn look. The bank holds 100,000 random codes without
their files, which a search does not read before it has found.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import lancedb
import numpy as np
import pyarrow as pa
import torch
from PIL import Image
from skimage import data

from models.beautybank.drawing import draw_code, read_code
from models.beautybank.patches import MAP_SIZE
from models.beautybank.tuning import tuned
from models.instant.face_texture import unfold
from pipelines.makeup.named_looks import find_look
from pipelines.makeup.pipeline_beautybank import BeautyBankPipeline
from tests.benchmarks.timing import timed

BANK = 100_000


def often(work: Callable[[], Any], repeats: int) -> dict[str, Any]:
    """The spread of some repeats, and how many they were."""
    return timed(work, repeats=repeats)[0] | {"repeats": repeats}


def search(size: int, folder: str) -> dict[str, Any]:
    """Find the ten nearest of a bank, exactly."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(BANK, size)).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), size)
    table = lancedb.connect(folder).create_table("looks", pa.table({"vector": column}))

    def nearest() -> list[dict[str, Any]]:
        query = table.search(vectors[7]).distance_type("l2").bypass_vector_index()
        return query.select(["_distance"]).limit(10).to_list()

    return often(nearest, 11)


def main() -> None:
    torch.set_num_threads(2)
    pipe = BeautyBankPipeline()
    photo = Image.fromarray(data.astronaut())
    made_up = pipe.instant(photo, find_look("festival")).images[0]
    found = pipe.instant.find_faces(made_up)
    texture = unfold(found[0], MAP_SIZE)
    look = pipe.read(made_up, "festival")
    plain = pipe.read(made_up, "festival", iterations=0)
    with tempfile.TemporaryDirectory() as folder:
        stages = {
            "read_code": often(lambda: read_code(pipe.network, texture), 11),
            "tune_60_steps_a_stage": often(lambda: tuned(pipe.network, texture), 2),
            "draw_code_512": often(lambda: draw_code(pipe.network, look.code), 11),
            "wear_512_photo": often(lambda: pipe(photo, look), 5),
            "remove_512_photo": often(lambda: pipe.remove(found), 5),
            "search_100000_codes": search(len(look.code.vector), folder),
        }
    results = {
        "stages": stages,
        "bytes": {
            "numbers_of_a_code": look.code.vector.nbytes,
            "file_untuned": len(plain.to_bytes()),
            "file_tuned_with_fine_pattern": len(look.to_bytes()),
            "of_that_preview": look.preview.nbytes,
        },
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "threads": os.cpu_count(),
            "load_before": os.getloadavg()[0],
            "python": platform.python_version(),
            "torch": torch.__version__,
            "lancedb": lancedb.__version__,
        },
    }
    out = Path(__file__).parent / "results" / "bench_looks.json"
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
