"""What an operator says in the environment, and what a log keeps to itself."""

import io
import json
import logging

import pytest

from app.server import logs
from app.settings import Settings
from app.version import PROJECT, version, weights_hash


def test_accounts_come_from_the_variable_or_from_a_file(monkeypatch, tmp_path):
    assert Settings().accounts() is None
    monkeypatch.setenv("MIRRA_AUTH", "ann:p:a ss")
    assert Settings().accounts() == [("ann", "p:a ss")]
    (tmp_path / "accounts").write_text("ann:one\nbob:two\n\n")
    monkeypatch.setenv("MIRRA_AUTH", str(tmp_path / "accounts"))
    assert Settings().accounts() == [("ann", "one"), ("bob", "two")]


@pytest.mark.parametrize("wrong", ["ann", "ann:", ":secret", ""])
def test_an_account_without_a_name_or_password_is_refused(monkeypatch, wrong):
    monkeypatch.setenv("MIRRA_AUTH", wrong)
    with pytest.raises(ValueError, match="user:password"):
        Settings().accounts()


def test_a_password_is_not_shown(monkeypatch):
    monkeypatch.setenv("MIRRA_AUTH", "ann:secret")
    assert "secret" not in repr(Settings())


def test_other_sites_are_listed_by_comma(monkeypatch):
    monkeypatch.setenv("MIRRA_ORIGINS", "https://a.example,https://b.example")
    assert Settings().origins == ("https://a.example", "https://b.example")


@pytest.fixture
def written(monkeypatch):
    """What the log has written so far."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logs._JsonLines())
    logger = logging.getLogger("mirra")
    for each in (logger, logging.getLogger("other")):
        each.addHandler(handler)
        each.setLevel(logging.INFO)
        monkeypatch.setattr(each, "propagate", False)
    yield handler.stream.getvalue
    for each in (logger, logging.getLogger("other")):
        each.removeHandler(handler)


def test_a_failure_is_told_by_kind_and_place_without_its_words(written):
    try:
        raise FileNotFoundError("/home/ann/selfie.png")
    except OSError as error:
        logs.log_failure(error)
    line = json.loads(written())
    assert line["event"] == "failed"
    assert line["error"] == "FileNotFoundError"
    assert line["place"].startswith("test_settings.py:")
    assert "ann" not in written()


def test_of_other_libraries_only_who_spoke_is_told(written):
    logging.getLogger("other").warning("cannot read %s", "/home/ann/selfie.png")
    line = json.loads(written())
    assert (line["event"], line["logger"], line["level"]) == ("library", "other", "WARNING")
    assert "ann" not in written()


def test_the_version_is_pyprojects_and_the_hash_follows_the_weights(tmp_path):
    assert f'version = "{version()}"' in PROJECT.read_text()
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "model.safetensors").write_bytes(b"one")
    first = weights_hash.__wrapped__(tmp_path)
    (tmp_path / "net" / "model.safetensors").write_bytes(b"two")
    assert len(first) == 12
    assert weights_hash.__wrapped__(tmp_path) != first
