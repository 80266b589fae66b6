"""What leaves: lossless, whole, without a trace of the camera, and with the look inside."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from models.errors import ImageError
from pipelines.images.decode import decode
from pipelines.images.encode import encode, save
from pipelines.images.png_text import MAX_TEXT_BYTES, read_text

pillow_heif.register_heif_opener()

PIXELS = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)


def saved(image, kind, **options):
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def quarters():
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:24, :32], pixels[:24, 32:] = (220, 30, 30), (30, 200, 30)
    pixels[24:, :32], pixels[24:, 32:] = (30, 30, 220), (240, 240, 240)
    return pixels


def close(image, pixels, tolerance):
    """Same size, and the same colour in the middle of each quarter."""
    assert (image.mode, image.size) == ("RGB", pixels.shape[1::-1])
    difference = np.asarray(image).astype(int) - pixels
    assert np.abs(difference[12::24, 16::32]).max() <= tolerance


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
    with Image.open(tmp_path / "a.png") as other_reader:
        assert other_reader.info["look"] == look


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
