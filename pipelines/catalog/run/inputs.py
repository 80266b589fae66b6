"""Where product pictures come from: folders, globs, manifests, tars, URLs or a pipe, read lazily.

Everything becomes a stream of `CatalogItem`s in a fixed order. No picture is opened but a tar's
headers; what an item points at is read later by `read_item`, wherever the work is done.
"""

from __future__ import annotations

import glob
import json
import os
import sys
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from models.errors import CatalogError, ImageError
from pipelines.catalog.formats.manifests import (
    MANIFESTS,
    escape_name,
    open_file,
    read_facts,
    read_json_lines,
    read_manifest,
)
from pipelines.images.files import DEFAULT_LIMITS, Limits, read_bytes

PICTURES = {  # by name; what is really in the file, `images.decode` finds out
    ".jpg",
    ".jpeg",
    ".png",
    ".webp",
    ".heic",
    ".heif",
    ".avif",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
}


@dataclass(frozen=True)
class CatalogItem:
    """One picture to read and what the shop says about it.

    Attributes:
        source: what the rows call it; always valid text, whatever bytes the file's name has.
        locator: path or fsspec URL, as the system knows it.
        sku: the shop's number; by default the file's path within its folder, without the ending.
        title, description, brand: the shop's words, or "".
        category: the shop's category, one of `CATEGORIES`, or "" to go by the picture.
        price: number, or None.
        currency: ISO code such as "EUR", or "".
        start, size: where the picture lies within a tar, in bytes; size -1 is a whole file.
    """

    source: str
    locator: str
    sku: str
    title: str = ""
    description: str = ""
    brand: str = ""
    category: str = ""
    price: float | None = None
    currency: str = ""
    start: int = 0
    size: int = -1


def read_inputs(inputs: Iterable[str], stdin: IO[str] | None = None) -> Iterator[CatalogItem]:
    """Every picture of every input, in an order that depends on names alone.

    Args:
        inputs: each a folder (with all below it), a glob, a picture, a manifest (.csv, .jsonl or
            .parquet with a column `image` and any of sku, title, description, price, brand,
            category), an uncompressed WebDataset .tar (a picture, and optionally a .json of the
            same columns under the same key), an fsspec URL of any of these, or "-" for JSON lines.
        stdin: what "-" reads; by default the process's standard input.

    Raises:
        CatalogError: an input is not there, a manifest is damaged or lacks `image`, a tar is
            compressed or damaged.
    """
    for text in inputs:
        if text == "-":
            yield from _manifest_items(read_json_lines(stdin or sys.stdin, "-"), "-", "")
        elif "://" in text:
            yield from _url_items(text)
        elif os.path.isdir(text):  # noqa: PTH112  a str keeps bytes that are no UTF-8
            yield from _folder_items(text)
        elif os.path.exists(text):  # noqa: PTH110
            yield from _file_items(text, Path(text).stem)
        elif glob.has_magic(text):
            for name in sorted(glob.iglob(text, recursive=True)):  # noqa: PTH207
                if not os.path.isdir(name):  # noqa: PTH112
                    yield from _file_items(name, Path(name).stem)
        else:
            raise CatalogError(f"there is nothing at {text!r}", reason="missing", found=text)


def read_item(
    locator: str, start: int = 0, size: int = -1, limits: Limits = DEFAULT_LIMITS
) -> bytes:
    """Bytes of the picture an item points at.

    Raises:
        ImageError: it is not there, may not be read, is empty or too heavy.
    """
    if not locator:
        raise ImageError("the manifest names no picture", reason="missing")
    remote = "://" in locator
    if not remote and size < 0:
        return read_bytes(locator, limits)
    if size >= 0:
        limits.check_bytes(size)
    try:
        with open_file(locator) as file:
            file.seek(start)
            data = file.read(limits.max_bytes + 1 if size < 0 else size)
    except PermissionError:
        raise ImageError("not allowed to read it", reason="no_access") from None
    except Exception as error:  # every file system of fsspec has errors of its own
        raise ImageError(f"cannot be read: {error}", reason="missing") from None
    limits.check_bytes(len(data))
    return data


def _folder_items(top: str) -> Iterator[CatalogItem]:
    for folder, folders, names in os.walk(top):
        folders.sort()
        for name in sorted(names):
            if Path(name).suffix.lower() in PICTURES:
                path = os.path.join(folder, name)  # noqa: PTH118
                sku = Path(os.path.relpath(path, top)).with_suffix("")
                yield CatalogItem(escape_name(path), path, escape_name(sku.as_posix()))


def _url_items(url: str) -> Iterator[CatalogItem]:
    import fsspec

    try:
        files, path = fsspec.core.url_to_fs(url)
        if glob.has_magic(path):
            found = files.glob(path)
        else:
            found = files.find(path) if files.isdir(path) else [path]
    except Exception as error:
        raise CatalogError(f"cannot list {url!r}: {error}", reason="missing", found=url) from None
    folder = len(found) != 1 or found[0] != path
    for name in sorted(found):
        suffix = PurePosixPath(name).suffix.lower()
        if not folder or suffix in PICTURES or (suffix == ".tar" and glob.has_magic(path)):
            inside = name[len(path) :].lstrip("/") if name.startswith(path + "/") else name
            sku = str(PurePosixPath(inside).with_suffix("")) if folder else PurePosixPath(name).stem
            yield from _file_items(files.unstrip_protocol(name), sku)


def _file_items(locator: str, sku: str) -> Iterator[CatalogItem]:
    suffix = PurePosixPath(locator).suffix.lower()
    if suffix == ".tar":
        yield from _tar_items(locator)
    elif suffix in MANIFESTS:
        folder = locator.rpartition("/")[0]
        yield from _manifest_items(read_manifest(locator, suffix), locator, folder)
    else:
        yield CatalogItem(escape_name(locator), locator, escape_name(sku))


def _tar_items(locator: str) -> Iterator[CatalogItem]:
    """Samples of a WebDataset tar: consecutive members that share the name before its first dot."""
    key, picture = "", None
    words: object = {}
    try:
        with open_file(locator) as file, tarfile.open(fileobj=file, mode="r:") as tar:
            while (member := tar.next()) is not None:
                vars(tar)["members"].clear()  # keeps memory flat
                folder, _, name = member.name.rpartition("/")
                stem, _, ending = name.partition(".")
                this_key = f"{folder}/{stem}" if folder else stem
                if this_key != key:
                    if picture is not None:
                        yield _tar_item(locator, key, picture, words)
                    key, picture, words = this_key, None, {}
                if member.isfile() and f".{ending.lower()}" in PICTURES:
                    picture = (member.name, member.offset_data, member.size)
                elif member.isfile() and ending.lower() == "json":
                    content = tar.extractfile(member)
                    words = json.load(content) if content else {}
    except (tarfile.TarError, OSError, ValueError) as error:
        raise CatalogError(f"cannot read the tar {locator!r}: {error}", found=locator) from None
    if picture is not None:
        yield _tar_item(locator, key, picture, words)


def _tar_item(locator: str, key: str, picture: tuple[str, int, int], words: object) -> CatalogItem:
    name, start, size = picture
    facts = read_facts(words if isinstance(words, Mapping) else {})
    facts.setdefault("sku", escape_name(key))
    return CatalogItem(
        f"{escape_name(locator)}/{escape_name(name)}", locator, start=start, size=size, **facts
    )


def _manifest_items(
    rows: Iterator[Mapping[str, object]], name: str, folder: str
) -> Iterator[CatalogItem]:
    for number, row in enumerate(rows, 1):
        image = str(row.get("image") or "").strip()
        if number == 1 and "image" not in row:
            raise CatalogError(
                f"{name!r} has no column `image`",
                reason="columns",
                found=tuple(row),
                needed=("image",),
            )
        absolute = not image or "://" in image or Path(image).is_absolute()
        locator = image if absolute or not folder else f"{folder}/{image}"
        facts = read_facts(row)
        facts.setdefault("sku", escape_name(PurePosixPath(image).stem))
        yield CatalogItem(escape_name(locator or f"{name}, row {number}"), locator, **facts)


def to_columns(items: Sequence[tuple[int, CatalogItem]]) -> dict[str, list[object]]:
    """What the work needs of some items, by column; the first of each pair is its place."""
    return {
        "position": [position for position, _ in items],
        **{
            name: [getattr(item, name) for _, item in items]
            for name in ("locator", "start", "size", "title", "description")
        },
    }
