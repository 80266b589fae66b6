"""PRIVACY.md against a running server: the disk before and after a session, log, results."""

import hashlib
import json
import re
import time
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from PIL import Image

from app.messages import NOT_AN_UPLOAD
from app.settings import Settings
from tests.server.caller import API, becomes

PRIVACY = (Path(__file__).resolve().parents[2] / "PRIVACY.md").read_text()
NAME = "anna-in-the-garden"


def disk(folder):
    """Every file below a folder and what is in it."""
    found = {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # deleted while we look
            if path.is_file() and path.name != "log.txt":
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


@pytest.fixture(scope="module")
def photo_file(astronaut, tmp_path_factory):
    path = tmp_path_factory.mktemp("photo") / f"{NAME}.png"
    exif = Image.Exif()
    exif[0x010E] = NAME
    astronaut.save(path, exif=exif)
    return path


@pytest.fixture(scope="module")
def before(server, caller):
    """The disk when the models are loaded, and nobody has been there."""
    assert becomes(True, lambda: caller.get("/health").json()["warm"], 120)
    return disk(server.folder)


def test_nothing_stays_on_the_disk_after_a_program_has_been_there(
    server, before, photo_file, tmp_path
):
    client = Client(server.address, verbose=False, download_files=str(tmp_path))
    client.predict(source=handle_file(str(photo_file)), look="nude", api_name="/apply_makeup")
    assert disk(server.folder) != before
    client.close()
    assert becomes(before, lambda: disk(server.folder))


def test_nothing_stays_on_the_disk_after_a_page_has_been_open(server, before, caller, photo_file):
    with caller.page() as session:
        photo = caller.upload(photo_file.read_bytes(), photo_file.name)
        look = caller.upload(b"{}", "look.json")
        given = {"source": photo, "look-file": look}
        caller.press("try", given, session)
        time.sleep(2)  # longer than a visitor who left may be away
        assert set(disk(server.folder)) - set(before)
    assert becomes(before, lambda: disk(server.folder))
    assert caller.makeup(photo) == NOT_AN_UPLOAD


def test_a_result_carries_its_look_and_that_it_is_one(caller, photo_file):
    photo = caller.upload(photo_file.read_bytes(), photo_file.name)
    result = caller.makeup(photo, look="nude")[0]
    data = caller.get(f"{API}/file={result['path']}").content
    with Image.open(BytesIO(data)) as image:
        assert set(image.info) - {"xmp"} == {"mirra.look", "XML:com.adobe.xmp", "srgb"}
        assert not image.getexif()
    assert b'DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/comp' in data
    assert NAME.encode() not in data


def test_the_log_has_counts_and_timings_and_nothing_else(server, caller):
    log = server.log()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    work = [line for line in lines if line["event"] == "work"]
    assert {line["endpoint"] for line in work} >= {"apply_makeup", "try_on"}
    assert all(set(line) == {"time", "event", "endpoint", "outcome", "ms"} for line in work)
    assert not re.search(r"anna|\.png|\.json|/tmp/|\d+\.\d+\.\d+\.\d+|[\w+/]{40}", log)


def test_privacy_md_has_the_settings_numbers():
    defaults = Settings(_env_file=None)  # type: ignore[call-arg]
    assert f"- {defaults.leave_seconds:.0f} seconds after you close the page" in PRIVACY
    assert PRIVACY.count(f"{defaults.keep_minutes:.0f} minutes") == 2
    assert defaults.provenance
