"""Files that lie, end early or want all memory: each gets its sentence, and none costs a gigabyte.

The files are made here and handed to one fresh interpreter, by path and (regular files) as bytes,
with warnings as errors. It reports what each gave; its peak memory counts for all of them.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from models.errors import ImageError
from pipelines.images.png_text import read_text

pillow_heif.register_heif_opener()
ROOT = Path(__file__).resolve().parents[2]
FILLER = 200_000  # bytes; enough for a directory to multiply


def saved(kind, size_wh=(64, 48), mode="RGB", **options):
    buffer = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (*size_wh[::-1], 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(name, body, crc=None):
    crc = zlib.crc32(name + body) if crc is None else crc
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", crc)


def png(*chunks, size_wh=(64, 48), header=b"\x08\x02\0\0\0", data=None):
    width, height = (min(side, 1000) for side in size_wh)  # what is claimed may be far more
    rows = (b"\0" + b"\x80" * 3 * width) * height
    data = zlib.compress(rows) if data is None else data
    ihdr = chunk(b"IHDR", struct.pack(">II", *size_wh) + header)
    body = b"".join(chunks) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + ihdr + body


def segment(marker, body):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def jpeg_with(*segments):
    data = saved("JPEG")
    return data[:2] + b"".join(segments) + data[2:]


def jpeg_sized(width, height):
    data = bytearray(saved("JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def many_scans():
    data = saved("JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * 200 + data[-2:]


def directory(entries, filler=0, order="<"):
    """A TIFF directory: (tag, type, count, value or offset) each; offsets may point anywhere."""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    body = struct.pack(order + "H", len(entries)) + b"".join(
        struct.pack(order + "HHI", tag, kind, count)
        + struct.pack(order + ("Hxx" if kind == 3 and count == 1 else "I"), value)
        for tag, kind, count, value in entries
    )
    return head + body + b"\0\0\0\0" + b"\x80" * filler


def greedy(size=FILLER, entries=4000):
    """Thousands of entries, each claiming the same filler."""
    start = 8 + 2 + 12 * entries + 4
    return directory([(1000 + i, 7, size, start) for i in range(entries)], size)


def greedy_exif():
    """The same within a JPEG's 64 KB: 2,700 entries of 30 KB would unfold to 80 MB."""
    return greedy(30_000, 2_700)


def tiff(*more, width=64, height=48, filler=64 * 48, strips=1, drop=()):
    tags = {256: (4, 1, width), 257: (4, 1, height), 258: (3, 1, 8), 259: (3, 1, 1)}
    tags |= {262: (3, 1, 1), 273: (4, strips, 0), 277: (3, 1, 1), 278: (4, 1, height)}
    tags |= {279: (4, strips, filler)} | {tag: tuple(rest) for tag, *rest in more}
    entries = [(tag, *value) for tag, value in sorted(tags.items()) if tag not in drop]
    start = 8 + 2 + 12 * len(entries) + 4
    return directory(
        [(t, k, n, start if t == 273 or (t == 279 and n > 1) else v) for t, k, n, v in entries],
        filler,
    )


def patched(data, old, new):
    assert old in data
    return data.replace(old, new)


def ispe(width, height):
    return b"ispe\0\0\0\0" + struct.pack(">II", width, height)


def zipped(name):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x" * 1000)
    return buffer.getvalue()


def webp_sized(width, height):
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


def gif_frame_larger_than_screen():
    """A 64 x 48 screen whose only frame says 65,535 x 65,535."""
    data = saved("GIF", mode="P")
    at = data.index(b"\x2c\0\0\0\0" + struct.pack("<HH", 64, 48))
    return data[: at + 5] + b"\xff\xff\xff\xff" + data[at + 9 :]


JPEG, PNG, GIF, BMP = saved("JPEG"), saved("PNG"), saved("GIF", mode="P"), saved("BMP")
WEBP, TIFF = saved("WEBP"), saved("TIFF", compression="tiff_lzw")
HEIC, AVIF = saved("HEIF"), saved("AVIF")
BOMB = zlib.compress(b"\0" * 60_000_000, 9)

NOT_PICTURES = {
    "text.jpg": b"this is not a picture\n" * 50,
    "wide text.png": "皆さん、こんにちは。".encode() * 200,
    "page.jpg": b"<!DOCTYPE html><html><script>alert(1)</script></html>",
    "drawing.png": b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    "entities.svg": b'<!DOCTYPE svg [<!ENTITY a "&b;&b;">]><svg onload="alert(1)">&a;</svg>',
    "paper.jpg": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"\0" * 500,
    "archive.jpg": zipped("face.jpg"),
    "letter.docx": zipped("word/document.xml"),
    "archive.png": gzip.compress(b"\0" * 1_000_000),
    "film.jpg": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 500,
    "film.heic": b"\0\0\0\x14ftypqt  \0\0\2\0qt  " + b"\0" * 500,
    "film.webp": b"RIFF\xff\xff\0\0AVI LIST" + b"\0" * 500,
    "film.avif": b"\x1aE\xdf\xa3" + b"\0" * 500,
    "sound.webp": b"RIFF\xff\xff\0\0WAVEfmt " + b"\0" * 500,
    "photoshop.jpg": b"8BPS\0\1" + b"\0" * 500,
    "postscript.jpg": b"%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%id) (r) file\n",
    "newer.jpg": b"\xff\x0a" + b"\0" * 500,
    "jp2.jpg": b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 500,
    "icon.png": b"\0\0\1\0\1\0" + b"\0" * 500,
    "program.jpg": b"\x7fELF" + b"\0" * 500,
    "raw.cr3": b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + b"\0" * 500,
    "raw.dng": tiff((50706, 1, 4, 0x00000401)),
    "raw.nef": tiff((254, 4, 1, 1)),
    "big.tiff": b"II+\0\x08\0\0\0" + b"\0" * 500,
    "one byte.jpg": b"\xff",
    "start only.jpg": b"\xff\xd8",
    "zeros.jpg": b"\0" * 1_000_000,
    "noise.jpg": np.random.default_rng(5).bytes(1_000_000),
    "late.jpg": b"\0" + JPEG,
    "pickle.png": b"\x80\x04\x95cos\nsystem\n",
}

DAMAGED = {
    # cut off
    **{
        f"half.{k}": d[: len(d) // 2]
        for k, d in {
            "jpg": JPEG,
            "png": PNG,
            "gif": GIF,
            "bmp": BMP,
            "webp": WEBP,
            "tiff": TIFF,
            "heic": HEIC,
            "avif": AVIF,
        }.items()
    },
    **{
        f"header only.{k}": d[:n]
        for k, d, n in [
            ("jpg", JPEG, 20),
            ("png", PNG, 33),
            ("gif", GIF, 13),
            ("bmp", BMP, 30),
            ("webp", WEBP, 30),
            ("tiff", TIFF, 8),
            ("heic", HEIC, 40),
            ("avif", AVIF, 40),
            ("magic.png", PNG, 8),
            ("magic.gif", GIF, 6),
            ("magic.bmp", BMP, 2),
        ]
    },
    # JPEG
    "garbage after header.jpg": JPEG[:20] + np.random.default_rng(6).bytes(5_000),
    "junk.jpg": JPEG[:20] + b"\0" * 100_000 + JPEG[20:],
    "scans.jpg": many_scans(),
    "twelve bits.jpg": patched(JPEG, b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"),
    "greedy exif.jpg": jpeg_with(segment(0xE1, b"Exif\0\0" + greedy_exif())),
    "greedy mpf.jpg": jpeg_with(segment(0xE2, b"MPF\0" + greedy_exif())),
    "split greedy exif.jpg": jpeg_with(
        *(segment(0xE1, b"Exif\0\0" + greedy()[i : i + 60_000]) for i in range(0, 240_000, 60_000))
    ),
    "odd marker.jpg": jpeg_with(b"\xff\xf3"),
    # PNG
    "wrong crc.png": png()[:29] + b"\0\0\0\0" + png()[33:],
    "no idat.png": PNG[:33] + chunk(b"IEND", b""),
    "no ihdr.png": PNG[:8] + PNG[33:],
    "bad depth.png": png(header=b"\x07\x02\0\0\0"),
    "bad filter.png": png(data=zlib.compress(b"\x09" * (48 * 193))),
    "bad zlib.png": png(data=b"\xff" * 500),
    "text bomb.png": png(chunk(b"zTXt", b"Comment\0\0" + BOMB)),
    "utf8 bomb.png": png(chunk(b"iTXt", b"look\0\1\0\0\0" + BOMB)),
    "late bomb.png": png()[:-12] + chunk(b"zTXt", b"Comment\0\0" + BOMB) + png()[-12:],
    "profile bomb.png": png(chunk(b"iCCP", b"icc\0\0" + BOMB)),
    "long chunk.png": PNG[:33] + b"\x7f\xff\xff\xfftEXt" + PNG[33:],
    "chunks.png": png(chunk(b"tEXt", b"a\0b") * 100_000),
    # WebP, GIF, BMP
    "empty canvas.webp": webp_sized(64, 48),
    "no chunk.webp": b"RIFF\x04\0\0\0WEBP",
    "odd chunk.webp": b"RIFF\xff\0\0\0WEBPXXXX" + b"\0" * 50,
    "no frame.gif": GIF[:13] + b"\x3b",
    "comments only.gif": GIF[:13] + b"\x21\xfe\x05hello\0" * 1000,
    "depth.bmp": BMP[:28] + b"\x05\0" + BMP[30:],
    "packing.bmp": BMP[:30] + b"\x09\0\0\0" + BMP[34:],
    # TIFF
    "greedy.tiff": greedy(),
    "greedy motorola.tiff": directory([(256, 4, 60_000, 8)] * 60_000, 200_000, ">"),
    "greedy sub.tiff": tiff((34665, 4, 1, 8), (700, 7, FILLER, 8), filler=FILLER) + b"\0" * 8,
    "strips.tiff": tiff(filler=4_000_000, strips=1_000_000),
    "tile.tiff": tiff((322, 4, 1, 65_536), (323, 4, 1, 65_536), (324, 4, 1, 8), (325, 4, 1, 99)),
    "two widths.tiff": tiff((256, 4, 2, 8)),
    "no size.tiff": tiff(drop=(256,)),
    "no strips.tiff": tiff(drop=(273, 279)),
    "far.tiff": b"II*\0\xff\xff\xff\x7f" + b"\0" * 100,
    "packing.tiff": tiff((259, 3, 1, 99)),
    "samples.tiff": tiff((277, 4, 1, 2_000_000_000)),
    "palette.tiff": tiff((262, 3, 1, 3)),
    # HEIC and AVIF
    "brand only.heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
    "brand only.avif": b"\0\0\0\x18ftypavif\0\0\0\0mif1avif",
    "noise.heic": HEIC[:24] + np.random.default_rng(7).bytes(5_000),
    "noise.avif": AVIF[:24] + np.random.default_rng(8).bytes(5_000),
    "greedy exif.avif": patched(
        saved("AVIF", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0" + b"\x33" * (len(greedy()) - 10)),
        b"MM\0*\0\0\0\x08\0\0" + b"\x33" * (len(greedy()) - 10),
        greedy(),
    ),
}

SIZES = {
    "one pixel.png": ("too_small", png(size_wh=(1, 1))),
    "strip.png": ("too_small", png(size_wh=(20_000, 3))),
    "fifteen.jpg": ("too_small", saved("JPEG", (15, 64))),
    "nothing.png": ("too_small", png(size_wh=(0, 0))),
    "nothing.jpg": ("too_small", jpeg_sized(64, 0)),
    "nothing.gif": ("too_small", GIF[:6] + b"\0\0\0\0" + GIF[10:]),
    "panorama.png": ("too_long", saved("PNG", (1000, 20))),
    "tower.webp": ("too_long", saved("WEBP", (20, 1000))),
    "50000.png": ("too_many_pixels", png(size_wh=(50_000, 50_000))),
    "most.png": ("too_many_pixels", png(size_wh=(2**31 - 1, 2**31 - 1))),
    "bomb.png": ("too_many_pixels", png(size_wh=(20_000, 20_000), data=BOMB)),
    "65500.jpg": ("too_many_pixels", jpeg_sized(65_500, 65_500)),
    "65535.gif": ("too_many_pixels", GIF[:6] + b"\xff\xff\xff\xff" + GIF[10:]),
    "frame.gif": ("too_many_pixels", gif_frame_larger_than_screen()),
    "100000.bmp": (
        "too_many_pixels",
        BMP[:18] + struct.pack("<ii", 100_000, -100_000) + BMP[26:],
    ),
    "50000.tiff": ("too_many_pixels", tiff(width=50_000, height=50_000)),
    "most.tiff": ("too_many_pixels", tiff(width=2**32 - 1, height=2**32 - 1)),
    "16383.webp": ("too_many_pixels", webp_sized(16_383, 16_383)),
    "most.webp": ("too_many_pixels", webp_sized(2**24, 2**24)),
    "32768.heic": ("too_many_pixels", patched(HEIC, ispe(64, 64), ispe(32_768, 32_768))),
    "most.avif": ("too_many_pixels", patched(AVIF, ispe(64, 48), ispe(2**32 - 1, 2**32 - 1))),
    "60000.avif": ("too_many_pixels", patched(AVIF, ispe(64, 48), ispe(60_000, 60_000))),
    "floats.tiff": (
        "unusual_pixels",
        tiff((258, 3, 1, 32), (339, 3, 1, 3), filler=64 * 48 * 4),
    ),
    "empty.jpg": ("empty", b""),
}

PATHS = {
    "folder": ("not_a_file", "a folder.jpg"),
    "pipe": ("not_a_file", "pipe.jpg"),
    "endless device": ("not_a_file", "/dev/zero"),
    "dead device": ("not_a_file", "/dev/null"),
    "terminal": ("not_a_file", "/dev/ptmx"),
    "nobody there": ("missing", "missing.jpg"),
    "dead link": ("missing", "dead link.jpg"),
    "circle of links": ("missing", "circle.jpg"),
    "own memory": ("missing", "/proc/self/mem"),
    "NUL in the name": ("missing", "a\0b.jpg"),
    "long name": ("missing", "n" * 5_000),
    "address": ("missing", "https://example.com/face.jpg"),
    "markup": ("missing", "<img src=x onerror=alert(1)>.jpg"),
    "31 MB": ("too_heavy", "sparse 31 MB.jpg"),
    "50 GB": ("too_heavy", "sparse 50 GB.png"),
}

EXPECTED = (
    dict.fromkeys(NOT_PICTURES, "unknown_kind")
    | dict.fromkeys(DAMAGED, "damaged")
    | {name: reason for name, (reason, _) in SIZES.items()}
    | {name: reason for name, (reason, _) in PATHS.items()}
)

FINE = {
    "3000 frames.gif": saved(
        "GIF",
        (16, 16),
        "P",
        save_all=True,
        append_images=[Image.new("P", (16, 16), i % 7) for i in range(3000)],
    ),
    "trailing.jpg": JPEG + b"<script>" * 10_000,
    "wrong profile count.jpg": jpeg_with(segment(0xE2, b"ICC_PROFILE\0\1\2" + b"\0" * 200)),
    "odd animation.png": png(chunk(b"acTL", b"\0\0\0\0\0\0\0\0")),
    "corrupt exif.jpg": jpeg_with(segment(0xE1, b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\1" * 99)),
    "corrupt mpf.jpg": jpeg_with(segment(0xE2, b"MPF\0MM\0*\0\0\0\x08\0\1" + b"\1" * 20)),
    # its data ends early by its own account: black below, as in a browser
    "few rows.png": png(data=zlib.compress(b"\0" * 193)),
    "second picture loops.tiff": tiff()[: -64 * 48 - 4] + b"\x08\0\0\0" + b"\x80" * (64 * 48),
    "stray tag.tiff": tiff((50_000, 4, 2**32 - 1, 2**31)),
}

CHILD = """
import json, sys, time
from pathlib import Path
from app.messages import explain
from pipelines.images.decode import decode

def attempt(source):
    started = time.perf_counter()
    try:
        result = ["decoded", list(decode(source).size), ""]
    except BaseException as error:
        result = [type(error).__name__, getattr(error, "reason", None), explain(error)]
    return [*result, time.perf_counter() - started]

report = {}
for name, path, regular in json.loads(sys.stdin.read()):
    report[name] = [attempt(path)] + ([attempt(Path(path).read_bytes())] if regular else [])
# Of this program alone: getrusage would count what the parent held when it forked.
status = Path("/proc/self/status").read_text().splitlines()
(peak,) = [int(line.split()[1]) for line in status if line.startswith("VmHWM")]
print(json.dumps({"report": report, "peak_kb": peak}))
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    contents = {**NOT_PICTURES, **DAMAGED, **{n: d for n, (_, d) in SIZES.items()}, **FINE}
    work = []
    for name, data in contents.items():
        (folder / name).write_bytes(data)
        work.append((name, str(folder / name), True))
    (folder / "a folder.jpg").mkdir()
    os.mkfifo(folder / "pipe.jpg")
    (folder / "dead link.jpg").symlink_to(folder / "nowhere")
    (folder / "circle.jpg").symlink_to(folder / "circle.jpg")
    for name, size in (("sparse 31 MB.jpg", 31_000_000), ("sparse 50 GB.png", 50_000_000_000)):
        with (folder / name).open("wb") as file:
            file.truncate(size)
    for name, (_, path) in PATHS.items():
        direct = path.startswith(("/", "https:"))
        work.append((name, path if direct else f"{folder}/{path}", False))
    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD],
        input=json.dumps(work),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    assert child.stderr == ""  # no decoder talks to the terminal
    return json.loads(child.stdout)


def test_there_are_enough_of_them():
    assert len(EXPECTED) >= 100


@pytest.mark.parametrize("name", EXPECTED)
def test_each_hostile_file_gets_its_sentence(name, outcome):
    for error, reason, sentence, seconds in outcome["report"][name]:
        assert (error, reason) == ("ImageError", EXPECTED[name])
        assert sentence.endswith(".")
        assert not any(c in sentence for c in "<>/\\{}[]_`")
        assert "hostile" not in sentence
        assert seconds < 2


@pytest.mark.parametrize("name", FINE)
def test_odd_files_that_are_fine(name, outcome):
    for result, size, _, seconds in outcome["report"][name]:
        assert (result, size) == ("decoded", [16, 16] if "frames" in name else [64, 48])
        assert seconds < 2


def test_all_of_them_together_stay_below_a_gigabyte(outcome):
    assert outcome["peak_kb"] < 1_000_000


def test_a_text_bomb_is_not_unpacked():
    with pytest.raises(ImageError) as caught:
        read_text(DAMAGED["utf8 bomb.png"], "look")
    assert caught.value.reason == "text"


def test_sentences_say_what_was_found(outcome):
    sentence = {name: results[0][2] for name, results in outcome["report"].items()}
    assert "20,000 x 3 pixels" in sentence["strip.png"]
    assert "at least 16" in sentence["strip.png"]
    assert "1,000 x 20 pixels" in sentence["panorama.png"]
    assert "65,500 x 65,500 pixels" in sentence["65500.jpg"]
    assert "50 million" in sentence["65500.jpg"]
    assert "30 MB" in sentence["31 MB"]
    assert "PDF document" in sentence["paper.jpg"]
    assert "ZIP archive" in sentence["archive.jpg"]
    assert "video" in sentence["film.jpg"]
    assert "camera raw file" in sentence["raw.dng"]
    assert "empty" in sentence["empty.jpg"]
    assert "JPEG picture is damaged" in sentence["half.jpg"]
