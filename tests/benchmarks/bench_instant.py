"""How long the instant makeup takes on this machine.

    python tests/benchmarks/bench_instant.py

A 1024x1024 portrait (scikit-image's astronaut, enlarged; the face fills about half) wears the
makeup of a 512x512 picture. Models are warm. Ratios are against doing the whole transfer again
for each move of a slider, which is what a page without an editable layer would do.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import cv2
import numpy as np
from PIL import Image
from skimage import data

from pipelines.makeup.named_looks import find_look
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
from tests.benchmarks.timing import timed

REPEATS = 31


def main() -> None:
    pipeline = InstantMakeupPipeline()
    photo = Image.fromarray(data.astronaut())
    source = photo.crop((128, 20, 328, 220)).resize((1024, 1024), Image.Resampling.LANCZOS)
    made_up = pipeline(photo, find_look("festival")).images[0]
    faces = pipeline.find_faces(source)
    look = pipeline.read_look(made_up)
    layers = pipeline.wear(faces, look)
    half = {"strengths": {"lips": 0.5}, "strength": 0.9}
    works = {
        "whole_transfer": lambda: pipeline(source, pipeline.read_look(made_up)),
        "find_faces": lambda: pipeline.find_faces(source),
        "read_look": lambda: pipeline.read_look(made_up),
        "wear": lambda: pipeline.wear(faces, look),
        "blend_on_slider_move": lambda: pipeline.blend(layers, **half),
    }
    stages = {name: timed(work, repeats=REPEATS)[0] for name, work in works.items()}
    whole = stages["whole_transfer"]["median_ms"]
    x0, y0, x1, y1 = faces[0].box_xyxy
    results = {
        "picture": f"1024x1024, face of {x1 - x0} x {y1 - y0} pixels",
        "stages": stages,
        "slider_speed_up": round(whole / stages["blend_on_slider_move"]["median_ms"], 1),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "repeats": REPEATS,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "threads": os.cpu_count(),
            "load_before": os.getloadavg()[0],
            "python": platform.python_version(),
            "opencv": cv2.__version__,
            "numpy": np.__version__,
        },
    }
    out = Path(__file__).parent / "results" / "bench_instant.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
