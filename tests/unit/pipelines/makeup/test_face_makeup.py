from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from models.errors import NoFaceError
from models.instant.drawn import lab_of
from models.ops.color import delta_e
from pipelines.catalog.extract.attributes import FINISHES
from pipelines.makeup.face_makeup import read_face, read_worn
from pipelines.makeup.named_looks import NAMED_LOOKS, find_look


@pytest.fixture(scope="module")
def wearing(pipeline, face):
    def read(name):
        picture = pipeline.blend(pipeline.wear([face], find_look(name)))
        return {worn.region: worn for worn in read_face(replace(face, image=np.asarray(picture)))}

    return read


@pytest.mark.parametrize("name", ["classic-red", "deep-plum"])
def test_a_lipstick_is_read_off_the_face_that_wears_it(wearing, name):
    lips = wearing(name)["lips"]
    recipe = NAMED_LOOKS[name].recipe.lips
    assert recipe is not None
    assert delta_e(np.array(lips.lab), lab_of(recipe.color)) < 8
    assert lips.strength > 0.9


def test_a_made_up_eye_is_told_from_a_bare_one(wearing, face):
    bare = {worn.region: worn for worn in read_face(face)}
    smoky = wearing("smoky-eye")["eyes"]
    assert bare["eyes"].strength < 0.4 < 0.9 < smoky.strength
    assert smoky.lab[0] < bare["eyes"].lab[0] - 20
    assert bare["cheeks"].strength < 0.2


def test_colours_are_pigments_a_shop_can_have(wearing):
    for worn in wearing("festival").values():
        assert worn.finish in FINISHES
        assert np.allclose(worn.lab, lab_of(worn.hex), atol=0.01)


def test_a_picture_without_a_face_is_refused(pipeline):
    with pytest.raises(NoFaceError):
        read_worn(Image.new("RGB", (300, 300), (90, 140, 90)), pipeline.analyzer)
