import json
import re

import numpy as np
import pytest
from PIL import Image

from pipelines.makeup.look_files import read_embedded
from pipelines.makeup.named_looks import find_look
from pipelines.makeup.report import measure_color_error

pytestmark = pytest.mark.browser


@pytest.fixture
def files(tmp_path, astronaut, painted):
    """Pictures as a visitor has them."""
    astronaut.save(tmp_path / "selfie.png")
    painted.save(tmp_path / "look.png")
    (tmp_path / "notes.jpg").write_text("not a picture")
    Image.new("RGB", (300, 300), (90, 140, 90)).save(tmp_path / "lawn.png")
    return tmp_path


@pytest.fixture
def page(chromium, server):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(server)
    page.wait_for_selector("#source input[type=file]", state="attached", timeout=30_000)
    yield page
    page.close()


def give(page, where, path):
    page.set_input_files(f"#{where} input[type=file]", str(path))


def told(page, pattern):
    """Wait until the line below the result says so."""
    page.wait_for_function(
        "p => new RegExp(p).test(document.querySelector('#report').innerText)",
        arg=pattern,
        timeout=60_000,
    )
    return page.locator("#report").inner_text()


def downloaded(page, button, path):
    with page.expect_download() as download:
        page.click(f"#{button}")
    download.value.save_as(path)
    return path


def pixels(path):
    with Image.open(path) as image:
        assert not image.getexif()
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_reference_is_worn_downloaded_and_replayed_to_the_same_pixels(page, files, astronaut):
    give(page, "source", files / "selfie.png")
    give(page, "reference", files / "look.png")
    assert "0 pixels changed outside the face" in told(page, "pixels changed")
    first = downloaded(page, "download", files / "first.png")
    assert pixels(first).shape[:2] == astronaut.size[::-1]
    assert read_embedded(first) is not None
    assert np.abs(pixels(first) - np.asarray(astronaut).astype(int)).max() > 40

    page.reload()
    page.wait_for_selector("#source input[type=file]", state="attached")
    give(page, "source", files / "selfie.png")
    give(page, "look-file", first)
    told(page, "pixels changed")
    again = downloaded(page, "download", files / "again.png")
    assert np.array_equal(pixels(first), pixels(again))


def test_sliders_take_a_region_off_and_the_download_follows(page, files, astronaut):
    give(page, "source", files / "selfie.png")
    page.locator("#looks button").nth(0).click()
    assert "Classic red" in told(page, "Classic red")
    full = pixels(downloaded(page, "download", files / "full.png"))
    look = json.loads(downloaded(page, "save", files / "look.json").read_text())
    assert look["strengths"]["lips"] == 1

    shown = page.locator("#result img").last.get_attribute("src")
    overall = page.locator("#strength input[type=range]")
    overall.focus()
    overall.press("Home")
    page.wait_for_function(
        "s => [...document.querySelectorAll('#result img')].at(-1).src !== s", arg=shown
    )
    box = overall.bounding_box()
    page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.up()
    page.wait_for_timeout(2500)
    bare = pixels(downloaded(page, "download", files / "bare.png"))
    assert np.array_equal(bare, np.asarray(astronaut).astype(int))
    assert not np.array_equal(full, bare)


def test_keys_settle_the_line_and_the_downloads_at_the_last_level(
    page, files, astronaut, pipeline, face
):
    soft = pipeline(astronaut, find_look("classic-red"), strength=0.4)
    look = soft.layers.looks[0]
    error = measure_color_error(face, np.asarray(soft.images[0]), look)["lips"]
    give(page, "source", files / "selfie.png")
    told(page, "choose a look")  # else its own try-on would put the sliders back meanwhile
    page.locator("#looks button").nth(0).click()
    assert f"Lips within ΔE {error} " not in told(page, "Classic red")
    page.locator("#strength input[type=range]").focus()
    for _ in range(60):
        page.keyboard.press("ArrowLeft")
    told(page, f"Lips within ΔE {error} ")
    kept = json.loads(downloaded(page, "save", files / "look.json").read_text())
    assert kept["strength"] == 0.4
    picture = downloaded(page, "download", files / "soft.png")
    assert read_embedded(picture).strength == 0.4
    assert np.array_equal(pixels(picture), np.asarray(soft.images[0]))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("notes.jpg", "picture|photo"), ("lawn.png", "[Nn]o face")],
)
def test_bad_pictures_get_a_sentence_and_the_page_goes_on(page, files, name, sentence):
    give(page, "source", files / name)
    page.wait_for_selector("#advice:visible", timeout=60_000)
    said = page.locator("#advice").inner_text()
    assert re.search(sentence, said)
    assert "Traceback" not in page.content()
    give_again = page.locator("#source button[aria-label='Clear'], #source button[title='Clear']")
    if give_again.count():
        give_again.first.click()
    page.wait_for_timeout(500)
    give(page, "source", files / "selfie.png")
    page.locator("#looks button").nth(4).click()
    assert "0 pixels changed" in told(page, "Cat eye")


def test_a_telephone_needs_no_sideways_scrolling(chromium, server, files):
    page = chromium.new_page(viewport={"width": 375, "height": 800}, is_mobile=True)
    page.goto(server)
    page.wait_for_selector("#source input[type=file]", state="attached")
    give(page, "source", files / "selfie.png")
    page.locator("#looks button").nth(5).click()
    told(page, "Festival")
    assert page.evaluate("document.documentElement.scrollWidth") <= 376
    assert page.locator("#lips").bounding_box()["width"] > 250
    page.close()


def test_everything_on_the_page_has_a_name(page):
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, img')].filter(e =>
        e.offsetParent && !(e.getAttribute('aria-label') || e.innerText?.trim() || e.title ||
        e.alt || e.labels?.length || e.closest('label')))
        .map(e => e.outerHTML.slice(0, 120))"""
    )
    assert nameless == []


@pytest.mark.parametrize("network", ["student", "teacher"])
def test_the_small_flux_paints_what_can_be_downloaded(page, files, astronaut, network):
    page.get_by_text("Painted makeup").click()
    page.click("#paint")
    page.wait_for_selector("#painted-said:has-text('Add your photo')")
    give(page, "source", files / "selfie.png")
    give(page, "reference", files / "look.png")
    told(page, "on one face")
    page.check(f"#nano-network input[value={network}]")
    page.click("#paint")
    page.wait_for_selector("#painted img", timeout=60_000)
    page.wait_for_selector("#download-painted:not([disabled])")
    painted = pixels(downloaded(page, "download-painted", files / "painted.png"))
    changed = np.abs(painted - np.asarray(astronaut)).max(2) > 3
    assert changed.any()
    assert changed.mean() < 0.1  # the face is less than that
