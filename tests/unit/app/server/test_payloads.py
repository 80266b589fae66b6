"""A payload may name files that were uploaded here, hold a camera's picture, and say little."""

import gradio as gr
import pytest

from app.messages import NOT_AN_UPLOAD, TOO_LONG
from app.server.payloads import MOST_LETTERS, check_payload


@pytest.fixture
def uploads(tmp_path, monkeypatch):
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(folder))
    return folder


def test_what_was_uploaded_may_be_named_however_deep(uploads):
    photo = uploads / "me.png"
    photo.write_bytes(b"a face")
    check_payload([None, 0.5, {"a": [{"path": str(photo), "meta": {}}]}])


def test_a_camera_sends_the_picture_itself():
    check_payload({"path": None, "url": "data:image/png;base64," + "A" * 9_000})


@pytest.mark.parametrize(
    "file",
    [
        {"path": "/etc/passwd"},
        {"path": "me.png\0"},
        {"url": "https://example.com/a.png"},
        {"path": "/etc/passwd", "url": "data:image/png;base64,"},
        {"path": ["me.png"]},
    ],
)
def test_what_was_not_uploaded_may_not_be_named(uploads, file):
    with pytest.raises(gr.Error) as refusal:
        check_payload([[file]])
    assert refusal.value.message == NOT_AN_UPLOAD


def test_a_path_may_not_climb_out_of_the_uploads(uploads, tmp_path):
    (tmp_path / "secret").write_bytes(b"s")
    with pytest.raises(gr.Error):
        check_payload({"path": f"{uploads}/../secret"})


def test_a_text_is_no_longer_than_people_write():
    check_payload(["x" * MOST_LETTERS])
    with pytest.raises(gr.Error) as refusal:
        check_payload(["x" * (MOST_LETTERS + 1)])
    assert refusal.value.message == TOO_LONG
