import re

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from pipelines.catalog.extract.extractor import WEIGHTS
from pipelines.makeup.swatch import draw_swatch

TOLD = "document.querySelector('#product-report').innerText"


@pytest.fixture
def page(chromium, server):
    page = chromium.new_page(viewport={"width": 1280, "height": 900})
    page.goto(server)
    page.get_by_role("tab", name="Products").click()
    page.wait_for_selector("#product-face input[type=file]", state="attached", timeout=30_000)
    yield page
    page.close()


def told(page, pattern):
    """Wait until the line above the swatches says so."""
    page.wait_for_function(f"p => new RegExp(p).test({TOLD})", arg=pattern, timeout=60_000)
    return page.locator("#product-report").inner_text()


@pytest.mark.browser
def test_what_a_face_wears_is_found_and_can_be_worn_elsewhere(page, tmp_path, pipeline, face):
    from pipelines.makeup.named_looks import find_look

    pipeline.blend(pipeline.wear([face], find_look("deep-plum"))).save(tmp_path / "plum.png")
    page.set_input_files("#product-face input[type=file]", str(tmp_path / "plum.png"))
    page.wait_for_selector("#product-face img", timeout=60_000)
    page.click("#find-it")
    said = told(page, "Lips: #")
    red, green, blue = bytes.fromhex(re.findall(r"Lips: #([0-9a-f]{6})", said)[0])
    assert red > blue > green
    page.locator("#swatches button").first.click()
    assert "on the lips: colour within" in told(page, "within ΔE")
    assert page.locator("#product-result img").count() == 2


@pytest.mark.browser
def test_searching_before_saving_says_what_to_do(page):
    page.click("#find-shades")
    assert "read pictures" in told(page, "empty")
    page.click("#find-it")
    assert "photo" in told(page, "face first")


@pytest.mark.browser
@pytest.mark.skipif(not WEIGHTS.is_dir(), reason="needs the product reader's weights")
def test_a_palette_is_read_saved_and_found_again_by_this_visitor_only(
    page, chromium, server, tmp_path
):
    picture = Image.new("RGB", (700, 420), (248, 246, 243))
    for number, color in enumerate(["#c9a227", "#6b3a2a", "#b0506a", "#7a2048", "#2f6f5e"]):
        pan = draw_swatch(color, "matte", 160)
        picture.paste(pan, (60 + 210 * (number % 3), 30 + 200 * (number // 3)))
    picture.save(tmp_path / "palette.png")
    page.set_input_files("#product-pictures input[type=file]", str(tmp_path / "palette.png"))
    page.wait_for_timeout(1500)
    page.click("#read")
    assert int(re.findall(r"(\d+) shades read", told(page, "shades read"))[0]) >= 3
    page.locator("#read-table [data-testid='cell-0-2']").dblclick()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("glitter")
    page.keyboard.press("Enter")
    page.wait_for_selector("#swatches button:has-text('glitter')", timeout=60_000)
    page.click("#save-shades")
    told(page, "saved")
    page.locator("#find-radius input[type=number]").fill("40")
    page.click("#find-shades")
    told(page, "nearest first")
    other = chromium.new_page()
    other.goto(server)
    other.get_by_role("tab", name="Products").click()
    other.click("#find-shades")
    told(other, "empty")
    other.close()


def test_programs_are_told_what_is_missing(server, tmp_path):
    client = Client(server, verbose=False, download_files=str(tmp_path))
    (tmp_path / "notes.png").write_text("no picture")
    with pytest.raises(AppError, match="MIRRA_CATALOG"):
        client.predict(color="#b01030", api_name="/find_shades")
    with pytest.raises(AppError, match="picture"):
        client.predict(
            picture=handle_file(str(tmp_path / "notes.png")), api_name="/extract_attributes"
        )
    client.close()
