"""Colours against published matrices and hand-made ICC profiles (ICC.1:2010, section 7)."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from models.errors import ImageError
from pipelines.images.decode import decode

pillow_heif.register_heif_opener()


# --- what the standards say -------------------------------------------------------------------

D65_XY = (0.3127, 0.3290)
SRGB_XY = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
P3_XY = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))


def to_xyz_matrix(primaries_xy):
    """Linear RGB -> XYZ from chromaticities (SMPTE RP 177)."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries_xy]).T
    x, y = D65_XY
    white = np.array([x / y, 1, (1 - x - y) / y])
    return columns * np.linalg.solve(columns, white)


def linear(codes):
    v = np.asarray(codes, float) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def encoded(light):
    v = np.clip(light, 0, 1)
    return 255 * np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)


def p3_to_srgb(codes):
    matrix = np.linalg.inv(to_xyz_matrix(SRGB_XY)) @ to_xyz_matrix(P3_XY)
    return encoded(linear(codes) @ matrix.T)


def lab_to_srgb(lab):
    """CIE Lab (D50) -> sRGB, Bradford adaptation as published by Lindbloom."""
    fy = (lab[0] + 16) / 116
    f = np.array([fy + lab[1] / 500, fy, fy - lab[2] / 200])
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * [0.9642, 1, 0.8249]
    matrix = [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
    return encoded(np.array(matrix) @ xyz)


# --- profiles by hand -------------------------------------------------------------------------


def s15(*values):
    return b"".join(struct.pack(">i", round(v * 65536)) for v in values)


def profile(space, pcs, tags, kind=b"mntr"):
    at, body, table = 128 + 4 + 12 * len(tags), b"", struct.pack(">I", len(tags))
    for name, data in tags.items():
        data += b"\0" * (-len(data) % 4)
        table += struct.pack(">4sII", name, at + len(body), len(data))
        body += data
    size = at + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"\0" * 4, 0x02400000, kind, space, pcs)
    head += b"\0" * 12 + b"acsp" + b"\0" * 28 + s15(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + table + body


def xyz_tag(*values):
    return b"XYZ \0\0\0\0" + s15(*values)


def gamma_tag(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


WHITE_TAG = {b"wtpt": xyz_tag(0.9642, 1, 0.8249)}


def display_p3():
    """Apple's Display P3: colorants adapted to D50, sRGB's curve."""
    curve = b"para\0\0\0\0\0\3\0\0" + s15(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    return profile(
        b"RGB ",
        b"XYZ ",
        {
            **WHITE_TAG,
            b"rXYZ": xyz_tag(0.51512, 0.24120, -0.00105),
            b"gXYZ": xyz_tag(0.29198, 0.69225, 0.04189),
            b"bXYZ": xyz_tag(0.15710, 0.06657, 0.78407),
            **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve),
        },
    )


def linear_grey():
    return profile(b"GRAY", b"XYZ ", {**WHITE_TAG, b"kTRC": gamma_tag(1.0)})


# Solid inks in Lab, near FOGRA39's but with a neutral white and a full black.
INKS = {
    (0, 0, 0, 0): (100, 0, 0),
    (1, 0, 0, 0): (60, -26, -40),
    (0, 1, 0, 0): (50, 55, -2),
    (0, 0, 1, 0): (89, -5, 70),
    (0, 1, 1, 0): (48, 55, 36),
    (1, 0, 1, 0): (55, -40, 25),
    (1, 1, 0, 0): (30, 15, -35),
    (1, 1, 1, 0): (24, 0, 0),
}


def ink_profile():
    """A printer profile whose table (lut8) holds one Lab value per corner of CMYK."""
    ramp = bytes(range(256))
    corners = b""
    for index in range(16):
        c, m, y, k = (index >> 3) & 1, (index >> 2) & 1, (index >> 1) & 1, index & 1
        lightness, a, b = (0, 0, 0) if k else INKS.get((c, m, y, k), (40, 0, 0))
        corners += bytes([round(lightness * 2.55), a + 128, b + 128])
    lut = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + s15(1, 0, 0, 0, 1, 0, 0, 0, 1)
    lut += ramp * 4 + corners + ramp * 3
    return profile(b"CMYK", b"Lab ", {**WHITE_TAG, b"A2B0": lut, b"A2B1": lut}, kind=b"prtr")


def saved(image, kind, **options):
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def flat(color, mode="RGB"):
    return Image.new(mode, (32, 32), color)


def pixel(source):
    return np.array(decode(source).getpixel((16, 16)), int)


# --- Display P3 -------------------------------------------------------------------------------

SKIN_AND_LIPS = [
    (224, 172, 148),
    (141, 85, 60),
    (90, 56, 42),
    (176, 66, 80),
    (150, 30, 46),
    (128, 128, 128),
    (255, 255, 255),
    (0, 0, 0),
    (60, 120, 90),
]


@pytest.mark.parametrize("color", SKIN_AND_LIPS)
def test_a_p3_color_comes_out_as_the_matrices_say(color):
    data = saved(flat(color), "PNG", icc_profile=display_p3())
    assert np.abs(pixel(data) - p3_to_srgb(color)).max() <= 1.01


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"quality": 100, "subsampling": 0}),
        ("WEBP", {"lossless": True}),
        ("TIFF", {}),
        ("AVIF", {"quality": 100, "subsampling": "4:4:4"}),
        ("HEIF", {"quality": 100, "chroma": 444}),
    ],
)
def test_p3_is_honoured_in_every_format_that_carries_a_profile(kind, options):
    color = (200, 90, 80)
    data = saved(flat(color), kind, icc_profile=display_p3(), **options)
    expected = p3_to_srgb(color)
    assert np.abs(expected - color).max() > 8  # ignoring the profile would not pass
    assert np.abs(pixel(data) - expected).max() <= 3


def test_p3_red_clips_to_srgb_red():
    data = saved(flat((255, 0, 0)), "PNG", icc_profile=display_p3())
    assert pixel(data).tolist() == [255, 0, 0]


def test_png_cicp_names_p3_without_a_profile():
    data = saved(flat((200, 90, 80)), "PNG")
    body = b"cICP\x0c\x0d\x00\x01"
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    assert np.abs(pixel(data[:33] + chunk + data[33:]) - p3_to_srgb((200, 90, 80))).max() <= 1.01


def test_heic_nclx_names_p3_without_a_profile():
    options = {"color_primaries": 12, "transfer_characteristics": 13, "matrix_coefficients": 6}
    data = saved(flat((200, 90, 80)), "HEIF", quality=100, chroma=444, full_range_flag=1, **options)
    assert np.abs(pixel(data) - p3_to_srgb((200, 90, 80))).max() <= 3


# --- other profiles ---------------------------------------------------------------------------


def test_an_embedded_srgb_profile_changes_no_bit():
    pixels = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = saved(Image.fromarray(pixels), "PNG", icc_profile=srgb)
    assert np.array_equal(np.asarray(decode(data)), pixels)


@pytest.mark.parametrize(
    "broken",
    [
        b"not a profile",
        b"\0" * 4000,
        display_p3()[:200],
        display_p3()[:128] + b"\xff" * 400,
        ink_profile(),
        b"\0" * 5_000_000,
    ],
    ids=["text", "zeros", "cut off", "absurd tags", "for CMYK", "huge"],
)
def test_a_broken_or_foreign_profile_counts_as_srgb(broken):
    pixels = np.random.default_rng(2).integers(0, 256, (32, 32, 3), np.uint8)
    data = saved(Image.fromarray(pixels), "TIFF", icc_profile=broken)
    assert np.array_equal(np.asarray(decode(data)), pixels)


@pytest.mark.parametrize("mode", ["L", "LA"])
@pytest.mark.parametrize("grey", [0, 20, 55, 128, 255])
def test_a_linear_grey_profile_is_brought_to_srgb_curve(grey, mode):
    picture = flat(grey, "L").convert(mode)
    expected = encoded(np.array([grey / 255] * 3))
    assert np.abs(pixel(saved(picture, "PNG", icc_profile=linear_grey())) - expected).max() <= 1.01


def test_a_grey_picture_may_carry_an_rgb_profile():
    data = saved(flat(100, "L"), "PNG", icc_profile=display_p3())
    assert np.abs(pixel(data) - 100).max() <= 1


@pytest.mark.parametrize(("inks", "lab"), INKS.items())
@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_goes_through_its_profile(kind, inks, lab):
    picture = flat(tuple(255 * ink for ink in inks), "CMYK")
    options = {"quality": 100} if kind == "JPEG" else {}
    data = saved(picture, kind, icc_profile=ink_profile(), **options)
    assert np.abs(pixel(data) - lab_to_srgb(lab)).max() <= 4  # lut8 rounds Lab to whole numbers


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize(
    ("inks", "rgb"),
    [
        ((0, 0, 0, 0), (255, 255, 255)),
        ((0, 255, 255, 0), (255, 0, 0)),
        ((255, 0, 0, 0), (0, 255, 255)),
        ((0, 0, 0, 255), (0, 0, 0)),
        ((0, 0, 0, 127), (128, 128, 128)),
    ],
)
def test_cmyk_without_a_profile_is_mixed_by_subtraction(kind, inks, rgb):
    """JPEG writes the four inks upside down (Adobe's way); a TIFF does not."""
    options = {"quality": 100} if kind == "JPEG" else {}
    assert np.abs(pixel(saved(flat(inks, "CMYK"), kind, **options)) - rgb).max() <= 2


# --- transparency -----------------------------------------------------------------------------


def palette_picture():
    picture = flat(1, "P")
    picture.putpalette([0, 0, 0, 200, 100, 50])
    return picture


OVER_WHITE = [
    ("RGBA half", flat((200, 100, 50, 128), "RGBA"), {}, (227, 177, 152)),
    ("RGBA clear", flat((200, 100, 50, 0), "RGBA"), {}, (255, 255, 255)),
    ("RGBA full", flat((200, 100, 50, 255), "RGBA"), {}, (200, 100, 50)),
    ("LA half", flat((0, 128), "LA"), {}, (127, 127, 127)),
    ("P full", palette_picture(), {}, (200, 100, 50)),
    ("P alpha table", palette_picture(), {"transparency": b"\xff\x80"}, (227, 177, 152)),
    ("P clear colour", palette_picture(), {"transparency": 1}, (255, 255, 255)),
    ("RGB clear colour", flat((9, 8, 7)), {"transparency": (9, 8, 7)}, (255, 255, 255)),
    ("L clear colour", flat(9, "L"), {"transparency": 9}, (255, 255, 255)),
    ("1", flat(1, "1"), {}, (255, 255, 255)),
]


@pytest.mark.parametrize(
    ("picture", "options", "expected"), [c[1:] for c in OVER_WHITE], ids=[c[0] for c in OVER_WHITE]
)
def test_transparency_lies_over_white(picture, options, expected):
    assert np.abs(pixel(saved(picture, "PNG", **options)) - expected).max() <= 1


def test_premultiplied_pictures_are_divided_first():
    picture = flat((200, 100, 50, 128), "RGBA").convert("RGBa")
    assert np.abs(pixel(picture) - (227, 177, 152)).max() <= 2


def test_the_profile_of_a_transparent_picture_applies_before_the_white():
    data = saved(flat((200, 90, 80, 128), "RGBA"), "PNG", icc_profile=display_p3())
    expected = p3_to_srgb((200, 90, 80)) * (128 / 255) + 255 * (127 / 255)
    assert np.abs(pixel(data) - expected).max() <= 1.5


# --- depth ------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize(("deep", "code"), [(0, 0), (257 * 77, 77), (65535, 255), (12850, 50)])
def test_sixteen_bit_grey_is_scaled_not_cut(kind, deep, code):
    data = saved(Image.fromarray(np.full((32, 32), deep, np.uint16)), kind)
    assert pixel(data).tolist() == [code] * 3


def test_sixteen_bit_grey_with_a_clear_grey():
    data = saved(Image.fromarray(np.full((32, 32), 4000, np.uint16)), "PNG", transparency=4000)
    assert pixel(data).tolist() == [255] * 3


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_sixteen_bit_color(suffix):
    import cv2

    deep = np.full((32, 32, 3), (50 * 257, 100 * 257, 200 * 257), np.uint16)  # B, G, R
    data = cv2.imencode(suffix, deep)[1].tobytes()
    assert pixel(data).tolist() == [200, 100, 50]


def test_float_tiff_from_0_to_1():
    data = saved(Image.fromarray(np.full((32, 32), 0.5, np.float32)), "TIFF")
    assert pixel(data).tolist() == [128] * 3


@pytest.mark.parametrize("value", [-0.5, 1.5, 255.0, np.nan, np.inf])
def test_floats_outside_0_to_1_have_no_agreed_white(value):
    data = saved(Image.fromarray(np.full((32, 32), value, np.float32)), "TIFF")
    with pytest.raises(ImageError) as caught:
        decode(data)
    assert caught.value.reason == "unusual_pixels"
    assert caught.value.found == "F"


def test_integers_beyond_16_bits_have_no_agreed_white():
    data = saved(Image.fromarray(np.full((32, 32), 70_000, np.int32)), "TIFF")
    with pytest.raises(ImageError, match="70000"):
        decode(data)


def test_bands_meet_without_a_seam():
    """Taller than one band: every row still comes out as it went in."""
    pixels = np.random.default_rng(3).integers(0, 256, (3000, 1500, 3), np.uint8)
    data = saved(Image.fromarray(pixels), "BMP")
    assert np.array_equal(np.asarray(decode(data)), pixels)
