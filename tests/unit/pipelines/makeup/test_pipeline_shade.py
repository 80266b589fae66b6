import numpy as np
import pytest

from models import regions
from models.errors import NoFaceError
from models.instant.coats import Coat
from models.ops.masks import polygon
from pipelines.makeup.named_looks import find_look
from pipelines.makeup.pipeline_shade import ShadePipeline


@pytest.fixture(scope="module")
def shades(pipeline):
    return ShadePipeline(pipeline)


def test_a_look_is_worn_with_a_shade_but_not_in_its_place(shades, pipeline, face):
    look, lipstick = find_look("festival"), Coat("#3a1a20")
    both, (reached,) = shades.put_on(face, [lipstick], look=look)
    alone, _ = shades.put_on(face, [lipstick])
    made_up = np.asarray(pipeline.blend(pipeline.wear([face], look)))
    eyes, lips = (
        polygon(face.points_xyz[list(loop), :2], face.size_hw) > 0.99
        for loop in (regions.BROW_RIGHT, regions.LIPS_OUTER)
    )
    assert np.array_equal(both[eyes], made_up[eyes])
    assert np.abs(both[lips].astype(int) - alone[lips])[:, 0].mean() < 3
    assert reached.delta_e < 2


def test_foundation_goes_below_the_rest(shades, face):
    blush, foundation = Coat("#d0506a", "cheeks"), Coat("#b98a64", "skin", opacity=0.8)
    image, reached = shades.put_on(face, [blush, foundation])
    other_order, _ = shades.put_on(face, [foundation, blush])
    assert [one.coat for one in reached] == [foundation, blush]
    assert np.array_equal(image, other_order)


def test_only_the_faces_asked_for_wear_it(shades, astronaut):
    two = np.hstack([np.asarray(astronaut)[:, 60:400]] * 2)
    from PIL import Image

    image = Image.fromarray(two)
    result = shades(image, [Coat("#b01030")], faces=[0])
    changed = (np.asarray(result.images[0]) != two).any(-1).any(0)
    assert changed[:340].any() != changed[340:].any()
    with pytest.raises(NoFaceError):
        shades(image, [Coat("#b01030")], faces=[2])
