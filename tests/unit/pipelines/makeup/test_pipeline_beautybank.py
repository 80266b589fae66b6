"""BeautyBank on a photograph, with the weights Mirra ships."""

import numpy as np
import pytest

from models import regions
from models.ops.color import delta_e, rgb_to_lab
from pipelines.makeup.named_looks import find_look
from pipelines.makeup.pipeline_beautybank import BeautyBankPipeline
from pipelines.registry import is_ready

pytestmark = pytest.mark.skipif(not is_ready("beautybank"), reason="needs BeautyBank's weights")


@pytest.fixture(scope="module")
def bank(pipeline):
    return BeautyBankPipeline(pipeline.analyzer)


@pytest.fixture(scope="module")
def plum(pipeline, face):
    """The astronaut in a dark lipstick."""
    return pipeline.blend(pipeline.wear([face], find_look("deep-plum")))


@pytest.fixture(scope="module")
def look(bank, plum):
    return bank.read(plum, "plum", iterations=0)


def lips_of(image, face):
    from models.ops.masks import polygon

    points = face.points_xyz[:, :2]
    outer = polygon(points[list(regions.LIPS_OUTER)], face.size_hw)
    inner = polygon(points[list(regions.LIPS_INNER)], face.size_hw)
    return np.median(rgb_to_lab(np.asarray(image))[(outer - inner) > 0.9], 0)


def test_a_look_read_and_worn_again_has_the_color_it_was_read_from(
    bank, look, plum, astronaut, face
):
    result = bank(astronaut, look).images[0]
    asked, bare = lips_of(plum, face), lips_of(astronaut, face)
    assert delta_e(lips_of(result, face), asked) < 0.4 * delta_e(bare, asked)


def test_outside_the_face_and_at_strength_zero_nothing_changes(bank, look, astronaut, face):
    source = np.asarray(astronaut)
    assert np.array_equal(np.asarray(bank(astronaut, look, strength=0.0).images[0]), source)
    result = np.asarray(bank(astronaut, look).images[0])
    x0, y0, x1, y1 = face.box_xyxy
    outside = np.ones(source.shape[:2], bool)
    outside[y0:y1, x0:x1] = False
    assert np.array_equal(result[outside], source[outside])
    lips_off = np.asarray(bank(astronaut, look, strengths={"lips": 0.0}).images[0])
    assert delta_e(lips_of(lips_off, face), lips_of(source, face)) < 1


def test_makeup_taken_off_is_nearer_to_the_bare_face(bank, plum, astronaut, face):
    removed = bank.remove(bank.instant.find_faces(plum)).image
    bare = lips_of(astronaut, face)
    assert delta_e(lips_of(removed, face), bare) < 0.5 * delta_e(lips_of(plum, face), bare)


def test_another_lip_color_is_the_one_asked_for(bank, look, astronaut, face):
    from models.ops.color import hex_to_lab

    wanted = hex_to_lab("#b01030")
    redder = bank.make_coded_look(bank.with_lip_color(look.code, wanted), "red")
    result = lips_of(bank(astronaut, redder).images[0], face)
    assert delta_e(result, wanted) < 8


def test_invented_faces_and_looks_repeat_by_seed(bank, look):
    first, again = bank.inject(look, 2, 3, 64), bank.inject(look, 2, 3, 64)
    assert [np.array_equal(*pair) for pair in zip(first, again, strict=True)] == [True, True]
    assert not np.array_equal(first[0], first[1])
    assert np.array_equal(bank.sample(1, 4)[0].code.vector, bank.sample(1, 4)[0].code.vector)
