"""A server of our own on a free port, and Debian's Chromium looking at it."""

import os
import shutil

import pytest

from tests.running import serving

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """Address of a page started as a Space starts it, from another folder."""
    with serving(tmp_path_factory.mktemp("elsewhere")) as running:
        yield running.address


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
