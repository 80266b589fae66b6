"""Shared pictures: scikit-image's astronaut (public domain) and what we draw on her."""

import numpy as np
import pytest
from PIL import Image
from skimage import data


@pytest.fixture(scope="session")
def astronaut() -> Image.Image:
    """A face in daylight, 512x512."""
    return Image.fromarray(data.astronaut())


@pytest.fixture(scope="session")
def pipeline():
    """The instant pipeline with warm models."""
    from pipelines.makeup.pipeline_instant import InstantMakeupPipeline

    return InstantMakeupPipeline()


@pytest.fixture(scope="session")
def face(pipeline, astronaut):
    """The astronaut's face, analysed."""
    return pipeline.find_faces(astronaut)[0]


@pytest.fixture(scope="session")
def painted(face) -> Image.Image:
    """The astronaut with a blue star on one cheek and lips half red, half blue."""

    from models import regions
    from models.ops.masks import polygon

    points = face.points_xyz[:, :2]
    picture = np.float32(face.image)
    lips = points[list(regions.LIPS_OUTER)]
    middle = points[13, 0]
    turn = np.arange(10) * np.pi / 5 - np.pi / 2
    reach = np.where(np.arange(10) % 2 == 0, 1, 0.45) * 0.25 * face.eye_distance
    star = points[50] + np.stack([np.cos(turn), np.sin(turn)], 1) * reach[:, None]
    inside = polygon(points[list(regions.LIPS_INNER)], face.size_hw)
    for outline, color in (
        (star, (40, 60, 200)),
        (np.minimum(lips, [middle, 1e9]), (190, 20, 40)),
        (np.maximum(lips, [middle, -1e9]), (40, 50, 170)),
    ):
        mask = (polygon(outline, face.size_hw) * (1 - inside))[..., None]
        picture += 0.9 * mask * (np.float32(color) - picture)
    return Image.fromarray(picture.astype(np.uint8))


@pytest.fixture(scope="session")
def toy_tryon_weights(tmp_path_factory):
    """A folder with a student and a teacher of toy size, drawn at random."""
    from models import seeding
    from models.dmvton.student import LightStudent
    from models.dmvton.teacher import MobileTeacher

    folder = tmp_path_factory.mktemp("weights")
    small = {"channels": 8, "widths": (8, 8, 8, 8), "depths": (1, 1, 1, 1), "expand": 2, "head": 8}
    small |= {"generator_widths": (8, 8, 8, 8), "generator_depths": (1, 1, 1, 1)}
    for name, kind in (("dmvton-student", LightStudent), ("dmvton-teacher", MobileTeacher)):
        network = seeding.initialise(kind(**small), seeding.generator_for(0, name))
        network.save_pretrained(folder / name)
    return folder


@pytest.fixture
def toy_tryon(toy_tryon_weights, monkeypatch):
    """Let try-on read the toy networks; parser and garment cutter are the real ones."""
    monkeypatch.setattr("pipelines.tryon.pipeline_dmvton.WEIGHTS", toy_tryon_weights)


@pytest.fixture(scope="session")
def red_shirt() -> Image.Image:
    """A red T-shirt drawn flat on white, 480x640."""
    from training.prepare.example_garments import BODY, NECK, SHORT, draw_top

    return draw_top([*NECK, *SHORT, *BODY], "#a8323e")
