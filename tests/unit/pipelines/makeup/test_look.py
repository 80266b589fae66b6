import base64
import copy
import json
import struct
import zlib
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models import regions
from models.errors import LookError
from models.instant.drawn import draw
from models.instant.makeup import nothing
from models.ops.color import delta_e, hex_to_lab, rgb_to_lab
from models.ops.masks import polygon
from pipelines.makeup.look import Look, quantize_makeup
from pipelines.makeup.look_files import embed, load_look, read_embedded
from pipelines.makeup.named_looks import NAMED_LOOKS, NAMES, find_look
from pipelines.makeup.pipeline_instant import combine


@pytest.fixture(scope="module")
def extracted(pipeline, painted) -> Look:
    return pipeline.read_look(painted)


def wear(pipeline, face, look) -> np.ndarray:
    return np.asarray(pipeline.blend(pipeline.wear([face], look)))


def test_a_look_read_back_from_its_file_gives_the_same_pixels(pipeline, face, extracted):
    again = Look.from_json(extracted.to_json())
    assert np.array_equal(wear(pipeline, face, again), wear(pipeline, face, extracted))
    assert again.to_json() == extracted.to_json()


@pytest.mark.parametrize("name", NAMES)
def test_a_drawn_look_read_back_gives_the_same_pixels(pipeline, face, name):
    look = find_look(name)
    result = wear(pipeline, face, look)
    assert np.array_equal(wear(pipeline, face, Look.from_json(look.to_json())), result)
    assert np.abs(result.astype(int) - face.image).max() > 25  # one can see it


def test_a_look_file_is_small(extracted):
    assert len(extracted.to_json()) < 250_000
    assert max(len(find_look(name).to_json()) for name in NAMES) < 100_000


def test_the_result_carries_its_look_at_its_strengths(pipeline, face, extracted):
    soft = extracted.with_strengths({"lips": 0.25, "eyes": 0.5}, 0.8)
    data = embed(pipeline.blend(pipeline.wear([face], soft)), soft)
    found = read_embedded(data)
    assert found is not None
    assert (found.strength, dict(found.strengths)) == (0.8, {"lips": 0.25, "eyes": 0.5})
    with Image.open(BytesIO(data)) as picture:
        assert np.array_equal(wear(pipeline, face, found), np.asarray(picture))


def test_eight_bits_are_finest_where_makeup_is_sheer(face):
    generator = np.random.default_rng(0)
    deviation = generator.uniform(-90, 90, (512, 512, 3)).astype(np.float32)
    deviation[:256] /= 9
    kept = quantize_makeup(replace(nothing(), deviation=deviation)).deviation
    error = np.abs(kept - deviation)
    assert error[:256].max() <= 0.27  # 10 from bare skin; half of what an eye sees
    assert error.max() <= 0.62
    assert (np.sign(kept) * np.sign(deviation)).min() >= 0


def test_beyond_the_reach_of_a_file_colors_saturate(face):
    deviation = np.full((512, 512, 3), 500, np.float32)
    deviation[..., 2] = -500
    kept = quantize_makeup(replace(nothing(), deviation=deviation)).deviation
    assert 95 < kept[0, 0, 0] < 100
    assert -100 < kept[0, 0, 2] < -95


def test_quantising_again_changes_nothing(extracted):
    again = quantize_makeup(extracted.makeup)
    for name in ("deviation", "cover", "paint", "opacity"):
        assert np.array_equal(getattr(again, name), getattr(extracted.makeup, name)), name


def test_classic_red_lips_reach_the_color_on_the_label(pipeline, face):
    result = wear(pipeline, face, find_look("classic-red"))
    points = face.points_xyz[:, :2]
    outer = polygon(points[list(regions.LIPS_OUTER)], face.size_hw)
    inner = polygon(points[list(regions.LIPS_INNER)], face.size_hw, 1.0)
    core = (outer > 0.99) & (inner < 0.05)
    asked = hex_to_lab("#a3122a")
    before = np.median(rgb_to_lab(face.image)[core], axis=0)
    after = np.median(rgb_to_lab(result)[core], axis=0)
    assert delta_e(before, asked) > 25
    assert delta_e(after, asked) <= 3  # with a liner and some gloss


@pytest.mark.parametrize("name", NAMES)
def test_drawn_looks_are_the_same_on_both_sides(name):
    recipe = replace(NAMED_LOOKS[name].recipe, glitter=(), freckles=None)  # these fall by chance
    makeup = draw(recipe, 256)
    for values in (makeup.opacity, makeup.paint * makeup.opacity[..., None], makeup.deviation):
        assert np.abs(values - values[:, ::-1]).max() < 0.01


def test_lips_from_one_look_and_the_rest_from_another(pipeline, face):
    red, smoky = find_look("classic-red"), find_look("smoky-eye")
    both = combine(smoky, {"lips": red})
    lips = {**dict.fromkeys(regions.MAKEUP_REGIONS, 0.0), "lips": 1.0}
    only = {"strengths": lips}
    mixed = np.asarray(pipeline.blend(pipeline.wear([face], both), **only)).astype(int)
    plain = np.asarray(pipeline.blend(pipeline.wear([face], red), **only)).astype(int)
    assert np.abs(mixed - plain).max() <= 3
    assert both.name == "Smoky eye + Classic red"


def test_an_unknown_look_names_its_neighbours():
    with pytest.raises(LookError) as caught:
        find_look("clasic-red")
    assert isinstance(caught.value.needed, list)
    assert "classic-red" in caught.value.needed
    with pytest.raises(LookError):
        load_look("no-such-look")


def small_png(size, mode="RGB", kind="png") -> str:
    buffer = BytesIO()
    Image.new(mode, size).save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


def png_that_claims(width: int, height: int) -> str:
    """A PNG whose header promises more than there is."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b"")]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )
    return base64.b64encode(data).decode()


SPOILED = {
    "no version": lambda d: d.pop("mirra_look"),
    "another version": lambda d: d.update(mirra_look=2),
    "true for a version": lambda d: d.update(mirra_look=True),
    "no name": lambda d: d.pop("name"),
    "a number for a name": lambda d: d.update(name=7),
    "a very long name": lambda d: d.update(name="x" * 5000),
    "a bell in the name": lambda d: d.update(name="\a"),
    "a path for an origin": lambda d: d.update(origin="../../etc/passwd"),
    "no strengths": lambda d: d.pop("strengths"),
    "an unknown region": lambda d: d.update(strengths={"hair": 1}),
    "a strength of 9": lambda d: d.update(strengths={"lips": 9}),
    "a negative strength": lambda d: d.update(strength=-0.1),
    "NaN for a strength": lambda d: d.update(strength=float("nan")),
    "infinite strength": lambda d: d.update(strength=float("inf")),
    "text for a strength": lambda d: d.update(strengths={"lips": "1"}),
    "no maps": lambda d: d.pop("maps"),
    "a list of maps": lambda d: d.update(maps=[]),
    "a missing map": lambda d: d["maps"].pop("paint"),
    "a number for a map": lambda d: d["maps"].update(paint=1),
    "a map that is not base64": lambda d: d["maps"].update(cover="!!!"),
    "a map that is not a picture": lambda d: d["maps"].update(cover="aGVsbG8="),
    "a map that is too large": lambda d: d["maps"].update(cover=small_png((4000, 4000), "L")),
    "a map that is too small": lambda d: d["maps"].update(deviation=small_png((8, 8))),
    "a grey map for a coloured": lambda d: d["maps"].update(deviation=small_png((512, 512), "L")),
    "a map of ten gigapixels": lambda d: d["maps"].update(
        deviation=png_that_claims(100_000, 100_000)
    ),
    "a map of a hundred megapixels": lambda d: d["maps"].update(
        deviation=png_that_claims(10_000, 10_000)
    ),
    "a map with a header and no rows": lambda d: d["maps"].update(
        deviation=png_that_claims(512, 512)
    ),
    "a map that is a JPEG": lambda d: d["maps"].update(cover=small_png((512, 512), "L", "jpeg")),
    "a strength of 10 to the 300th and more": lambda d: d.update(strength=10**300),
    "NaN for a colour": lambda d: d.update(tone=[float("nan"), 0, 0]),
    "a list for a region's strength": lambda d: d.update(strengths={"lips": [1]}),
    "a map cut short": lambda d: d["maps"].update(paint=d["maps"]["paint"][:4000]),
    "two numbers for a colour": lambda d: d.update(tone=[1, 2]),
    "a colour out of range": lambda d: d.update(brows=[1e9, 0, 0]),
    "text for a colour": lambda d: d.update(brows="black"),
}


@pytest.fixture(scope="module")
def document() -> dict:
    return json.loads(find_look("nude").to_json())


@pytest.mark.parametrize("what", SPOILED)
def test_a_hostile_look_is_refused_as_a_look(document, what):
    spoiled = copy.deepcopy(document)
    SPOILED[what](spoiled)
    with pytest.raises(LookError):
        Look.from_json(json.dumps(spoiled).encode())


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"[" * 100_000, b"\xff\xfe", b" " * 1_100_000, b'{"a":1}'],
    ids=["empty", "cut", "list", "null", "deep", "not text", "huge", "other json"],
)
def test_what_is_no_look_is_refused(data):
    with pytest.raises(LookError):
        Look.from_json(data)


def test_a_map_with_any_byte_changed_is_read_or_refused(document):
    generator = np.random.default_rng(0)
    good = base64.b64decode(document["maps"]["cover"])
    for _ in range(300):
        data = bytearray(good)
        data[generator.integers(len(data))] = generator.integers(256)
        spoiled = document | {"maps": document["maps"] | {"cover": base64.b64encode(data).decode()}}
        try:
            look = Look.from_json(json.dumps(spoiled).encode())
        except LookError:
            continue
        assert 0 <= look.makeup.cover.min() <= look.makeup.cover.max() <= 1


@pytest.mark.parametrize("name", ["", "x" * 5000, "a\0b", "../../etc", "Ω", " "])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(LookError):
        load_look(name)


def test_a_picture_without_a_look_has_none(tmp_path):
    path = tmp_path / "plain.png"
    Image.new("RGB", (40, 40)).save(path)
    assert read_embedded(path) is None
    with pytest.raises(LookError):
        load_look(path)
