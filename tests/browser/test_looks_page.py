"""The Looks tab: a look is read, worn, mixed and taken off; programs do the same."""

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from pipelines.makeup.code_files import load_code
from pipelines.makeup.named_looks import find_look
from pipelines.registry import is_ready

pytestmark = pytest.mark.skipif(not is_ready("beautybank"), reason="needs BeautyBank's weights")
TOLD = "document.querySelector('#look-report').innerText"


@pytest.fixture(scope="module")
def made_up(pipeline, face, tmp_path_factory):
    path = tmp_path_factory.mktemp("looks") / "plum.png"
    pipeline.blend(pipeline.wear([face], find_look("deep-plum"))).save(path)
    return path


def told(page, pattern):
    """Wait until the line below the result says so."""
    page.wait_for_function(f"p => new RegExp(p).test({TOLD})", arg=pattern, timeout=90_000)
    return page.locator("#look-report").inner_text()


@pytest.mark.browser
def test_a_look_is_read_worn_and_picked_from_the_map(
    chromium, server, made_up, astronaut, tmp_path
):
    astronaut.save(tmp_path / "me.png")
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(server)
    page.get_by_role("tab", name="Looks").click()
    for place, path in (("look-reference", made_up), ("look-source", tmp_path / "me.png")):
        page.set_input_files(f"#{place} input[type=file]", str(path))
        page.wait_for_selector(f"#{place} img", timeout=60_000)
    page.click("#read-look")
    assert "look from a photo" in told(page, "a code of")
    page.wait_for_selector("#similar-looks img", timeout=90_000)
    page.locator("#similar-looks button.thumbnail-item, #similar-looks button").first.click()
    told(page, "sample 7-")
    page.click("#show-map")
    page.wait_for_selector("#look-map img", timeout=90_000)
    page.click("#take-off")
    told(page, "estimate of your face")
    page.close()


def test_programs_read_a_code_and_take_makeup_off(server, made_up, tmp_path):
    client = Client(server, verbose=False, download_files=str(tmp_path))
    path = client.predict(picture=handle_file(str(made_up)), api_name="/encode_look")
    assert load_code(path).code.structure.any()
    bare = client.predict(picture=handle_file(str(made_up)), api_name="/remove_makeup")
    with Image.open(bare) as after, Image.open(made_up) as before:
        after, before = np.asarray(after.convert("RGB")), np.asarray(before.convert("RGB"))
    assert np.array_equal(after[:20], before[:20])  # above the face nothing changed
    assert not np.array_equal(after, before)
    (tmp_path / "notes.png").write_text("no picture")
    with pytest.raises(AppError, match="picture"):
        client.predict(picture=handle_file(str(tmp_path / "notes.png")), api_name="/remove_makeup")
    client.close()
