"""A drawn look painted by its own net, on the astronaut."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.errors import LookError
from models.instant.layer import region_weights
from pipelines.makeup.named_looks import NAMES, find_look
from pipelines.makeup.pipeline_instant import InstantMakeupPipeline
from pipelines.makeup.pipeline_tiny_beauty import (
    TINY_LOOKS,
    TinyBeautyPipeline,
    find_net_name,
    load_net,
)
from training.evaluation.tiny_beauty import compare

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def pipeline():
    return TinyBeautyPipeline()


@pytest.fixture(scope="module")
def astronaut():
    return Image.open(ROOT / "assets/examples/astronaut.png").convert("RGB")


def test_it_paints_the_lips_as_its_teacher_does_and_nothing_outside(pipeline, astronaut):
    look = find_look("classic-red")
    faces = pipeline.find_faces(astronaut)
    learned = np.asarray(pipeline(astronaut, look).images[0])
    teacher = InstantMakeupPipeline(pipeline.analyzer)
    taught = np.asarray(teacher(astronaut, look).images[0])
    figures = compare(faces[0], taught, learned)
    assert figures["outside"] == 0
    assert figures["skin"] < 0.5  # no haze around what the look paints
    assert figures["lips"] < 0.5 * figures["lips_untouched"]


def test_at_strength_zero_the_picture_is_bit_equal(pipeline, astronaut):
    bare = pipeline(astronaut, find_look("classic-red"), strength=0.0).images[0]
    assert np.array_equal(np.asarray(bare), np.asarray(astronaut))


def test_a_region_at_zero_keeps_its_pixels(pipeline, astronaut):
    found = pipeline.find_faces(astronaut)
    layers = pipeline.wear(found, find_look("classic-red"))
    kept = np.asarray(pipeline.blend(layers, strengths={"lips": 0.0}))
    x0, y0, x1, y1 = found[0].box_xyxy
    lips = region_weights(found[0])["lips"] > 0.999
    assert lips.sum() > 50
    assert np.array_equal(kept[y0:y1, x0:x1][lips], found[0].image[y0:y1, x0:x1][lips])


def test_a_look_without_a_net_is_refused_by_name(pipeline, astronaut):
    with pytest.raises(LookError) as refused:
        pipeline(astronaut, find_look("festival"))
    assert refused.value.needed == ("classic-red",)


def test_threads_share_each_look_and_net():
    with ThreadPoolExecutor(8) as pool:
        looks = list(pool.map(find_look, NAMES * 4))
        nets = list(pool.map(load_net, TINY_LOOKS * 8))
        names = list(pool.map(find_net_name, map(find_look, TINY_LOOKS * 8)))
    assert len(set(map(id, looks))) == len(NAMES)
    assert len(set(map(id, nets))) == len(TINY_LOOKS)
    assert names == [*TINY_LOOKS] * 8
