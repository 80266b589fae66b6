import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from skimage import data
from torch import nn

from models import regions, seeding
from models.analysis.human_parsing import HumanParser
from models.ops.masks import polygon
from pipelines.analysis import FaceAnalyzer, fold_batch_norms, head_pose
from pipelines.coach import coach


@pytest.fixture(scope="module")
def analyze(pipeline) -> FaceAnalyzer:
    return pipeline.analyzer


def on_canvas(*faces: Image.Image, size=(1200, 700), at=((80, 120), (640, 120))) -> Image.Image:
    canvas = Image.new("RGB", size, (120, 125, 130))
    for face, corner in zip(faces, at, strict=False):
        canvas.paste(face, corner)
    return canvas


def codes(faces) -> set[str]:
    return {item.code for item in coach(faces)}


def test_one_face_is_found_where_it_is(analyze, astronaut):
    (face,) = analyze(astronaut)
    x0, y0, x1, y1 = face.box_xyxy
    assert x0 < 225 < x1  # her nose is at about (225, 130)
    assert y0 < 130 < y1
    assert face.skin.shape == (y1 - y0, x1 - x0)
    assert 30 < face.eye_distance < 60


def test_every_face_is_found_the_largest_first(analyze, astronaut):
    small = astronaut.resize((384, 384))
    faces = analyze(on_canvas(small, astronaut))
    assert len(faces) == 2
    assert faces[0].eye_distance > faces[1].eye_distance
    assert faces[0].box_xyxy[0] > 600
    assert "several_faces" in codes(faces)


def test_a_small_face_in_a_large_picture_is_found(analyze, astronaut):
    faces = analyze(on_canvas(astronaut.resize((400, 400)), size=(2000, 1400), at=((1400, 700),)))
    assert len(faces) == 1
    assert faces[0].box_xyxy[0] > 1400


@pytest.mark.parametrize("name", ["coffee", "rocket", "chelsea", "brick", "text"])
def test_pictures_without_a_person_have_no_face(analyze, name):
    assert analyze(Image.fromarray(getattr(data, name)()).convert("RGB")) == []


def test_a_good_portrait_needs_no_advice_but_its_size(analyze, astronaut):
    portrait = astronaut.crop((100, 0, 350, 260)).resize((1000, 1040), Image.Resampling.LANCZOS)
    assert codes(analyze(portrait)) <= {"blurred"}  # it was made larger than it is


@pytest.mark.parametrize(
    ("code", "spoil"),
    [
        ("no_face", lambda im: Image.new("RGB", im.size, (90, 120, 90))),
        ("dark", lambda im: im.point(lambda v: v * 0.22)),
        ("small", lambda im: im),
        ("tiny", lambda im: im.resize((220, 220))),
        ("blurred", lambda im: im.resize((1024, 1024)).filter(ImageFilter.GaussianBlur(6))),
    ],
)
def test_the_coach_names_what_is_wrong(analyze, astronaut, code, spoil):
    assert code in codes(analyze(spoil(astronaut)))


def test_dark_skin_in_good_light_is_no_dark_photo(analyze, astronaut, face):
    eyes = sum(
        polygon(face.points_xyz[list(loop), :2], face.size_hw)
        for loop in (regions.EYE_LEFT, regions.EYE_RIGHT)
    )
    skin = polygon(face.points_xyz[list(regions.FACE_OVAL), :2], face.size_hw) - eyes
    pixels = np.asarray(astronaut) * (1 - 0.75 * np.clip(skin, 0, 1))[..., None]
    assert "dark" not in codes(analyze(Image.fromarray(pixels.astype(np.uint8))))


def test_shadow_on_half_the_face_is_uneven_light(analyze, astronaut, face):
    x = int(face.points_xyz[4, 0])
    pixels = np.asarray(astronaut).astype(float)
    pixels[:, :x] *= 0.4
    assert "uneven_light" in codes(analyze(Image.fromarray(pixels.astype(np.uint8))))


@pytest.mark.parametrize("degrees", [-40, -15, 0, 25])
def test_head_pose_gives_back_the_turn(degrees):
    from models.ops.landmarks import canonical_face

    frontal = canonical_face().points_xyz
    angle = np.radians(degrees)
    turn = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    yaw, pitch, roll = head_pose(np.float32(frontal @ turn.T * 80 + 300))
    assert roll == pytest.approx(degrees, abs=0.5)
    assert abs(yaw) < 0.5
    assert abs(pitch) < 0.5
    side = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    yaw, _, roll = head_pose(np.float32(frontal @ side.T * 80 + 300))
    assert abs(yaw) == pytest.approx(abs(degrees), abs=0.5)
    assert abs(roll) < 0.5


@torch.inference_mode()
def test_folding_batch_norms_leaves_none_and_changes_nothing():
    draw = seeding.generator_for(0, "fold")
    parser = seeding.initialise(HumanParser(widths=(8, 8), depths=(1, 1)), draw).eval()
    for module in parser.modules():
        if isinstance(module, nn.BatchNorm2d):
            for value in (module.running_mean, module.running_var, module.weight, module.bias):
                assert value is not None
                value.copy_(torch.rand(value.shape, generator=draw) + 0.5)
    picture = torch.rand((1, 3, 32, 32), generator=draw)
    before = parser(picture)
    fold_batch_norms(parser)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in parser.modules())
    torch.testing.assert_close(parser(picture), before, atol=1e-4, rtol=1e-4)
