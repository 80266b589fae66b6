import numpy as np
import pytest
import torch

from models import seeding
from models.analysis.face_parsing import HAIR, OTHER, SKIN, FaceParser, parse_face
from models.errors import ShapeError
from pipelines.analysis import WEIGHTS, load_network


@pytest.fixture(scope="module")
def parser() -> FaceParser:
    return load_network(FaceParser, WEIGHTS / "face-parser")


def test_the_network_is_small(parser):
    assert sum(p.numel() for p in parser.parameters()) <= 300_000


def test_saved_and_read_back_it_says_the_same(tmp_path):
    toy = FaceParser(widths=(8, 8, 8))
    seeding.initialise(toy, seeding.generator_for(0, "toy"))
    toy.eval().save_pretrained(tmp_path)
    again = FaceParser.from_pretrained(tmp_path).eval()
    crops = torch.linspace(-1, 1, 4 * 64 * 64).view(1, 4, 64, 64)
    with torch.inference_mode():
        assert torch.equal(toy(crops), again(crops))


def test_skin_is_skin_and_hair_is_hair(parser, face):
    maps = parse_face(parser, face.image, face.points_xyz[:, :2]).in_picture(face.size_hw)
    assert np.abs(maps.sum(0) - 1).max() < 1e-3
    for point in (4, 50, 280):  # nose and cheeks
        x, y = face.points_xyz[point, :2].astype(int)
        assert maps[SKIN, y, x] > 0.8
    x, y = face.points_xyz[10, :2].astype(int)
    assert maps[HAIR, y - 20 : y, x - 20 : x + 20].max() > 0.5  # her hair above the forehead


def test_a_bar_across_the_forehead_is_not_skin(parser, face):
    picture = face.image.copy()
    x, y = face.points_xyz[151, :2].astype(int)
    picture[y - 9 : y + 9, x - 40 : x + 40] = 12
    maps = parse_face(parser, picture, face.points_xyz[:, :2]).in_picture(face.size_hw)
    assert maps[SKIN, y - 4 : y + 4, x - 15 : x + 15].mean() < 0.5
    assert maps[OTHER].max() > 0.5


def test_the_mirror_image_gives_the_mirrored_maps(parser, face):
    flipped = np.ascontiguousarray(face.image[:, ::-1])
    points = face.points_xyz[:, :2] * [-1, 1] + [face.size_hw[1] - 1, 0]
    from models.ops.landmarks import canonical_face

    # The points keep their names: what was the right eye is the left in the mirror.
    swapped = points.copy()
    swapped[:468] = points[:468][canonical_face().mirror]
    swapped[[468, 473]] = points[[473, 468]]
    x0, y0, x1, y1 = face.box_xyxy
    straight = parse_face(parser, face.image, face.points_xyz[:, :2]).in_picture(face.size_hw)
    turned = parse_face(parser, flipped, swapped).in_picture(face.size_hw)[:, :, ::-1]
    assert np.abs(straight - turned)[:, y0:y1, x0:x1].mean() < 0.1


def test_a_grey_picture_is_refused(parser, face):
    with pytest.raises(ShapeError):
        parse_face(parser, face.image[..., 0], face.points_xyz[:, :2])
