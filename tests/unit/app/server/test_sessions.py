"""A session's files go with the visitor, and the folder goes with the server."""

import os
import time

import pytest

from app.server.sessions import Sessions


@pytest.fixture
def sessions(tmp_path):
    sessions = Sessions(keep=900, grace=0.0, parent=tmp_path)
    yield sessions
    sessions.close()


def file_in(sessions, name):
    path = sessions.files / name / "photo.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a face")
    return path


def used(path):
    return [{"path": str(path), "meta": {}}, None, "words"]


def test_the_folder_is_private_and_gone_in_the_end(tmp_path):
    sessions = Sessions(keep=900, grace=60, parent=tmp_path)
    assert sessions.folder.stat().st_mode & 0o777 == 0o700
    file_in(sessions, "a")
    sessions.close()
    assert list(tmp_path.iterdir()) == []


def test_a_file_goes_when_its_visitor_leaves_and_not_before(sessions):
    sessions.keep_existing_files()
    photo, ended = file_in(sessions, "a"), []
    sessions.add_page("ann")
    sessions.record_files("ann", used(photo))
    sessions.delete_expired(ended.append)
    assert photo.exists()
    sessions.remove_page("ann")
    sessions.delete_expired(ended.append)
    assert not photo.exists()
    assert ended == ["ann"]
    assert len(sessions) == 0


def test_a_file_two_visitors_sent_stays_until_both_have_left(sessions):
    photo = file_in(sessions, "a")
    for session in ("ann", "bob"):
        sessions.add_page(session)
        sessions.record_files(session, {"data": used(photo)})
    sessions.remove_page("ann")
    sessions.delete_expired(lambda _: None)
    assert photo.exists()
    sessions.remove_page("bob")
    sessions.delete_expired(lambda _: None)
    assert not photo.exists()


def test_a_page_that_comes_back_in_time_keeps_its_session(tmp_path):
    sessions = Sessions(keep=900, grace=60, parent=tmp_path)
    photo = file_in(sessions, "a")
    sessions.add_page("ann")
    sessions.record_files("ann", used(photo))
    sessions.remove_page("ann")
    sessions.delete_expired(lambda _: None)
    sessions.add_page("ann")
    sessions.delete_expired(lambda _: None)
    assert photo.exists()
    sessions.close()


def test_what_nobody_used_goes_by_age_and_what_the_page_shows_stays(sessions):
    shown = file_in(sessions, "swatch")
    sessions.keep_existing_files()
    abandoned, fresh = file_in(sessions, "a"), file_in(sessions, "b")
    hour_ago = time.time() - 3600
    for path in (shown, abandoned, abandoned.parent):
        os.utime(path, (hour_ago, hour_ago))
    sessions.delete_expired(lambda _: None)
    assert (shown.exists(), abandoned.exists(), fresh.exists()) == (True, False, True)
    os.utime(abandoned.parent, (hour_ago, hour_ago))
    sessions.delete_expired(lambda _: None)
    assert not abandoned.parent.exists()


def test_a_path_outside_the_folder_is_nobodys_to_delete(sessions, tmp_path):
    mine = tmp_path / "mine.png"
    mine.write_bytes(b"x")
    sessions.add_page("eve")
    sessions.record_files("eve", used(mine))
    sessions.record_files("eve", used(sessions.files / ".." / ".." / "mine.png"))
    sessions.remove_page("eve")
    sessions.delete_expired(lambda _: None)
    assert mine.exists()


def test_a_killed_servers_folder_is_deleted_and_a_living_ones_is_not(tmp_path):
    pytest.importorskip("fcntl")
    living, killed = (Sessions(keep=900, grace=60, parent=tmp_path) for _ in range(2))
    file_in(killed, "a")
    killed._lock.close()  # as the system does when a process ends
    new = Sessions(keep=900, grace=60, parent=tmp_path)
    assert set(tmp_path.iterdir()) == {living.folder, new.folder}
    living.close()
    new.close()
