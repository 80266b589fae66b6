"""Read a shop's pictures into a table: resumable, in order, in little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from pipelines.catalog.extract.rows import make_all_rows
from pipelines.catalog.formats.tables import TableRow, check_suffix, write_rows
from pipelines.catalog.run.batch_worker import KNOWN, Batch, BatchLoader
from pipelines.catalog.run.engines import Work, work_here, work_in_processes, work_on_ray
from pipelines.catalog.run.inputs import CatalogItem, to_columns
from pipelines.catalog.run.state import RunState

BATCH = 16  # pictures; a killed run reads at most a few of these again


@dataclass
class BatchProgress:
    """How far a run is.

    Attributes:
        pictures: done in this run, and of these:
        kept: taken from an earlier run;
        errors: not readable.
        rows: in the table; 0 until it is written.
    """

    pictures: int = 0
    kept: int = 0
    errors: int = 0
    rows: int = 0


def find_state_path(out: Path) -> Path:
    """Where the state of the run that writes `out` is kept."""
    return out.with_name(out.name + ".state")


def read_pictures(
    items: Iterable[CatalogItem],
    out: Path,
    work: Work,
    *,
    workers: int = 0,
    ray: bool = False,
    dedupe: int | None = None,
    report: Callable[[BatchProgress], object] = lambda progress: None,
) -> BatchProgress:
    """Read pictures and write the table `out`, going on from what `find_state_path(out)` holds.

    The table depends on the items, `work.version` and `dedupe` only: not on workers, engine,
    batches, or how often the run was killed and started again.

    Args:
        items: the pictures, in the order the rows shall have.
        out: ends in .parquet, .jsonl or .csv; replaced when all is done, untouched before.
        work: the extractor, its version, and the words for errors.
        workers: processes; 0 works in this one.
        ray: work on a Ray cluster instead.
        dedupe: see `rows.make_all_rows`.
        report: called after every batch.

    Raises:
        CatalogError: bad inputs or output, another run at work on `out`, or Ray is missing.
        OSError: no such folder, no room, no permission.
    """
    check_suffix(out)
    progress = BatchProgress()
    items = iter(items)
    items = chain(list(islice(items, 1)), items)  # inputs that are not there fail before any trace
    with RunState(find_state_path(out)) as state:
        waiting: dict[int, CatalogItem] = {}
        batches = _batches(items, waiting)
        for result in _engine(batches, state, work, workers, ray):
            done = [
                (int(position), waiting.pop(int(position)), key, payload)
                for position, key, payload in zip(
                    result["position"], result["key"], result["payload"], strict=True
                )
            ]
            progress.kept += sum(payload == KNOWN for *_, payload in done)
            state.commit(
                (position, item, key, None if payload == KNOWN else payload)
                for position, item, key, payload in done
            )
            progress.pictures += len(done)
            report(progress)

        def counted() -> Iterator[TableRow]:
            for row in make_all_rows(state.iterate_pictures(), work.version, dedupe):
                progress.errors += row["status"] == "error"
                yield row

        progress.rows = write_rows(counted(), out)
    return progress


def _engine(
    batches: Iterator[Batch], state: RunState, work: Work, workers: int, ray: bool
) -> Iterator[Batch]:
    if ray:
        load = BatchLoader(work.version, state.read_keys().intersection, work.explain)
        return work_on_ray(batches, load, work, max(1, workers))
    load = BatchLoader(work.version, state.find_known, work.explain)
    return (
        work_in_processes(batches, load, work, workers)
        if workers
        else work_here(batches, load, work)
    )


def _batches(items: Iterable[CatalogItem], waiting: dict[int, CatalogItem]) -> Iterator[Batch]:
    numbered = enumerate(items)
    while some := list(islice(numbered, BATCH)):
        waiting.update(some)
        yield to_columns(some)
