"""The work on a batch of pictures: dictionaries of columns in, dictionaries of columns out.

That is the contract of Ray Data's `map_batches` (see `engines.work_on_ray`), and Spark's
`mapInPandas` is one line away:

    def read(frames):
        load, extract = BatchLoader(PIPELINE_VERSION), BatchExtractor(AttributeExtractor)
        for frame in frames:  # columns of `inputs.to_columns`
            yield pandas.DataFrame(extract(load({name: frame[name].to_numpy() for name in frame})))

    items.mapInPandas(read, "position long, key string, payload string")

A payload is what one picture shows, as JSON; `rows.make_rows` makes rows of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Protocol

import numpy as np
from PIL import Image

from models.errors import CheckpointError, ImageError, MirraError
from pipelines.catalog.extract.attributes import Attributes
from pipelines.catalog.run.duplicates import fingerprint
from pipelines.catalog.run.inputs import read_item
from pipelines.images.decode import decode

Batch = Mapping[str, Any]  # columns by name: arrays or lists of one length
Known = Callable[[Sequence[str]], Collection[str]]

TO_DO, KNOWN = "", "known"  # payloads of pictures that are still to read, or were read before


class Extractor(Protocol):
    """Reads one picture; `pipelines.catalog.extract.extractor.AttributeExtractor` is ours."""

    def __call__(self, image: Image.Image, *, title: str = "", description: str = "") -> Attributes:
        """What the picture shows; the words are evidence beside it."""
        ...


def make_result_key(digest: str, title: str, description: str, version: str) -> str:
    """What a result depends on: the picture's bytes, the words beside it, and the method."""
    return hashlib.sha256("\0".join((digest, title, description, version)).encode()).hexdigest()


class BatchLoader:
    """Fetches the pictures of a batch and names each by its content.

    Args:
        version: of the pipeline that will read them.
        known: of some keys, those whose result is already there; their bytes are dropped.
        explain: error -> sentence for people.
    """

    def __init__(
        self,
        version: str,
        known: Known = lambda keys: (),
        explain: Callable[[BaseException], str] = str,
    ) -> None:
        self.version = version
        self.known = known
        self.explain = explain

    def __call__(self, batch: Batch) -> dict[str, np.ndarray]:
        """Load a batch.

        Args:
            batch: columns position, locator, start, size, title, description, from
                `inputs.to_columns`.

        Returns:
            Columns position, title, description, data (bytes), sha256, key ("" if the picture
            could not be fetched) and payload (`TO_DO`, `KNOWN`, or an error's).
        """
        names = ("locator", "start", "size", "title", "description")
        loaded = [self._one(*row) for row in zip(*(batch[name] for name in names), strict=True)]
        data, digests, keys, payloads = map(list, zip(*loaded, strict=True)) if loaded else [[]] * 4
        there = self.known([key for key in keys if key])
        for place, key in enumerate(keys):
            if key in there:
                data[place], payloads[place] = b"", KNOWN
        return {
            "position": np.asarray(batch["position"], np.int64),
            "title": _objects(batch["title"]),
            "description": _objects(batch["description"]),
            "data": _objects(data),
            "sha256": _objects(digests),
            "key": _objects(keys),
            "payload": _objects(payloads),
        }

    def _one(
        self, locator: str, start: int, size: int, title: str, description: str
    ) -> tuple[bytes, str, str, str]:
        try:
            data = read_item(locator, int(start), int(size))
        except MirraError as error:
            return b"", "", "", make_error_payload(error, self.explain)
        digest = hashlib.sha256(data).hexdigest()
        return data, digest, make_result_key(digest, title, description, self.version), TO_DO


class BatchExtractor:
    """Reads the pictures of a loaded batch.

    Args:
        make_extractor: makes the extractor, once; a class or function that processes can share.
        explain: error -> sentence for people.
    """

    def __init__(
        self,
        make_extractor: Callable[[], Extractor],
        explain: Callable[[BaseException], str] = str,
    ) -> None:
        self.extractor = make_extractor()
        self.explain = explain

    def __call__(self, batch: Batch) -> dict[str, np.ndarray]:
        """Read a batch that `BatchLoader` gave.

        Returns:
            Columns position, key and payload (JSON, or `KNOWN`). The key is "" where the same
            picture may tell something else another time, as after an error that nobody foresaw.

        Raises:
            CheckpointError: the extractor's own files are missing, so no picture can be read.
        """
        names = ("data", "sha256", "title", "description", "key", "payload")
        read = [self._one(*row) for row in zip(*(batch[name] for name in names), strict=True)]
        return {
            "position": np.asarray(batch["position"], np.int64),
            "key": _objects([key for key, _ in read]),
            "payload": _objects([payload for _, payload in read]),
        }

    def _one(
        self, data: bytes, digest: str, title: str, description: str, key: str, payload: str
    ) -> tuple[str, str]:
        if payload != TO_DO:
            return key, payload
        try:
            image = decode(bytes(data))
            found = self.extractor(image, title=str(title), description=str(description))
        except (CheckpointError, OSError) as error:
            raise CheckpointError(f"the extractor cannot work: {error}") from None
        except MirraError as error:
            return key, make_error_payload(error, self.explain, digest)
        except Exception as error:  # one picture's trouble, whatever it is, is one row's
            return "", make_error_payload(error, self.explain, digest)
        facts = {"sha256": digest, "print": fingerprint(image), **asdict(found)}
        return key, json.dumps({"status": "ok" if found.shades else "no_shade", **facts})


def make_error_payload(
    error: BaseException, explain: Callable[[BaseException], str], digest: str = ""
) -> str:
    """Payload of a picture that could not be read."""
    return json.dumps(
        {
            "status": "error",
            "error": find_error_code(error),
            "message": explain(error),
            "sha256": digest or None,
        }
    )


def find_error_code(error: BaseException) -> str:
    """A word for programs: an `ImageError`'s reason, else the class, such as NoFaceError."""
    return error.reason if isinstance(error, ImageError) else type(error).__name__


def _objects(values: Sequence[object]) -> np.ndarray:
    array = np.empty(len(values), object)
    array[:] = values
    return array
