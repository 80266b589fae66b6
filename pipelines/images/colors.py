"""Any pixels Pillow can hold -> 8-bit sRGB on white.

Worked in bands of rows: next to the picture that came and the picture that leaves, memory holds
one band only. A 50-megapixel photo in RGBA would otherwise pass a gigabyte on the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

import numpy as np
from PIL import Image, ImageCms

from models.errors import ImageError

BAND_PIXELS = 2_000_000
MAX_PROFILE_BYTES = 4_000_000  # the largest printer profiles are about 3 MB
DISPLAY_P3 = 12  # ITU-T H.273's number for its primaries

MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "I;16", "I", "F")
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N", "I")

# Linear-light Display P3 -> linear-light sRGB, both D65 (SMPTE EG 432-1 and IEC 61966-2-1
# primaries): rows give R, G, B.
_P3_TO_SRGB = np.array(
    [
        [1.2249401763, -0.2249401763, 0.0],
        [-0.0420569547, 1.0420569547, 0.0],
        [-0.0196375546, -0.0786360456, 1.0982736001],
    ],
    dtype=np.float32,
)


def to_srgb(image: Image.Image, *, primaries: int | None = None) -> Image.Image:
    """A new RGB picture in sRGB, alpha laid over white, nothing in `.info`.

    Colours outside sRGB are clipped channel by channel. Alpha is blended on the encoded values, as
    browsers do.

    Args:
        image: any mode in `MODES` (or their premultiplied kin), loaded; its `.info` may hold
            `icc_profile` and `transparency`. 16-bit greys span 0..65535, floats 0..1.
        primaries: colour primaries (ITU-T H.273) the file names beside its pixels; 12 is Display
            P3. An ICC profile wins over them.

    Raises:
        ImageError: `unusual_pixels` for other modes, and for values outside the stated range.
    """
    to_rgb = _profile_converter(image) or _primaries_converter(primaries) or _plain
    result = Image.new("RGB", image.size)
    for box in split_into_bands(image.size):
        band = image.crop(box)
        colors, alpha = _colors_and_alpha(band)
        rgb = to_rgb(colors)
        if alpha is not None:
            white = Image.new("RGB", rgb.size, "white")
            white.paste(rgb, mask=alpha)
            rgb = white
        result.paste(rgb, box)
    return result


def split_into_bands(size_wh: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """Boxes (x0, y0, x1, y1) of whole rows that cover a picture from the top."""
    width, height = size_wh
    rows = max(1, BAND_PIXELS // max(1, width))
    for top in range(0, height, rows):
        yield 0, top, width, min(height, top + rows)


def _colors_and_alpha(band: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Split into an L, RGB or CMYK picture and its alpha (L), if it has one."""
    if band.mode in _SIXTEEN_BITS:
        return _from_sixteen_bits(band)
    if band.mode == "F":
        return _from_floats(band), None
    if band.mode in ("1", "L", "LA", "La"):
        if not band.has_transparency_data:
            return band.convert("L"), None
        band = band.convert("LA")
        return band.getchannel("L"), band.getchannel("A")
    if band.mode == "CMYK":
        return band, None
    if band.has_transparency_data:
        band = band.convert("RGBA")
        return band.convert("RGB"), band.getchannel("A")
    if band.mode in ("RGB", "RGBX", "P", "YCbCr"):
        return band.convert("RGB"), None
    raise ImageError(
        f"pixels of mode {band.mode}", reason="unusual_pixels", found=band.mode, needed=MODES
    )


def _from_sixteen_bits(band: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    values = np.asarray(band).astype(np.int64)
    if values.min() < 0 or values.max() > 65535:
        raise ImageError(
            f"greys from {values.min()} to {values.max()}; 0 to 65535 can be shown",
            reason="unusual_pixels",
            found=band.mode,
            needed=MODES,
        )
    alpha = None
    clear = band.info.get("transparency")  # PNG: the one grey that means "nothing here"
    if isinstance(clear, int):
        alpha = Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8))
    return Image.fromarray(((values + 128) // 257).astype(np.uint8)), alpha


def _from_floats(band: Image.Image) -> Image.Image:
    values = np.asarray(band)
    if not (values.min() >= 0 and values.max() <= 1):  # also false for NaN
        raise ImageError(
            f"floats from {values.min()} to {values.max()}; 0 to 1 can be shown",
            reason="unusual_pixels",
            found="F",
            needed=MODES,
        )
    return Image.fromarray(np.rint(values * 255).astype(np.uint8))


def _plain(colors: Image.Image) -> Image.Image:
    return colors.convert("RGB")


def _profile_converter(image: Image.Image) -> Callable[[Image.Image], Image.Image] | None:
    """What the embedded ICC profile asks for; None without one, or with one that is broken."""
    profile = image.info.get("icc_profile")
    if not isinstance(profile, bytes) or not 128 < len(profile) <= MAX_PROFILE_BYTES:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        mode = _profile_mode(profile[16:20], image.mode)  # ICC.1: colour space of the data
        if mode is None:
            return None
        # Relative colorimetric with black point compensation: a colour sRGB can show keeps its
        # measured value, which perceptual tables (they squeeze the whole gamut) would move, and
        # shadows do not clog. White stays white.
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        if mode == "RGB" and _changes_nothing(transform):
            return None
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None

    def convert(colors: Image.Image) -> Image.Image:
        converted = ImageCms.applyTransform(colors.convert(mode), transform)
        assert converted is not None  # only None when asked to work in place
        return converted

    return convert


def _profile_mode(space: bytes, mode: str) -> str | None:
    """The mode to hand the profile; None where profile and pixels do not belong together."""
    if mode == "CMYK":
        return "CMYK" if space == b"CMYK" else None
    if space == b"RGB ":
        return "RGB"  # greys too: many scanners tag them so
    grey = mode in ("1", "L", "LA", "La", "F", *_SIXTEEN_BITS)
    return "L" if space == b"GRAY" and grey else None


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a profile is sRGB under another name: then pixels stay bit-equal."""
    steps = np.linspace(0, 255, 16).astype(np.uint8)
    cube = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(64, 64, 3)
    after = ImageCms.applyTransform(Image.fromarray(cube), transform)
    return after is not None and bool(np.abs(np.asarray(after, int) - cube).max() <= 1)


def _primaries_converter(primaries: int | None) -> Callable[[Image.Image], Image.Image] | None:
    if primaries != DISPLAY_P3:
        return None
    codes = np.arange(256, dtype=np.float32) / 255
    decode = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    light = np.linspace(0, 1, 65536)
    encode = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    encode = np.rint(encode * 255).astype(np.uint8)

    def convert(colors: Image.Image) -> Image.Image:
        linear = decode.astype(np.float32)[np.asarray(colors.convert("RGB"))] @ _P3_TO_SRGB.T
        return Image.fromarray(encode[np.rint(linear.clip(0, 1) * 65535).astype(np.uint16)])

    return convert
