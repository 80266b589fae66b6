import shutil

import pytest
from PIL import Image

from pipelines.registry import is_ready
from tests.browser.conftest import FLAGS

pytestmark = pytest.mark.browser


@pytest.fixture
def camera_page(chromium, server, tmp_path, astronaut):
    """The page in a browser whose camera shows the astronaut swaying."""

    film = tmp_path / "astronaut.mjpeg"
    with film.open("wb") as file:
        for step in (0, 4, 8, 4, 0, -4, -8, -4):
            frame = Image.new("RGB", (640, 480), (190, 185, 180))
            frame.paste(astronaut.resize((480, 480)), (80 + step, 0))
            frame.save(file, "JPEG", quality=92)
    flags = [
        *FLAGS,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]
    browser = chromium.browser_type.launch(executable_path=shutil.which("chromium"), args=flags)
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(server)
    page.get_by_role("tab", name="Live").click()
    yield page
    browser.close()


def frames_per_second(page) -> float:
    rate = page.wait_for_function(
        """() => {
          const said = document.querySelector('#rate')?.innerText ?? '';
          return /frames per second/.test(said) && parseFloat(said);
        }""",
        timeout=90_000,
    )
    return rate.json_value()


def another_frame(page) -> None:
    shown = page.locator("#mirror img").get_attribute("src")
    page.wait_for_function(
        "s => document.querySelector('#mirror img')?.src !== s", arg=shown, timeout=60_000
    )


def start(page) -> None:
    page.locator("#camera [title='grant webcam access'] button").click()
    page.locator("#camera .capture-button").click()


def test_the_mirror_moves_in_makeup_and_says_how_fast(camera_page):
    start(camera_page)
    assert frames_per_second(camera_page) > 0
    another_frame(camera_page)


@pytest.mark.skipif(not is_ready("dmvton"), reason="no try-on without weights")
def test_the_mirror_moves_in_a_top(camera_page):
    camera_page.locator("#live-mode label").nth(1).click()
    start(camera_page)
    assert frames_per_second(camera_page) > 0
    another_frame(camera_page)
