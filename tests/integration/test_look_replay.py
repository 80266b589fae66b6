"""A look goes into a picture and comes out of it; every road gives the same pixels."""

import numpy as np
import pytest
from PIL import Image

from models import regions
from models.ops.masks import polygon
from pipelines.images.decode import decode
from pipelines.makeup.look_files import embed, load_look, read_embedded
from pipelines.makeup.named_looks import NAMED_LOOKS, NAMES, find_look
from pipelines.makeup.pipeline_instant import combine


@pytest.fixture(scope="module")
def large_face(pipeline, astronaut):
    """The astronaut, four times as large: in the picture as it is an eye is 8 pixels high."""
    head = astronaut.crop((110, 0, 340, 230))
    return pipeline.find_faces(head.resize((920, 920), Image.Resampling.LANCZOS))[0]


def same(one: Image.Image, other: Image.Image) -> bool:
    return bool(np.array_equal(np.asarray(one), np.asarray(other)))


@pytest.mark.parametrize("kind", ["drawn", "from a photo", "mixed"])
def test_a_result_dropped_back_in_replays_its_look(kind, pipeline, astronaut, painted, tmp_path):
    look = find_look("festival")
    if kind != "drawn":
        photo = pipeline.read_look(painted)
        look = photo if kind == "from a photo" else combine(look, {"lips": photo})
    look = look.with_strengths({"lips": 0.7, "cheeks": 0.4}, 0.9)
    first = pipeline(astronaut, look).images[0]

    (tmp_path / "result.png").write_bytes(embed(first, look))
    (tmp_path / "look.json").write_bytes(look.to_json())

    assert same(decode(tmp_path / "result.png"), first)
    for name in ("result.png", "look.json"):
        again = load_look(str(tmp_path / name))
        assert same(pipeline(astronaut, again).images[0], first), name
        assert again.origin == look.origin


def test_a_replayed_look_fits_another_picture_of_another_size(pipeline, astronaut):
    small = astronaut.resize((380, 380), Image.Resampling.LANCZOS)
    look = find_look("sunset")
    again = read_embedded(embed(pipeline(astronaut, look).images[0], look))
    assert again is not None
    assert same(pipeline(small, again).images[0], pipeline(small, look).images[0])


def test_a_result_carries_its_look_and_nothing_else(pipeline, astronaut):
    tagged = astronaut.copy()
    tagged.info = {"comment": "at home", "exif": b"Exif\0\0GPS"}
    data = embed(pipeline(tagged, find_look("nude")).images[0], find_look("nude"))
    assert data.count(b"mirra.look\0") == 1
    for private in (b"at home", b"Exif", b"GPS", b"eXIf", b"tIME"):
        assert private not in data


@pytest.mark.parametrize("name", NAMES)
def test_strength_zero_returns_the_source(name, pipeline, face, astronaut):
    layers = pipeline.wear([face], find_look(name))
    assert same(pipeline.blend(layers, strength=0), astronaut)
    assert same(
        pipeline.blend(layers, strengths=dict.fromkeys(regions.MAKEUP_REGIONS, 0)), astronaut
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_drawn_look_paints_teeth_eyes_or_the_background(name, pipeline, large_face):
    face = large_face
    result = np.asarray(pipeline.blend(pipeline.wear([face], find_look(name))))
    changed = np.abs(result.astype(int) - face.image).max(-1)
    points = face.points_xyz[:, :2]
    for loop in (regions.EYE_LEFT, regions.EYE_RIGHT, regions.LIPS_INNER):
        inside = polygon(points[list(loop)], face.size_hw, 0.02 * face.eye_distance) > 0.98
        assert inside.sum() > 100
        assert changed[inside].max() <= 2
    outside = polygon(points[list(regions.FACE_OVAL)], face.size_hw) == 0
    assert changed[outside].max() == 0


def test_each_look_has_a_title_a_sentence_and_a_face_of_its_own(pipeline, face):
    assert len(NAMES) >= 10
    images = {name: pipeline.blend(pipeline.wear([face], find_look(name))) for name in NAMES}
    assert len({image.tobytes() for image in images.values()}) == len(NAMES)
    for name, look in NAMED_LOOKS.items():
        assert name == name.lower().replace(" ", "-")
        assert look.title
        assert look.about.endswith(".")
