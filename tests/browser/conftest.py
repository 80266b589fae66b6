"""A server of our own on a free port, and Debian's Chromium looking at it."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address of a page started as a Space starts it, from another folder."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    environment = os.environ | {"MIRRA_PORT": str(port), "GRADIO_TEMP_DIR": str(elsewhere / "tmp")}
    with (elsewhere / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "app" / "main.py")],
            cwd=elsewhere, env=environment, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        address = f"http://127.0.0.1:{port}"
        for _ in range(240):
            assert process.poll() is None, (elsewhere / "log.txt").read_text()
            try:
                urllib.request.urlopen(address, timeout=5).close()
                break
            except OSError:
                time.sleep(0.5)
        else:
            pytest.fail("the page did not answer within two minutes")
        yield address
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def chromium():
    """Debian's Chromium; only CI must have it."""
    path = shutil.which("chromium")
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail("CI must install Debian's chromium")
        pytest.skip("needs Chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
