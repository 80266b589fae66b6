"""The page's named endpoints, as a program calls them. No browser is needed for these."""

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from pipelines.makeup.looks import read_embedded
from pipelines.makeup.named_looks import NAMES


@pytest.fixture(scope="module")
def client(server, tmp_path_factory):
    folder = tmp_path_factory.mktemp("downloads")
    client = Client(server, verbose=False, download_files=str(folder))
    yield client
    client.close()


@pytest.fixture
def selfie(tmp_path, astronaut):
    astronaut.save(tmp_path / "selfie.png")
    return handle_file(str(tmp_path / "selfie.png"))


def test_the_looks_are_listed(client):
    looks = client.predict(api_name="/list_looks")
    assert tuple(look["name"] for look in looks) == NAMES
    assert all(look["about"] for look in looks)


def test_makeup_comes_back_lossless_with_its_look(client, selfie, astronaut, pipeline, face):
    path = client.predict(
        source=selfie, reference=None, look="sunset", lips=0.5, api_name="/apply_makeup"
    )
    look = read_embedded(path)
    assert look is not None
    assert look.strengths["lips"] == 0.5
    expected = np.asarray(pipeline.blend(pipeline.wear([face], look), strengths=look.strengths))
    with Image.open(path) as image:
        found = np.asarray(image.convert("RGB")).astype(int)
    assert found.shape[:2] == astronaut.size[::-1]
    assert np.abs(found - expected).max() <= 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"look": "no-such-look"}, "look"),
        ({"look": "nude", "lips": 7}, "between 0 and 1"),
        ({"look": "nude", "face": 9}, "face"),
        ({}, "look|wear"),
    ],
)
def test_wrong_calls_get_a_sentence(client, selfie, given, sentence):
    with pytest.raises(AppError, match=f"(?i){sentence}") as caught:
        client.predict(source=selfie, api_name="/apply_makeup", **given)
    assert "Traceback" not in str(caught.value)
