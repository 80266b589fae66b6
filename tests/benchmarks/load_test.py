"""Twenty visitors for three minutes, each with pictures of their own that nobody else may get.

    python tests/benchmarks/load_test.py

A server is started as a Space starts it. Each visitor has a portrait with a patch of their own
colour in a corner, a look and strengths of their own; what they must get back, to the last pixel,
was computed alone before. The server then gets SIGTERM while all are at it: what it accepted must
come back, what it did not accept must be refused with a sentence.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import httpx
import numpy as np
import tyro
from PIL import Image
from skimage import data

from app.messages import REFUSALS
from pipelines.makeup.named_looks import NAMES
from tests.running import Running, serving
from tests.server.caller import API, Caller, becomes

PATCH = 32  # pixels, far from the face
WAITING_SEATS = 12  # fewer than there are visitors, so that some are refused


@dataclass
class Visitor:
    """One of them.

    Attributes:
        number: which, from 0.
        photo: PNG of their own.
        color: of its patch, sRGB.
        expected: pixels they must get.
        seconds: of each answer, from upload to download.
        refused: how often there was no seat.
        closed: how often the server was about to stop.
        wrong: answers that were not theirs, or not right.
        broken: answers that never came, by kind.
    """

    number: int
    photo: bytes = b""
    color: tuple[int, int, int] = (0, 0, 0)
    expected: np.ndarray = field(default_factory=lambda: np.empty(0))
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    closed: int = 0
    wrong: int = 0
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.color = tuple(np.random.default_rng(self.number).integers(0, 256, 3).tolist())
        picture = Image.fromarray(data.astronaut())
        picture.paste(self.color, (0, 0, PATCH, PATCH))
        buffer = BytesIO()
        picture.save(buffer, "png")
        self.photo = buffer.getvalue()

    def ask(self, caller: Caller) -> np.ndarray | str:
        """The result's pixels, or the sentence of a refusal."""
        uploaded = caller.post(f"{API}/upload", files={"files": ("me.png", self.photo)})
        if uploaded.status_code != 200:
            return f"{uploaded.status_code}: {uploaded.text}"
        photo = {"path": uploaded.json()[0], "meta": {"_type": "gradio.FileData"}}
        lips = 0.3 + 0.03 * self.number
        result = caller.makeup(photo, look=NAMES[self.number % len(NAMES)], lips=lips)
        if isinstance(result, str):
            return result
        answer = caller.get(f"{API}/file={result[0]['path']}")
        with Image.open(BytesIO(answer.content)) as image:
            return np.asarray(image)

    def visit(self, server: Running, stop: threading.Event) -> None:
        """Ask again and again until told to stop or the server is gone."""
        with Caller(server) as caller, caller.page():
            while not stop.is_set():
                began = time.monotonic()
                try:
                    result = self.ask(caller)
                except httpx.ConnectError:
                    return
                except (httpx.HTTPError, ValueError, IndexError) as error:
                    self.broken.append(type(error).__name__)
                    continue
                if isinstance(result, np.ndarray):
                    self.seconds.append(time.monotonic() - began)
                    self.wrong += not np.array_equal(result, self.expected)
                elif result.endswith(REFUSALS["full"][1]):
                    self.refused += 1
                    stop.wait(1)
                elif result.endswith(REFUSALS["closing"][1]):
                    self.closed += 1
                    stop.wait(0.2)
                else:
                    self.broken.append(result)


def memory_mb(caller: Caller) -> int:
    """Resident memory of the server."""
    lines = caller.get("/metrics").text.splitlines()
    (line,) = [one for one in lines if one.startswith("process_resident_memory_bytes")]
    return round(float(line.split()[1]) / 2**20)


def watch(caller: Caller, seconds: float) -> dict[str, int]:
    """Memory once the first third has passed, and at the end."""
    memory = {}
    began = time.monotonic()
    for name, part in (("after_a_third", 1 / 3), ("two_thirds", 2 / 3), ("at_the_end", 1)):
        time.sleep(max(0, began + part * seconds - time.monotonic()))
        memory[name] = memory_mb(caller)
    return memory


def run(visitors: list[Visitor], seconds: float, server: Running) -> dict[str, Any]:
    """Let them all in, and stop the server while they are at it."""
    with Caller(server) as caller:
        becomes(True, lambda: caller.get("/health").json()["warm"], 300)
        for visitor in visitors:
            alone = visitor.ask(caller)
            assert isinstance(alone, np.ndarray), alone
            assert (alone[:PATCH, :PATCH] == visitor.color).all()
            visitor.expected = alone
        stop = threading.Event()
        threads = [threading.Thread(target=v.visit, args=(server, stop)) for v in visitors]
        for thread in threads:
            thread.start()
        memory = watch(caller, seconds)
        answers = sum(len(v.seconds) for v in visitors)
        server.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        status = server.process.wait(180)
        took = time.monotonic() - began
        stop.set()
        for thread in threads:
            thread.join()
    times = sorted(second for visitor in visitors for second in visitor.seconds)
    return {
        "answers": answers,
        "answers_of_others_or_wrong": sum(v.wrong for v in visitors),
        "refused_for_lack_of_a_seat": sum(v.refused for v in visitors),
        "broken": [word for v in visitors for word in v.broken],
        "fewest_and_most_answers_a_visitor": [
            min(len(v.seconds) for v in visitors),
            max(len(v.seconds) for v in visitors),
        ],
        "seconds": {
            "p50": round(statistics.median(times), 2),
            "p95": round(times[int(0.95 * (len(times) - 1))], 2),
            "longest": round(times[-1], 2),
        },
        "memory_mb": memory,
        "stopping": {
            "exit_status": status,
            "seconds": round(took, 1),
            "finished_after_the_signal": len(times) - answers,
            "refused_after_the_signal": sum(v.closed for v in visitors),
            "files_left": sum(1 for path in (server.folder / "tmp").rglob("*") if path.is_file()),
        },
    }


def main(visitors: int = 20, seconds: float = 180) -> None:
    """Write what the visitors got, and print it.

    Args:
        visitors: how many.
        seconds: how long they ask before the server is stopped.
    """
    crowd = [Visitor(number) for number in range(visitors)]
    load = os.getloadavg()[0]
    folder = Path(tempfile.mkdtemp())
    with serving(folder, queue_size=WAITING_SEATS, drain_seconds=120) as server:
        results = run(crowd, seconds, server)
        results["start_seconds"] = round(server.seconds, 1)
    shutil.rmtree(folder)
    results |= {
        "visitors": visitors,
        "asked_for_seconds": seconds,
        "waiting_seats": WAITING_SEATS,
        "machine": {
            "processor": platform.processor() or platform.machine(),
            "threads": os.cpu_count(),
            "load_before": round(load, 1),
            "load_after": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
        },
    }
    out = Path(__file__).parent / "results" / "load_test.json"
    out.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
