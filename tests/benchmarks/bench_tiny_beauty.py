"""How long the tiny beauty net takes on a crop of 256x256, beside its teacher's work on the face.

    OMP_NUM_THREADS=2 python tests/benchmarks/bench_tiny_beauty.py

Each works on the same face, found before; ONNX Runtime runs the exported file. `processor_ms` is
the processor time of one pass of the net on one thread, which other programs disturb little.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import torch
from PIL import Image
from skimage import data

from pipelines.export import export_onnx
from pipelines.makeup.named_looks import find_look
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
from pipelines.makeup.pipeline_tiny_beauty import TINY_LOOKS, TinyBeautyPipeline, load_net
from tests.benchmarks.timing import machine, timed

REPEATS, THREADS = 31, 2


def onnx_runner(look: str, face: torch.Tensor) -> tuple[Callable[[], Any], int, float]:
    """Run the exported net; and how far its picture is from torch's, in 8-bit code values."""
    import onnxruntime

    with TemporaryDirectory() as folder:
        data = export_onnx(f"tiny-beauty/{look}", Path(folder) / "net.onnx").read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(data, options)
    feed = {"face": face.numpy()}
    with torch.inference_mode():
        apart = (torch.from_numpy(session.run(None, feed)[0]) - load_net(look)(face)).abs().max()
    return lambda: session.run(None, feed), len(data), float(apart) * 127.5


def processor_ms(work: Callable[[], Any]) -> float:
    """Time of the processor for one call, one thread, mean of `REPEATS`."""
    torch.set_num_threads(1)
    work()
    before = time.process_time()
    for _ in range(REPEATS):
        work()
    spent = time.process_time() - before
    torch.set_num_threads(THREADS)
    return round(spent / REPEATS * 1000, 1)


def main() -> None:
    torch.set_num_threads(THREADS)
    look = TINY_LOOKS[0]
    photo = Image.fromarray(data.astronaut())
    tiny, instant, drawn = TinyBeautyPipeline(), InstantMakeupPipeline(), find_look(look)
    faces = tiny.find_faces(photo)
    net, face = load_net(look), torch.rand(1, 3, 256, 256) * 2 - 1
    onnx, size, apart = onnx_runner(look, face)

    @torch.inference_mode()
    def painted() -> None:
        net(face.contiguous(memory_format=torch.channels_last))

    names = ("net, torch", "net, ONNX Runtime", "tiny-beauty, wear", "instant, wear")
    works = (painted, onnx, lambda: tiny.wear(faces, drawn), lambda: instant.wear(faces, drawn))
    before = os.getloadavg()[0]
    times = timed(*works, repeats=REPEATS, warm_up=3)
    results = {
        "command": "python tests/benchmarks/bench_tiny_beauty.py",
        "parameters": sum(p.numel() for p in net.parameters()),
        "onnx_bytes": size,
        "onnx_apart_code_values": round(apart, 4),
        "processor_ms": processor_ms(painted),
        "milliseconds": dict(zip(names, times, strict=True)),
        "repeats": REPEATS,
        "machine": machine(THREADS, before),
    }
    out = Path(__file__).parent / "results" / "bench_tiny_beauty.json"
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
