from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from models.errors import NoFaceError
from models.ops.color import delta_e, hex_to_lab
from pipelines.catalog.extract.attributes import FINISHES
from pipelines.makeup.face_makeup import read_face_makeup, read_makeup
from pipelines.makeup.named_looks import NAMED_LOOKS, find_look


@pytest.fixture(scope="module")
def wearing(pipeline, face):
    def read(name):
        picture = pipeline.blend(pipeline.wear([face], find_look(name)))
        return {
            color.region: color
            for color in read_face_makeup(replace(face, image=np.asarray(picture)))
        }

    return read


@pytest.mark.parametrize("name", ["classic-red", "deep-plum"])
def test_a_lipstick_is_read_off_the_face_that_wears_it(wearing, name):
    lips = wearing(name)["lips"]
    recipe = NAMED_LOOKS[name].recipe.lips
    assert recipe is not None
    assert delta_e(np.array(lips.lab), hex_to_lab(recipe.color)) < 8
    assert lips.strength > 0.9


def test_a_made_up_eye_is_told_from_a_bare_one(wearing, face):
    bare = {color.region: color for color in read_face_makeup(face)}
    smoky = wearing("smoky-eye")["eyes"]
    assert bare["eyes"].strength < 0.4 < 0.9 < smoky.strength
    assert smoky.lab[0] < bare["eyes"].lab[0] - 20
    assert bare["cheeks"].strength < 0.2


def test_colors_are_pigments_a_shop_can_have(wearing):
    for color in wearing("festival").values():
        assert color.finish in FINISHES
        assert np.allclose(color.lab, hex_to_lab(color.hex), atol=0.01)


def test_a_picture_without_a_face_is_refused(pipeline):
    with pytest.raises(NoFaceError):
        read_makeup(Image.new("RGB", (300, 300), (90, 140, 90)), pipeline.analyzer)
