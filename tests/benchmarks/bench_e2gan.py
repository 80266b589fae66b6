"""How long E2GAN's generator takes on a crop of 256x256, and of the side it is trained at.

    OMP_NUM_THREADS=2 python tests/benchmarks/bench_e2gan.py

Its weights are drawn, for they do not change the time. `processor_ms` is the processor time of one
pass in torch on one thread, which other programs disturb little.
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

import onnxruntime
import torch

from models import seeding
from models.small.e2gan import SIDE, E2Gan, LookAdapter, SingleLook, single_look
from pipelines.analysis import fold_batch_norms
from pipelines.export import write_onnx
from tests.benchmarks.timing import machine, timed
from training.train_e2gan import PRESETS

REPEATS, THREADS = 31, 2


def onnx_runner(net: SingleLook, face: torch.Tensor) -> Callable[[], Any]:
    """One pass of the exported network."""
    with TemporaryDirectory() as folder:
        data = write_onnx(net, Path(folder) / "net.onnx", {"face": face}).read_bytes()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(data, options)
    feed = {"face": face.numpy()}
    return lambda: session.run(None, feed)


@torch.inference_mode()
def processor_ms(net: SingleLook, face: torch.Tensor) -> float:
    """Time of the processor for one pass, one thread, mean of `REPEATS`."""
    torch.set_num_threads(1)
    net(face)
    before = time.process_time()
    for _ in range(REPEATS):
        net(face)
    return round((time.process_time() - before) / REPEATS * 1000, 1)


def main() -> None:
    base = E2Gan()
    seeding.initialise(base, seeding.generator_for(0)).eval()
    look = LookAdapter.for_base(base, PRESETS["look"][1].ranks)
    net = single_look(base, look)
    fold_batch_norms(net)
    net.to(memory_format=torch.channels_last)
    before = os.getloadavg()[0]
    sides: dict[str, Any] = {}
    for side in (SIDE, 256):
        face = torch.rand(1, 3, side, side) * 2 - 1
        (onnx,) = timed(onnx_runner(net, face), repeats=REPEATS, warm_up=3)
        sides[str(side)] = {"ONNX Runtime": onnx, "processor_ms": processor_ms(net, face)}
    results = {
        "command": "python tests/benchmarks/bench_e2gan.py",
        "parameters": sum(p.numel() for p in base.parameters()),
        "parameters_of_a_look": sum(p.numel() for p in look.parameters()),
        "sides": sides,
        "repeats": REPEATS,
        "machine": machine(THREADS, before),
    }
    out = Path(__file__).parent / "results" / "bench_e2gan.json"
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
