"""Formats, orientation, arrays, limits, and what leaves: lossless, whole, and without a trace."""

from __future__ import annotations

import struct
import threading
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from models.errors import ImageError, ShapeError
from pipelines.images import MAX_TEXT_BYTES, Limits, decode, encode, read_text, save

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


# --- out --------------------------------------------------------------------------------------


@pytest.mark.parametrize("compress_level", [0, 1, 4, 9])
def test_png_is_bit_exact(compress_level):
    data = encode(Image.fromarray(PIXELS), compress_level=compress_level)
    assert np.array_equal(np.asarray(Image.open(BytesIO(data))), PIXELS)
    assert np.array_equal(np.asarray(decode(data)), PIXELS)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA"])
def test_png_and_webp_keep_grey_and_alpha(mode):
    picture = Image.fromarray(quarters()).convert(mode)
    back = Image.open(BytesIO(encode(picture, "png")))
    assert back.mode == mode
    assert np.array_equal(np.asarray(back), np.asarray(picture))
    assert Image.open(BytesIO(encode(picture, "webp"))).size == picture.size


@pytest.mark.parametrize(("name", "kind"), [("jpeg", "JPEG"), ("JPG", "JPEG"), ("webp", "WEBP")])
def test_other_formats_on_request(name, kind):
    data = encode(Image.fromarray(quarters()), name, quality=95)
    assert Image.open(BytesIO(data)).format == kind
    close(decode(data), quarters(), 8)
    busy = Image.fromarray(PIXELS)
    assert len(encode(busy, name, quality=30)) < len(encode(busy, name, quality=95)) / 1.5


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF", "AVIF"])
def test_place_and_camera_do_not_leave_with_the_picture(kind, name):
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 30.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    data = saved(Image.fromarray(quarters()), kind, exif=exif, xmp=b"<x>SecretPlace</x>")
    assert b"SecretCamera" in data
    picture = decode(data)
    assert picture.info == {}
    assert not picture.getexif()
    for out in (encode(picture, name), encode(Image.open(BytesIO(data)).convert("RGB"), name)):
        assert b"Secret" not in out
        back = Image.open(BytesIO(out))
        assert not back.getexif()
        assert not {"exif", "xmp", "icc_profile", "comment"} & set(back.info)


@pytest.mark.parametrize(
    ("picture", "name"),
    [
        (Image.new("RGB", (20, 20)), "gif"),
        (Image.new("RGB", (20, 20)), "../../x"),
        (Image.new("RGBA", (20, 20)), "jpeg"),
        (Image.new("CMYK", (20, 20)), "png"),
        (Image.new("L", (16_384, 20)), "webp"),
        (Image.new("L", (65_536, 2)), "jpeg"),
    ],
)
def test_what_cannot_be_written_is_refused(picture, name):
    with pytest.raises(ImageError) as caught:
        encode(picture, name)
    assert caught.value.reason == "output_kind"
    assert caught.value.needed


@pytest.mark.parametrize("name", ["a.png", "a.JPG", "a.jpeg", "a.webp", "n" * 250 + ".png"])
def test_save_goes_by_the_ending_and_leaves_nothing_else(name, tmp_path):
    (tmp_path / name).write_bytes(b"old")
    save(Image.fromarray(quarters()), tmp_path / name)
    close(decode(tmp_path / name), quarters(), 8)
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"old")
    with pytest.raises(ImageError):
        save(Image.new("CMYK", (20, 20)), tmp_path / "a.png")

    def full_disk(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space"):
        save(Image.fromarray(quarters()), tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["a", "a.gif", "a.png.exe", ".png"])
def test_save_refuses_other_endings(name, tmp_path):
    with pytest.raises(ImageError) as caught:
        save(Image.fromarray(quarters()), tmp_path / name)
    assert caught.value.reason == "output_kind"
    assert not list(tmp_path.iterdir())


# --- text -------------------------------------------------------------------------------------


def test_a_text_travels_in_the_png_and_the_pixels_do_not_notice(tmp_path):
    look = '{"lips": "Rouge — 口紅 💄"}' * 1000
    save(Image.fromarray(PIXELS), tmp_path / "a.png", text={"look": look, "other": "x"})
    assert (tmp_path / "a.png").stat().st_size < len(PIXELS.tobytes()) + 2_000  # compressed
    assert read_text(tmp_path / "a.png", "look") == look
    assert read_text((tmp_path / "a.png").read_bytes(), "other") == "x"
    assert read_text(tmp_path / "a.png", "loo") is None
    assert np.array_equal(np.asarray(decode(tmp_path / "a.png")), PIXELS)
    assert decode(tmp_path / "a.png").info == {}
    assert Image.open(tmp_path / "a.png").text["look"] == look  # another reader agrees


def test_reads_texts_other_programs_wrote():
    info = PngImagePlugin.PngInfo()
    info.add_text("plain", "café")
    info.add_text("packed", "café" * 50, zip=True)
    info.add_itxt("wide", "口紅", lang="ja", tkey="translated")
    data = saved(Image.fromarray(quarters()), "PNG", pnginfo=info)
    assert read_text(data, "plain") == "café"
    assert read_text(data, "packed") == "café" * 50
    assert read_text(data, "wide") == "口紅"


def test_other_formats_carry_no_text():
    assert read_text(encode(Image.fromarray(quarters()), "jpeg"), "look") is None
    with pytest.raises(ImageError) as caught:
        encode(Image.fromarray(quarters()), "jpeg", text={"look": "{}"})
    assert caught.value.needed == "png"


def test_the_longest_text_comes_back_and_one_byte_more_is_refused():
    picture = Image.fromarray(quarters())
    data = encode(picture, text={"look": "x" * MAX_TEXT_BYTES})
    assert read_text(data, "look") == "x" * MAX_TEXT_BYTES
    decode(data)
    with pytest.raises(ImageError) as caught:
        encode(picture, text={"look": "x" * (MAX_TEXT_BYTES + 1)})
    assert (caught.value.found, caught.value.needed) == (MAX_TEXT_BYTES + 1, MAX_TEXT_BYTES)
    with pytest.raises(ImageError) as caught:
        read_text(data, "look", max_bytes=1000)
    assert caught.value.reason == "text"


@pytest.mark.parametrize("key", ["", "k" * 80, "schlüssel", "a\0b"])
def test_odd_text_keys_are_refused(key):
    with pytest.raises(ImageError):
        encode(Image.fromarray(quarters()), text={key: "x"})


def test_damaged_text_is_refused():
    data = bytearray(encode(Image.fromarray(quarters()), text={"look": "some words here"}))
    data[data.index(b"look\0") + 12] ^= 0xFF
    with pytest.raises(ImageError) as caught:
        read_text(bytes(data), "look")
    assert caught.value.reason == "text"
