"""A page's studio without a page: handlers are methods, and write into a folder of the test."""

import pytest

from app.service import Studio
from app.settings import Settings


@pytest.fixture(scope="session")
def studio(pipeline):
    """With the warm models of the other tests."""
    studio = Studio(png_text={"mirra.test": "yes"})
    studio.makeup = pipeline
    return studio


@pytest.fixture(scope="session")
def settings():
    return Settings()


@pytest.fixture(autouse=True)
def result_folder(tmp_path, monkeypatch):
    """Where result files go."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "results"))
    return tmp_path / "results"


@pytest.fixture
def photo(astronaut, tmp_path):
    """Path of the astronaut's picture."""
    path = tmp_path / "me.png"
    astronaut.save(path)
    return str(path)


@pytest.fixture
def no_picture(tmp_path):
    """Path of a file that is no picture."""
    path = tmp_path / "notes.jpg"
    path.write_text("no picture")
    return str(path)
