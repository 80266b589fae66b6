"""A bank of looks on disk: codes in LanceDB, found by how near they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np

from models.beautybank.patches import REGIONS
from models.errors import LookError
from pipelines.lance_table import LanceTable
from pipelines.makeup.code_files import CodedLook

if TYPE_CHECKING:
    from pyarrow import Schema

TABLE = "looks"
_WRITTEN_AT_ONCE = 5_000


class _Record(TypedDict):
    id: str
    name: str
    network: str
    vector: list[float]
    file: bytes


@dataclass(frozen=True)
class Neighbour:
    """A look that was found.

    Attributes:
        look: the look.
        distance: root of the mean square over the code's numbers; 0 is the same look.
    """

    look: CodedLook
    distance: float


class LookBank(LanceTable):
    """Looks by their code; a look that comes twice is kept once.

    Args:
        path: folder of the bank; it is made by the first `add`.
    """

    def __init__(self, path: str | Path) -> None:
        super().__init__(path, TABLE, "bank of looks")

    def add(self, looks: Iterable[CodedLook]) -> int:
        """Add looks; returns how many were given.

        Raises:
            LookError: other networks made the bank's looks.
            CatalogError: LanceDB is not installed.
        """
        records = [_record(look) for look in looks]
        for start in range(0, len(records), _WRITTEN_AT_ONCE):
            some = records[start : start + _WRITTEN_AT_ONCE]
            if self.exists():
                self._check(some[0]["network"])
            self.merge(some, partial(_schema, len(some[0]["vector"])))
        return len(records)

    def find_similar(
        self, look: CodedLook, limit: int = 12, region: str | None = None
    ) -> list[Neighbour]:
        """The nearest looks, the nearest first.

        Args:
            look: whose makeup to look for.
            limit: at most so many.
            region: compare only this region's part of the code.

        Raises:
            LookError: other networks made the bank's looks.
            CatalogError: there is no bank, or it is damaged.
        """
        self._check(look.network)
        vector = look.code.vector
        if region is None:
            rows = self.search_exactly(vector).limit(limit).to_list()
            distances = np.sqrt(np.array([row["_distance"] for row in rows]) / len(vector))
        else:
            numbers = find_region_numbers(look, region)
            apart = self.read_vectors()[:, numbers] - vector[numbers]
            every = np.sqrt((apart**2).mean(1))
            nearest = np.argsort(every, kind="stable")[:limit]
            rows, distances = self._rows(nearest), every[nearest]
        return [
            Neighbour(CodedLook.from_bytes(row["file"]), float(d))
            for row, d in zip(rows, distances, strict=True)
        ]

    def read_vectors(self) -> np.ndarray:
        """All codes, (N, D) float32."""
        column = self.table.to_arrow()["vector"].combine_chunks()
        return np.asarray(column.flatten()).reshape(len(column), -1)

    def __len__(self) -> int:
        return int(self.table.count_rows()) if self.exists() else 0

    def _rows(self, numbers: np.ndarray) -> list[_Record]:
        return self.table.to_arrow().take(numbers).to_pylist()

    def _check(self, network: str) -> None:
        known = self.table.search().select(["network"]).limit(1).to_list()
        if known and known[0]["network"] != network:
            raise LookError(
                "the bank's looks were made by other networks",
                found=network,
                needed=known[0]["network"],
            )


def find_region_numbers(look: CodedLook, region: str) -> np.ndarray:
    """Which numbers of `MakeupCode.vector` speak of a region, one of `REGIONS`."""
    rows, width = look.code.structure.shape
    start = REGIONS.index(region) * width
    colors = look.code.colors_of(region)
    first = rows * width
    return np.r_[start : start + width, first + 3 * colors.start : first + 3 * colors.stop]


def project_to_plane(vectors: np.ndarray) -> np.ndarray:
    """Codes on a plane, (N, 2) in -1..1: their two principal components, the longer across."""
    centred = vectors - vectors.mean(0)
    if len(vectors) < 2:
        return np.zeros((len(vectors), 2), np.float32)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    places = centred @ axes[:2].T
    places = np.pad(places, ((0, 0), (0, 2 - places.shape[1])))
    return np.asarray(places / (np.abs(places).max(0) + 1e-9), np.float32)


def hash_content(look: CodedLook) -> str:
    """What makes a look this look: a hash of its code, whatever it is called."""
    code = look.code
    parts = (code.structure, code.colors, code.brows, code.places, code.values)
    return hashlib.sha256(b"".join(np.ascontiguousarray(p).tobytes() for p in parts)).hexdigest()


def _schema(size: int) -> Schema:
    import pyarrow as pa

    words = [(name, pa.string()) for name in ("id", "name", "network")]
    return pa.schema([*words, ("vector", pa.list_(pa.float32(), size)), ("file", pa.binary())])


def _record(look: CodedLook) -> _Record:
    return {
        "id": hash_content(look),
        "name": look.name,
        "network": look.network,
        "vector": look.code.vector.tolist(),
        "file": look.to_bytes(),
    }
