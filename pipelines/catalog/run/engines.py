"""Where batches are worked on: here, in processes of this machine, or on a Ray cluster.

An engine takes batches of items in order and gives batches of results in order, so the rows are
the same whichever is used. Memory does not grow with the number of batches.
"""

from __future__ import annotations

import importlib
import multiprocessing
import multiprocessing.process
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from models.errors import CatalogError, CrashError
from pipelines.catalog.run.batch_worker import (
    Batch,
    BatchExtractor,
    BatchLoader,
    Extractor,
    make_error_payload,
)


@dataclass(frozen=True)
class Work:
    """What is to be done with every batch.

    Attributes:
        make_extractor: makes the extractor; other processes must be able to import it.
        version: of the pipeline.
        explain: error -> sentence for people; importable too.
    """

    make_extractor: Callable[[], Extractor]
    version: str
    explain: Callable[[BaseException], str] = str


def work_here(batches: Iterable[Batch], load: BatchLoader, work: Work) -> Iterator[Batch]:
    """Work on one batch after the other in this process."""
    extract = BatchExtractor(work.make_extractor, work.explain)
    for batch in batches:
        yield extract(load(batch))


def work_in_processes(
    batches: Iterable[Batch], load: BatchLoader, work: Work, workers: int
) -> Iterator[Batch]:
    """Load in threads of this process, read in `workers` processes of one thread each.

    A picture that ends its process (a crash, no memory left) costs a new pool and one error row;
    the others of its batch are read again, one by one.
    """
    pool = _Pool(work, workers)
    waiting: deque[tuple[Batch, Future[Batch]]] = deque()
    try:
        for loaded in _load_ahead(batches, load, 4):
            waiting.append((loaded, pool.submit(loaded)))
            if len(waiting) > 2 * workers:
                yield pool.result(waiting)
        while waiting:
            yield pool.result(waiting)
    finally:
        pool.close()


def _load_ahead(batches: Iterable[Batch], load: BatchLoader, threads: int) -> Iterator[Batch]:
    """Batches with their pictures, fetched ahead by some threads; in order."""
    source = iter(batches)
    executor: Executor = ThreadPoolExecutor(threads)
    try:
        waiting = deque(executor.submit(load, batch) for batch in islice(source, threads))
        while waiting:
            loaded = waiting.popleft().result()
            waiting.extend(executor.submit(load, batch) for batch in islice(source, 1))
            yield loaded
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


class _Pool:
    """Processes that hold an extractor each, and a way on when one of them dies."""

    def __init__(self, work: Work, workers: int) -> None:
        self.work = work
        self.workers = workers
        self.executor = self._executor(workers)

    def _executor(self, workers: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_worker,
            initargs=(self.work,),
        )

    def submit(self, batch: Batch) -> Future[Batch]:
        try:
            return self.executor.submit(_work_on, batch)
        except BrokenProcessPool as error:
            broken: Future[Batch] = Future()
            broken.set_exception(error)
            return broken

    def result(self, waiting: deque[tuple[Batch, Future[Batch]]]) -> Batch:
        """Result of the batch that has waited longest."""
        batch, future = waiting.popleft()
        try:
            return future.result()
        except BrokenProcessPool:
            self.executor.shutdown(wait=True, cancel_futures=True)
            result = self._one_by_one(batch)
            self.executor = self._executor(self.workers)
            again = [(other, self.submit(other)) for other, _ in waiting]
            waiting.clear()
            waiting.extend(again)
            return result

    def _one_by_one(self, batch: Batch) -> Batch:
        executor = self._executor(1)
        results: list[Batch] = []
        for place in range(len(batch["position"])):
            single = {name: values[place : place + 1] for name, values in batch.items()}
            try:
                results.append(executor.submit(_work_on, single).result())
            except BrokenProcessPool:
                executor.shutdown(wait=True)
                executor = self._executor(1)
                error = CrashError("reading the picture ended its process")
                payload = make_error_payload(error, self.work.explain, single["sha256"][0])
                results.append({**single, "key": [""], "payload": [payload]})
        executor.shutdown(wait=True)
        return {
            name: np.concatenate([np.asarray(result[name]) for result in results])
            for name in ("position", "key", "payload")
        }

    def close(self) -> None:
        self.executor.shutdown(wait=True, cancel_futures=True)


_work: Work | None = None
_extract: BatchExtractor | None = None


def _start_worker(work: Work) -> None:
    """Prepare a process: one thread, deaf to Ctrl-C, gone when its parent is gone."""
    global _work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    use_one_thread()
    _work = work


def _end_with_parent(parent: multiprocessing.process.BaseProcess) -> None:
    parent.join()
    os._exit(1)


def use_one_thread() -> None:
    """Let the libraries of this process use one thread: as many processes share the machine."""
    import cv2

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"  # for what is not imported yet
    cv2.setNumThreads(1)
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def _work_on(batch: Batch) -> Batch:
    global _extract
    if _extract is None:  # not sooner: an error here reaches the parent, one at the start does not
        assert _work is not None
        _extract = BatchExtractor(_work.make_extractor, _work.explain)
    return _extract(batch)


def work_on_ray(
    batches: Iterable[Batch], load: BatchLoader, work: Work, workers: int, window: int = 512
) -> Iterator[Batch]:
    """Fetch and read on a Ray cluster: `RAY_ADDRESS` names it, otherwise a local one is started.

    Pictures are fetched where they are read, so the items must be reachable from there (URLs or
    a shared disk). Work goes out in windows of some batches, whose results come back sorted.

    Args:
        batches: of items.
        load: how to fetch them; whatever is `known` is known from the start.
        work: what to do with them.
        workers: how many processes read pictures.
        window: batches sent out together.

    Raises:
        CatalogError: Ray is not installed.
    """
    try:
        ray = importlib.import_module("ray")  # not for every Python, so types are not known
        importlib.import_module("ray.data")
    except ImportError:
        raise CatalogError(
            "Ray is missing: pip install -e '.[ray]'", reason="extra", needed="ray[data]"
        ) from None
    import pyarrow as pa

    if not ray.is_initialized():
        ray.init(log_to_driver=False, **_cluster(workers))
    ray.data.DataContext.get_current().enable_progress_bars = False
    source = iter(batches)
    while group := list(islice(source, window)):
        size = max(len(batch["position"]) for batch in group)
        tables = [pa.table({name: list(batch[name]) for name in batch}) for batch in group]
        read = (
            ray.data.from_arrow(tables)
            .map_batches(load, batch_size=size)
            .map_batches(
                _RayExtract,
                fn_constructor_args=(work,),
                batch_size=size,
                compute=ray.data.ActorPoolStrategy(size=workers),
            )
        )
        rows = sorted(read.take_all(), key=lambda row: row["position"])
        yield {name: [row[name] for row in rows] for name in ("position", "key", "payload")}


def _cluster(workers: int) -> dict[str, object]:
    """The cluster at `RAY_ADDRESS`, which is sent this checkout, or one on this machine."""
    checkout = str(Path(__file__).resolve().parents[3])
    if "RAY_ADDRESS" in os.environ:
        code = {"working_dir": checkout, "excludes": [".git", "tests", "runs"]}
        return {"runtime_env": code}
    code = {"env_vars": {"PYTHONPATH": checkout}}
    return {"runtime_env": code, "num_cpus": workers + 2, "include_dashboard": False}


class _RayExtract(BatchExtractor):
    """An actor of the cluster."""

    def __init__(self, work: Work) -> None:
        use_one_thread()
        super().__init__(work.make_extractor, work.explain)
