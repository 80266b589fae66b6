"""Never more threads at work than slots, and none for a visitor who has left."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import anyio.to_thread
import pytest

from app.server.workers import WorkerSlots
from models.cancellation import raise_if_cancelled


def finished(coroutine):
    """What a coroutine returns, run in a loop of its own: the browser's keeps this thread's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def in_thread(function, *values):
    return lambda: anyio.to_thread.run_sync(function, *values)


def test_a_fixed_number_of_threads_is_at_work():
    slots, most = WorkerSlots(count=2, seconds=9), []
    work = slots.limit(lambda: (most.append(slots.working), time.sleep(0.02)))

    async def all_at_once():
        await asyncio.gather(*(slots.run(in_thread(work)) for _ in range(8)))

    finished(all_at_once())
    assert len(most) == 8
    assert max(most) == 2
    assert slots.working == 0


def test_work_that_was_cancelled_stops_at_its_next_step_and_frees_its_slot():
    slots, steps, begun = WorkerSlots(count=1, seconds=9), [], threading.Event()

    def forever():
        begun.set()
        while True:
            raise_if_cancelled()
            steps.append(1)
            time.sleep(0.01)

    async def begin_and_cancel():
        task = asyncio.create_task(slots.run(in_thread(slots.limit(forever))))
        await anyio.to_thread.run_sync(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await slots.run(in_thread(slots.limit(lambda: "next")))

    assert finished(begin_and_cancel()) == "next"
    count = len(steps)
    time.sleep(0.05)
    assert len(steps) == count


def test_who_was_cancelled_while_waiting_never_begins():
    slots, ran = WorkerSlots(count=1, seconds=9), []
    busy = threading.Event()

    async def wait_in_vain():
        first = asyncio.create_task(slots.run(in_thread(slots.limit(busy.wait))))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(slots.run(in_thread(slots.limit(ran.append), "ran")))
        await asyncio.sleep(0.05)
        second.cancel()
        await asyncio.sleep(0.1)
        busy.set()
        await first
        await asyncio.sleep(0.1)

    finished(wait_in_vain())
    assert ran == []
    assert slots.working == 0


def test_work_beyond_its_time_ends_in_an_error_and_stops():
    slots, begun, stopped = WorkerSlots(count=1, seconds=1), threading.Event(), threading.Event()

    def slow():
        begun.set()
        try:
            while True:
                raise_if_cancelled()
                time.sleep(0.01)
        finally:
            stopped.set()

    with pytest.raises(TimeoutError):
        finished(slots.run(in_thread(slots.limit(slow))))
    assert begun.is_set()
    assert stopped.wait(5)


def test_outside_of_a_server_work_is_always_wanted():
    raise_if_cancelled()
