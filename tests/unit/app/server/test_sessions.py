"""A visit's files go with the visitor, and the folder goes with the server."""

import os
import time

import pytest

from app.server.sessions import Visits


@pytest.fixture
def visits(tmp_path):
    visits = Visits(keep=900, grace=0.0, parent=tmp_path)
    yield visits
    visits.close()


def file_in(visits, name):
    path = visits.files / name / "photo.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"a face")
    return path


def used(path):
    return [{"path": str(path), "meta": {}}, None, "words"]


def test_the_folder_is_private_and_gone_in_the_end(tmp_path):
    visits = Visits(keep=900, grace=60, parent=tmp_path)
    assert visits.folder.stat().st_mode & 0o777 == 0o700
    file_in(visits, "a")
    visits.close()
    assert list(tmp_path.iterdir()) == []


def test_a_file_goes_when_its_visitor_leaves_and_not_before(visits):
    visits.open()
    photo, ended = file_in(visits, "a"), []
    visits.enter("ann")
    visits.note("ann", used(photo))
    visits.sweep(ended.append)
    assert photo.exists()
    visits.leave("ann")
    visits.sweep(ended.append)
    assert not photo.exists()
    assert ended == ["ann"]
    assert len(visits) == 0


def test_a_file_two_visitors_sent_stays_until_both_have_left(visits):
    photo = file_in(visits, "a")
    for session in ("ann", "bob"):
        visits.enter(session)
        visits.note(session, {"data": used(photo)})
    visits.leave("ann")
    visits.sweep(lambda _: None)
    assert photo.exists()
    visits.leave("bob")
    visits.sweep(lambda _: None)
    assert not photo.exists()


def test_a_page_that_comes_back_in_time_keeps_its_visit(tmp_path):
    visits = Visits(keep=900, grace=60, parent=tmp_path)
    photo = file_in(visits, "a")
    visits.enter("ann")
    visits.note("ann", used(photo))
    visits.leave("ann")
    visits.sweep(lambda _: None)
    visits.enter("ann")
    visits.sweep(lambda _: None)
    assert photo.exists()
    visits.close()


def test_what_nobody_used_goes_by_age_and_what_the_page_shows_stays(visits):
    shown = file_in(visits, "swatch")
    visits.open()
    abandoned, fresh = file_in(visits, "a"), file_in(visits, "b")
    hour_ago = time.time() - 3600
    for path in (shown, abandoned, abandoned.parent):
        os.utime(path, (hour_ago, hour_ago))
    visits.sweep(lambda _: None)
    assert (shown.exists(), abandoned.exists(), fresh.exists()) == (True, False, True)
    os.utime(abandoned.parent, (hour_ago, hour_ago))
    visits.sweep(lambda _: None)
    assert not abandoned.parent.exists()


def test_a_path_outside_the_folder_is_nobodys_to_delete(visits, tmp_path):
    mine = tmp_path / "mine.png"
    mine.write_bytes(b"x")
    visits.enter("eve")
    visits.note("eve", used(mine))
    visits.note("eve", used(visits.files / ".." / ".." / "mine.png"))
    visits.leave("eve")
    visits.sweep(lambda _: None)
    assert mine.exists()


def test_a_killed_servers_folder_is_deleted_and_a_living_ones_is_not(tmp_path):
    pytest.importorskip("fcntl")
    living, killed = (Visits(keep=900, grace=60, parent=tmp_path) for _ in range(2))
    file_in(killed, "a")
    killed._lock.close()  # as the system does when a process ends
    new = Visits(keep=900, grace=60, parent=tmp_path)
    assert set(tmp_path.iterdir()) == {living.folder, new.folder}
    living.close()
    new.close()
