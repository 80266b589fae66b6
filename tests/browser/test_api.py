"""The page's named endpoints, as a program calls them. No browser is needed for these."""

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from pipelines.makeup.look_files import read_embedded
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


def test_a_look_is_read_kept_and_worn_again(client, painted, selfie, tmp_path):
    painted.save(tmp_path / "painted.png")
    look = client.predict(handle_file(str(tmp_path / "painted.png")), api_name="/read_look")
    direct = client.predict(
        source=selfie,
        reference=handle_file(str(tmp_path / "painted.png")),
        api_name="/apply_makeup",
    )
    kept = client.predict(source=selfie, saved_look=handle_file(look), api_name="/apply_makeup")
    with Image.open(direct) as first, Image.open(kept) as second:
        difference = np.asarray(first, int) - np.asarray(second, int)
    assert np.abs(difference).max() <= 1


def test_photos_are_checked_before_anything_is_worn(client, selfie, tmp_path):
    found = client.predict(selfie, api_name="/check_photo")
    assert len(found["faces"]) == 1
    assert found["advice"][0]["code"] == "small"
    assert "pixels high" in found["advice"][0]["sentence"]
    Image.new("RGB", (300, 300), (90, 140, 90)).save(tmp_path / "lawn.png")
    lawn = client.predict(handle_file(str(tmp_path / "lawn.png")), api_name="/check_photo")
    assert lawn["faces"] == []
    assert lawn["advice"][0]["severity"] == "refuse"


def test_a_shade_is_worn_and_read_off_the_face_again(client, selfie):
    picture, told = client.predict(selfie, "#b01030", api_name="/wear_shade")
    assert told["delta_e"][0] < 3
    colors = client.predict(handle_file(picture), api_name="/read_face")["worn"]
    (lips,) = [color for color in colors if color["region"] == "lips"]
    red, green, blue = bytes.fromhex(lips["hex"][1:])
    assert red > blue > green
    with pytest.raises(AppError, match="shade"):
        client.predict(selfie, "#b01030", finish="glue", api_name="/wear_shade")


def test_errors_are_told_in_the_callers_language(server, selfie):
    german = Client(server, verbose=False, headers={"Accept-Language": "de"})
    with pytest.raises(AppError, match="zwischen 0 und 1"):
        german.predict(source=selfie, look="nude", lips=7, api_name="/apply_makeup")
    with pytest.raises(AppError, match="Look"):
        german.predict(source=selfie, look="no-such-look", api_name="/apply_makeup")
    german.close()
