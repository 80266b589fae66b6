"""What docs/api.md shows works as it stands, against a running server."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from gradio_client import Client
from PIL import Image

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text()


def shown(language: str, server: str) -> str:
    """The example in that language, pointed at our server."""
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)
    return code.replace("http://127.0.0.1:7860", server)


@pytest.fixture
def folder(tmp_path, astronaut):
    astronaut.save(tmp_path / "me.png")
    return tmp_path


def test_the_python_example_runs(server, folder, astronaut):
    code = shown("python", server)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    picture, shade = re.findall(r"\S+\.png", done.stdout)
    for path in (picture, shade):
        with Image.open(path) as made:
            assert made.size == astronaut.size


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_the_curl_example_runs(server, folder, astronaut):
    done = subprocess.run(
        ["bash", "-c", shown("bash", server)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    with Image.open(folder / "out.png") as made:
        assert made.size == astronaut.size


def test_every_endpoint_is_in_the_table_and_explains_itself(server):
    client = Client(server, verbose=False)
    endpoints = client.view_api(return_format="dict")["named_endpoints"]
    assert sorted(endpoints) == sorted(re.findall(r"^\| `(/\w+)`", PAGE, re.M))
    for name, endpoint in endpoints.items():
        assert endpoint["description"], name
        for parameter in endpoint["parameters"]:
            assert parameter["python_type"]["type"] not in ("Any", ""), (name, parameter)
            assert not parameter["parameter_name"].startswith("param_"), (name, parameter)
    client.close()
