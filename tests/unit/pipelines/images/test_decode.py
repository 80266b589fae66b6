"""What comes in: formats, orientation, arrays and limits."""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from models.errors import ImageError, ShapeError
from pipelines.images.decode import decode
from pipelines.images.files import Limits

pillow_heif.register_heif_opener()


def saved(image, kind, **options):
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(height=48, width=64, channels=3, seed=0):
    shape = (height, width, channels) if channels > 1 else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def quarters():
    """Red, green / blue, white: every turn and mirror image of it is another picture."""
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24, :32], pixels[:24, 32:] = (220, 30, 30), (30, 200, 30)
    pixels[24:, :32], pixels[24:, 32:] = (30, 30, 220), (240, 240, 240)
    return pixels


def close(image, pixels, tolerance):
    assert image.mode == "RGB"
    assert image.info == {}
    assert image.size == pixels.shape[1::-1]
    difference = np.asarray(image).astype(int) - pixels
    # away from the edges between quarters, where lossy codecs ring
    height, width = pixels.shape[:2]
    for y in (height // 4, 3 * height // 4):
        for x in (width // 4, 3 * width // 4):
            assert np.abs(difference[y - 3 : y + 3, x - 3 : x + 3]).max() <= tolerance


# --- formats ----------------------------------------------------------------------------------

FORMATS = [
    ("JPEG", {"quality": 95}, 4),
    ("JPEG", {"quality": 95, "progressive": True}, 4),
    ("PNG", {}, 0),
    ("WEBP", {"quality": 95}, 6),
    ("WEBP", {"lossless": True}, 0),
    ("HEIF", {"quality": 95}, 6),
    ("AVIF", {"quality": 95}, 6),
    ("BMP", {}, 0),
    ("GIF", {}, 0),
    ("TIFF", {}, 0),
    ("TIFF", {"compression": "tiff_lzw"}, 0),
    ("TIFF", {"compression": "tiff_adobe_deflate", "big_tiff": False}, 0),
    ("TIFF", {"compression": "jpeg", "quality": 95}, 6),
]


@pytest.mark.parametrize(("kind", "options", "tolerance"), FORMATS)
def test_reads_each_format_from_bytes_and_path(kind, options, tolerance, tmp_path):
    data = saved(Image.fromarray(quarters()), kind, **options)
    (tmp_path / "misnamed.jpg").write_bytes(data)  # known by content, not by name
    close(decode(data), quarters(), tolerance)
    close(decode(tmp_path / "misnamed.jpg"), quarters(), tolerance)
    close(decode(str(tmp_path / "misnamed.jpg")), quarters(), tolerance)
    close(decode(Image.open(BytesIO(data))), quarters(), tolerance)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_an_animation_gives_its_first_frame(kind):
    first, then = Image.fromarray(quarters()), Image.new("RGB", (64, 48), "black")
    data = saved(first, kind, save_all=True, append_images=[then, then])
    close(decode(data), quarters(), 20)


def test_reads_the_first_picture_of_a_phone_that_stores_two():
    first, then = Image.fromarray(quarters()), Image.new("RGB", (64, 48), "black")
    data = saved(first, "MPO", save_all=True, append_images=[then], quality=95)
    close(decode(data), quarters(), 4)


def test_a_symbolic_link_to_a_picture_is_read(tmp_path):
    (tmp_path / "a.png").write_bytes(saved(Image.fromarray(quarters()), "PNG"))
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    close(decode(tmp_path / "b.png"), quarters(), 0)


# --- orientation ------------------------------------------------------------------------------

# EXIF 2.32, tag 274: how to turn what is stored to see it upright.
UPRIGHT = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.flipud(np.rot90(a, 1)),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.fliplr(np.rot90(a, 1)),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("tag", UPRIGHT)
@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [("JPEG", 6), ("PNG", 0), ("WEBP", 12), ("TIFF", 0), ("AVIF", 8), ("HEIF", 8)],
)
def test_turns_the_picture_as_the_camera_was_held(kind, tolerance, tag):
    exif = Image.Exif()
    exif[0x0112] = tag
    data = saved(Image.fromarray(quarters()), kind, exif=exif.tobytes())
    expected = np.ascontiguousarray(UPRIGHT[tag](quarters()))
    close(decode(data), expected, tolerance)
    close(decode(Image.open(BytesIO(data))), expected, tolerance)


def test_heic_turns_by_its_own_property_not_by_exif():
    """HEIF (ISO 23008-12): `irot` and `imir` rule; a phone repeats them in EXIF, only to inform."""
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.fromarray(quarters()), "HEIF", exif=exif)  # an object: EXIF, but no `irot`
    assert b"irot" not in data
    close(decode(data), quarters(), 8)


def test_transpose_is_tag_5_and_transverse_7():
    """Guards the table above with plain axis swaps."""
    a = quarters()
    assert np.array_equal(UPRIGHT[5](a), a.swapaxes(0, 1))
    assert np.array_equal(UPRIGHT[7](a), np.rot90(a, 2).swapaxes(0, 1))


def test_imagemagick_keeps_exif_in_png_text():
    exif = Image.Exif()
    exif[0x0112] = 6
    raw = exif.tobytes()
    info = PngImagePlugin.PngInfo()
    info.add_text("Raw profile type exif", f"\nexif\n{len(raw):8}\n{raw.hex()}\n", zip=True)
    data = saved(Image.fromarray(quarters()), "PNG", pnginfo=info)
    close(decode(data), np.ascontiguousarray(np.rot90(quarters(), -1)), 0)


@pytest.mark.parametrize("exif", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\x7f", b"junk" * 9])
def test_damaged_camera_data_leaves_the_picture_as_stored(exif):
    data = saved(Image.fromarray(quarters()), "PNG")
    chunk = b"eXIf" + exif.removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    close(decode(data[:33] + chunk + data[33:]), quarters(), 0)


# --- arrays -----------------------------------------------------------------------------------

PIXELS = noise()
GREY = noise(channels=1)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (PIXELS, PIXELS),
        (PIXELS[::-1, ::2], PIXELS[::-1, ::2]),
        (GREY, np.stack([GREY] * 3, -1)),
        (GREY[..., None], np.stack([GREY] * 3, -1)),
        (np.dstack([PIXELS, np.full((48, 64), 255, np.uint8)]), PIXELS),
        (np.dstack([PIXELS, np.zeros((48, 64), np.uint8)]), np.full_like(PIXELS, 255)),
        (PIXELS.astype(np.uint16) * 257, PIXELS),
        (PIXELS / 255, PIXELS),
        ((PIXELS / 255).astype(np.float32), PIXELS),
        (np.ones((20, 20), np.float16), np.full((20, 20, 3), 255)),
    ],
)
def test_arrays(array, expected):
    before = array.copy()
    assert np.array_equal(np.asarray(decode(array)), expected)
    assert np.array_equal(array, before)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros(64, np.uint8),
        np.zeros((3, 64, 64), np.uint8),
        np.zeros((64, 64, 2), np.uint8),
        np.zeros((1, 64, 64, 3), np.uint8),
        np.zeros((64, 64), bool),
        np.zeros((64, 64), np.int64),
        np.zeros((64, 64), complex),
        np.full((64, 64), "a"),
        np.full((64, 64), 1.01),
        np.full((64, 64), -0.01),
        np.full((64, 64), np.nan),
        PIXELS.astype(np.float32),
    ],
    ids=lambda a: f"{a.shape} {a.dtype}",
)
def test_other_arrays_are_refused(array):
    with pytest.raises(ShapeError) as caught:
        decode(array)
    assert caught.value.found is not None
    assert caught.value.needed is not None


def test_the_given_picture_stays_as_it_was():
    picture = Image.fromarray(quarters())
    picture.info["comment"] = "mine"
    decode(picture).putpixel((0, 0), (1, 2, 3))
    assert picture.info == {"comment": "mine"}
    assert np.array_equal(np.asarray(picture), quarters())


# --- limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size_wh", "reason"),
    [
        ((16, 16), None),
        ((15, 16), "too_small"),
        ((320, 16), None),
        ((321, 16), "too_long"),
        ((16, 321), "too_long"),
        ((20_000, 3), "too_small"),
        ((1, 1), "too_small"),
        ((0, 0), "too_small"),
        ((8_064, 6_048), None),  # a phone's 48 megapixels
        ((10_000, 5_000), None),
        ((10_001, 5_000), "too_many_pixels"),
    ],
)
def test_sizes_at_the_limits(size_wh, reason):
    if reason is None:
        Limits().check_size(size_wh)
        return
    with pytest.raises(ImageError) as caught:
        Limits().check_size(size_wh)
    assert caught.value.reason == reason
    assert caught.value.found == size_wh
    assert caught.value.needed is not None


def test_limits_hold_for_every_kind_of_source(tmp_path):
    limits = Limits(max_pixels=2_000)
    data = saved(Image.fromarray(quarters()), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    for source in (data, tmp_path / "a.png", quarters(), Image.fromarray(quarters())):
        with pytest.raises(ImageError, match="64 x 48 pixels; at most 2000"):
            decode(source, limits=limits)


def test_bytes_are_counted_before_they_are_read(tmp_path):
    data = saved(Image.fromarray(quarters()), "PNG")
    (tmp_path / "a.png").write_bytes(data)
    for source in (data, tmp_path / "a.png"):
        decode(source, limits=Limits(max_bytes=len(data)))
        with pytest.raises(ImageError) as caught:
            decode(source, limits=Limits(max_bytes=len(data) - 1))
        assert (caught.value.found, caught.value.needed) == (len(data), len(data) - 1)


def test_threads_get_their_own_pictures_and_leave_warnings_alone():
    sources = [noise(seed=seed) for seed in range(8)]
    results: dict[int, np.ndarray] = {}
    filters = list(warnings.filters)

    def work(index):
        results[index] = np.asarray(decode(saved(Image.fromarray(sources[index]), "PNG")))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(results[i], sources[i]) for i in range(8))
    assert warnings.filters == filters
