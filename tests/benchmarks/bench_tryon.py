"""How long try-on and the live mirror take on this machine, and what the networks weigh.

    python tests/benchmarks/bench_tryon.py

Networks run at 256x192, batch 1, float32, channels_last, with freed memory kept, turn by turn so
that both sides of a ratio see the same machine. The whole picture is a 1024x768 frame around
scikit-image's astronaut, who tries on a drawn top; frames of the mirror are 640x480 and come
through JPEG as in the page, without the browser.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch
from PIL import Image
from skimage import data

from models import devices, seeding
from models.blocks import count_parameters
from models.dmvton.student import LightStudent, PublishedStudent
from pipelines.analysis import fold_batch_norms, load_network
from pipelines.export import EXPORTED
from pipelines.images.decode import decode
from pipelines.images.encode import encode
from pipelines.makeup.live import LiveMakeup
from pipelines.makeup.named_looks import find_look
from pipelines.registry import WEIGHTS, load_object
from pipelines.tryon.live import LiveTryOn
from pipelines.tryon.pipeline_dmvton import DMVTONPipeline
from tests.benchmarks.timing import timed
from training.prepare.example_garments import FOLDER

REPEATS = 21
SHIPPED = ("human-parser", "garment-cutter", "dmvton-student", "dmvton-teacher")


def forward(network: torch.nn.Module) -> Callable[[], Any]:
    draw = seeding.generator_for(0, "bench")
    person, garment = (
        torch.rand((1, 3, 256, 192), generator=draw).contiguous(memory_format=torch.channels_last)
        for _ in range(2)
    )
    mask = torch.ones(1, 1, 256, 192)

    def run() -> Any:
        with torch.inference_mode():
            return network(person, garment, mask)

    return run


def main() -> None:
    devices.keep_freed_memory()
    load = os.getloadavg()[0]
    published = seeding.initialise(PublishedStudent(), seeding.generator_for(0))
    sizes = {"student": count_parameters(LightStudent()), "published": count_parameters(published)}
    fold_batch_norms(published.eval())  # as `load_network` does with ours
    published.to(memory_format=torch.channels_last)
    ours = load_network(load_object(EXPORTED["dmvton-student"]), WEIGHTS / "dmvton-student")
    how = {"repeats": REPEATS, "warm_up": 2}
    theirs_ms, ours_ms = timed(forward(published), forward(ours), **how)

    pipeline, shirt = DMVTONPipeline(), decode(FOLDER / "striped.webp")
    astronaut = Image.fromarray(data.astronaut())
    photo = Image.new("RGB", (768, 1024), (190, 185, 180))
    photo.paste(astronaut.resize((768, 768)), (0, 256))
    garment, person = pipeline.garments(shirt), pipeline.analyzer(photo)
    whole, again = timed(
        lambda: pipeline(photo, shirt), lambda: pipeline.wear(person, garment), **how
    )

    frame = Image.new("RGB", (640, 480), (190, 185, 180))
    frame.paste(astronaut.resize((480, 480)), (80, 0))
    sent = encode(frame, "jpeg", quality=90)
    makeup, look, tryon = LiveMakeup(), find_look("classic-red"), LiveTryOn(pipeline)

    def mirror(show: Callable[[np.ndarray], np.ndarray]) -> Callable[[], Any]:
        return lambda: encode(Image.fromarray(show(np.asarray(decode(sent)))), "jpeg", quality=85)

    live_makeup, live_tryon = timed(
        mirror(lambda x: makeup(x, look)), mirror(lambda x: tryon(x, garment)), **how
    )
    results = {
        "student_forward_256x192": ours_ms,
        "published_student_forward_256x192": theirs_ms,
        "times_faster": round(theirs_ms["median_ms"] / ours_ms["median_ms"], 2),
        "parameters": sizes,
        "whole_picture_1024x768": whole,
        "another_top_on_a_known_person": again,
        "live_640x480": {
            name: spread | {"frames_per_second": round(1000 / spread["median_ms"], 1)}
            for name, spread in (("makeup", live_makeup), ("tryon", live_tryon))
        },
        "megabytes_on_disk": {
            name: round(sum(f.stat().st_size for f in (WEIGHTS / name).glob("*")) / 1e6, 2)
            for name in SHIPPED
            if (WEIGHTS / name).is_dir()
        },
        "repeats": REPEATS,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "cpus": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "load_before": round(load, 2),
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
    }
    text = json.dumps(results, indent=1)
    out = Path(__file__).parent / "results" / "bench_tryon.json"
    out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()
