"""Files appear whole or not at all, also when the process is killed between."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from pipelines.files import replacing, write_bytes, write_json

KILLED = """
import os, signal, sys
from pathlib import Path
from pipelines.files import replacing

with replacing(Path(sys.argv[1]), shared=sys.argv[2] == "shared") as temporary:
    if sys.argv[2] == "folder":
        temporary.mkdir()
        temporary /= "half"
    with temporary.open("w") as file:
        file.write("half of")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("kind", ["file", "shared", "folder"])
def test_a_process_killed_between_leaves_the_old_one_and_no_half(tmp_path, kind):
    path = tmp_path / "result"
    if kind == "folder":
        path.mkdir()
        (path / "whole").write_text("old")
    else:
        path.write_text("old")
    run = subprocess.run([sys.executable, "-c", KILLED, str(path), kind], check=False)
    assert run.returncode == -signal.SIGKILL
    old = path / "whole" if kind == "folder" else path
    assert old.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir() if not p.name.startswith(".")] == ["result"]


def test_what_a_killed_process_left_is_gone_after_the_next(tmp_path):
    for path, make in ((tmp_path / "a", os.mkdir), (tmp_path / "b", os.mknod)):
        make(path.with_name(f".{path.name}.tmp"))
        with replacing(path) as temporary:
            assert not temporary.exists()
            temporary.write_text("new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_an_error_between_leaves_the_old_one(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def write_half():
        with replacing(path, synced=True) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "000016"
    path.mkdir()
    (path / "old").touch()
    with replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "new").touch()
    assert [p.name for p in path.iterdir()] == ["new"]


def test_of_many_writers_one_wins_whole(tmp_path):
    path = tmp_path / "picture"
    bodies = [bytes([number]) * 200_000 for number in range(8)]
    writers = [threading.Thread(target=write_bytes, args=(body, path)) for body in bodies]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert path.read_bytes() in bodies
    assert list(tmp_path.iterdir()) == [path]


def test_json_that_cannot_be_written_touches_nothing(tmp_path):
    path = tmp_path / "report.json"
    write_json({"a": [1, 2.5]}, path)
    with pytest.raises(TypeError):
        write_json({"a": object()}, path)
    assert path.read_text() == '{\n "a": [\n  1,\n  2.5\n ]\n}\n'
    assert list(tmp_path.iterdir()) == [path]


def test_a_pipe_is_written_as_it_comes(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    heard = []
    reader = threading.Thread(target=lambda: heard.append(pipe.read_text()))
    reader.start()
    write_json([], pipe)
    reader.join()
    assert heard == ["[]\n"]
