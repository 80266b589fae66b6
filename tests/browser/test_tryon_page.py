import numpy as np
import pytest
from PIL import Image

from pipelines.registry import is_ready

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not is_ready("dmvton"), reason="the page has no Try-on tab without weights"),
]


@pytest.fixture
def page(chromium, server):
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(server)
    page.get_by_role("tab", name="Try-on").click()
    page.wait_for_selector("#person input[type=file]", state="attached", timeout=30_000)
    yield page
    page.close()


def told(page, where, pattern):
    page.wait_for_function(
        "([w, p]) => new RegExp(p).test(document.querySelector(w)?.innerText ?? '')",
        arg=[where, pattern],
        timeout=90_000,
    )
    return page.locator(where).inner_text()


def test_a_top_from_the_gallery_is_tried_on_and_downloaded(page, tmp_path, astronaut):
    astronaut.save(tmp_path / "me.png")
    page.set_input_files("#person input[type=file]", str(tmp_path / "me.png"))
    assert "hips are outside" in told(page, "#tryon-advice", "hips")
    page.locator("#garments button").nth(0).click()
    told(page, "#tryon-report", "equal to the last")
    assert page.locator("#cut-out img").count() == 1
    assert page.locator("#so-far img").count() >= 1
    with page.expect_download() as download:
        page.click("#tryon-download")
    download.value.save_as(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as made:
        after, before = np.asarray(made.convert("RGB")), np.asarray(astronaut)
    assert after.shape == before.shape
    assert np.array_equal(after[:40], before[:40])
    assert (after != before).any()


def test_a_picture_without_a_person_gets_a_sentence(page, tmp_path):
    Image.new("RGB", (300, 400), (90, 140, 90)).save(tmp_path / "lawn.png")
    page.set_input_files("#person input[type=file]", str(tmp_path / "lawn.png"))
    assert "head to hips" in told(page, "#tryon-advice", "[Nn]o person")
    assert "Traceback" not in page.content()


def test_programs_can_try_a_garment_on(server, tmp_path, astronaut, red_shirt):
    from gradio_client import Client, handle_file

    astronaut.save(tmp_path / "me.png")
    red_shirt.save(tmp_path / "shirt.png")
    client = Client(server, download_files=str(tmp_path), verbose=False)
    made = client.predict(
        handle_file(tmp_path / "me.png"),
        handle_file(tmp_path / "shirt.png"),
        "student",
        api_name="/try_on_garment",
    )
    with Image.open(made) as picture:
        assert picture.size == astronaut.size
