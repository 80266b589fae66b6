"""Pictures in: bytes or path -> upright sRGB picture, or an `ImageError`.

Every picture a person gives us is read by `decode`. What is too large, too small or not
a picture is refused before memory is spent on it; nothing is resized, and no camera data, place or
profile goes further than this file.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from models.errors import ImageError, ShapeError
from pipelines.images.colors import split_into_bands, to_srgb
from pipelines.images.exif import read_orientation
from pipelines.images.files import DEFAULT_LIMITS, Limits, read_bytes
from pipelines.images.headers import KINDS, read_header

_PILLOW_NAMES = {kind: kind.upper() for kind in KINDS} | {"HEIC": "HEIF"}


def decode(
    source: bytes | str | Path | np.ndarray | Image.Image, *, limits: Limits = DEFAULT_LIMITS
) -> Image.Image:
    """Turn whatever a person gave us into an upright RGB picture in sRGB.

    Reads JPEG, PNG, WebP, HEIC, AVIF, BMP, GIF and TIFF, recognised by content, not by name; of an
    animation the first frame. Applies the EXIF orientation, converts an embedded colour profile
    (a broken one counts as sRGB), lays transparency over white, brings greys, palettes, CMYK and 16
    bits to 8-bit RGB. The size stays.

    Args:
        source: a file's bytes; a path to a regular file; a picture; or an array (H, W),
            (H, W, 1), (H, W, 3) or (H, W, 4) in sRGB, RGB(A) order, uint8 0..255, uint16 0..65535
            or floating 0..1. Pictures and arrays are left as they are.
        limits: what is refused.

    Returns:
        A new picture of mode "RGB" with nothing in `.info`.

    Raises:
        ImageError: the file is missing, not a picture, damaged, or outside the limits; `reason`
            says which, `found` and `needed` by how much.
        ShapeError: an array of another shape, type or range.
    """
    if isinstance(source, np.ndarray):
        return _from_array(source, limits)
    if isinstance(source, Image.Image):
        return _from_picture(source, limits)

    # 1. Read no more bytes than allowed, and only from a regular file
    data = read_bytes(source, limits)
    # 2. Learn kind and size from the header
    header = read_header(data)
    if header.size_wh is not None:
        limits.check_size(header.size_wh)
    # 3. Decode, with the one decoder the header names
    with _guarded(header.kind, limits):
        if header.kind == "HEIC":
            _register_heic()
        image = Image.open(BytesIO(data), formats=[_PILLOW_NAMES[header.kind]])
        limits.check_size(image.size)  # a GIF's frame may be larger than its header says
        image.load()
        del data
        # 4. To sRGB, then turn it as the camera was held
        turn = _orientation_of(image) if header.kind != "TIFF" else 1  # Pillow turns TIFFs itself
        result = to_srgb(image, primaries=header.primaries)
        del image
        return _upright(result, turn)


_one_at_a_time = threading.Lock()


@contextmanager
def _guarded(kind: str, limits: Limits) -> Iterator[None]:
    """Let nothing but an `ImageError` out of a decoder.

    One picture at a time: two of 50 megapixels at once would need twice the memory, and muting
    warnings, which is for the whole process, cannot be done by two threads at a time.
    """
    with _one_at_a_time, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except ImageError:
            raise
        except Image.DecompressionBombError as error:  # where only the decoder knows the size
            raise ImageError(
                str(error), reason="too_many_pixels", needed=limits.max_pixels
            ) from None
        except MemoryError:
            raise ImageError("not enough memory to decode", reason="memory") from None
        except Exception as error:
            raise ImageError(
                f"damaged {kind}: {type(error).__name__}: {error}", reason="damaged", found=kind
            ) from None


def _register_heic() -> None:
    from pillow_heif import register_heif_opener

    register_heif_opener(thumbnails=False, depth_images=False, aux_images=False)


def _orientation_of(image: Image.Image) -> int:
    exif = image.info.get("exif")
    if exif is None and isinstance(old := image.info.get("Raw profile type exif"), str):
        # ImageMagick's way of EXIF in PNG: a name, a length, then hexadecimal lines
        exif = bytes.fromhex("".join(old.split("\n")[3:]))
    return read_orientation(exif) if isinstance(exif, bytes) else 1


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def _upright(image: Image.Image, turn: int) -> Image.Image:
    return image.transpose(_TURNS[turn]) if turn in _TURNS else image


def _from_picture(picture: Image.Image, limits: Limits) -> Image.Image:
    limits.check_size(picture.size)
    with _guarded("picture", limits):
        picture.load()  # turns a TIFF
        turn = picture.getexif().get(0x0112, 1)
        return _upright(to_srgb(picture), turn)


def _from_array(array: np.ndarray, limits: Limits) -> Image.Image:
    channels = array.shape[2] if array.ndim == 3 else 1
    if array.ndim not in (2, 3) or channels not in (1, 3, 4):
        needed = "(H, W), (H, W, 1), (H, W, 3) or (H, W, 4)"
        raise ShapeError(
            f"array of {array.shape}; needs {needed}", found=array.shape, needed=needed
        )
    floating = np.issubdtype(array.dtype, np.floating)
    if not floating and array.dtype not in (np.uint8, np.uint16):
        needed = "uint8, uint16 or floating"
        raise ShapeError(
            f"array of {array.dtype}; needs {needed}", found=array.dtype, needed=needed
        )
    size_wh = array.shape[1], array.shape[0]
    limits.check_size(size_wh)
    result = Image.new("RGB", size_wh)
    for box in split_into_bands(size_wh):
        values = array[box[1] : box[3]]
        if floating:
            if not (values.min() >= 0 and values.max() <= 1):  # also false for NaN
                found = float(values.min()), float(values.max())
                raise ShapeError(
                    f"floats from {found[0]} to {found[1]}; needs 0 to 1",
                    found=found,
                    needed=(0, 1),
                )
            values = np.rint(values * 255).astype(np.uint8)
        elif array.dtype == np.uint16:
            values = ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)
        pixels = np.ascontiguousarray(values[..., 0] if array.shape[2:] == (1,) else values)
        result.paste(to_srgb(Image.fromarray(pixels)), box)
    return result
