"""A server of our own on a free port, started as a Space starts it, from another folder."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Running:
    """A server that answers.

    Attributes:
        address: such as http://127.0.0.1:40001.
        port: the last part of it.
        folder: its working folder, home and parent of its temporary files.
        process: to stop it.
        seconds: from start to first answer.
    """

    address: str
    port: int
    folder: Path
    process: subprocess.Popen[bytes]
    seconds: float

    def log(self) -> str:
        """All it has written."""
        return (self.folder / "log.txt").read_text()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def serving(folder: Path, python: str = sys.executable, **settings: object) -> Iterator[Running]:
    """Start a server, wait until it answers, and end it.

    Args:
        folder: an empty one.
        python: the interpreter.
        settings: MIRRA_<NAME> in small letters.
    """
    port, home = free_port(), folder / "home"
    home.mkdir()
    environment = os.environ | {
        "MIRRA_PORT": str(port),
        "GRADIO_TEMP_DIR": str(folder / "tmp"),
        "HOME": str(home),
        "GRADIO_HEARTBEAT_INTERVAL": "1",  # a client that leaves notices at the next one
        **{f"MIRRA_{name.upper()}": str(value) for name, value in settings.items()},
    }
    began = time.monotonic()
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [python, str(ROOT / "app" / "main.py")],
            cwd=folder,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/health", process, folder)
            yield Running(address, port, folder, process, time.monotonic() - began)
        finally:
            process.terminate()
            try:
                process.wait(90)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _wait_for(address: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(2400):
        assert process.poll() is None, (folder / "log.txt").read_text()
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the page did not answer in time")
