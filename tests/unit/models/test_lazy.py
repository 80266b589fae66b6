"""A value is made once, however many threads ask for it, and nobody waits for another's."""

import copy
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.lazy import locked_cache, locked_cached_property

THREADS = 8
SECONDS = 10  # after which a thread that still waits is taken for stuck


class Shop:
    """Values that tell how often they were made."""

    def __init__(self):
        self.made = []
        self.fails = 0
        self.meeting = None

    @locked_cached_property
    def slow(self):
        """Takes a while."""
        time.sleep(0.1)
        self.made.append("slow")
        return object()

    @locked_cached_property
    def fragile(self):
        self.made.append("fragile")
        time.sleep(0.02)
        if self.fails:
            self.fails -= 1
            raise OSError("not yet")
        return "whole"

    @locked_cached_property
    def left(self):
        return self.meeting.wait(SECONDS)

    @locked_cached_property
    def right(self):
        return self.meeting.wait(SECONDS)

    @locked_cached_property
    def house(self):
        return ["house", self.slow]

    @locked_cached_property
    def street(self):
        return [self.house, self.slow]

    @locked_cached_property
    def mirror(self):
        return self.mirror


def at_once(*askers):
    """What each function returns or raises, all started in the same moment."""
    start = threading.Barrier(len(askers))

    def ask(function):
        start.wait(SECONDS)
        try:
            return function()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(askers)) as pool:
        return [each.result(SECONDS) for each in [pool.submit(ask, one) for one in askers]]


def test_eight_threads_get_one_value_made_once():
    shop = Shop()
    values = at_once(*[lambda: shop.slow] * THREADS)
    assert shop.made == ["slow"]
    assert len({id(value) for value in values}) == 1


def test_a_failure_is_not_kept_and_who_waited_tries_anew():
    shop = Shop()
    shop.fails = 3
    values = at_once(*[lambda: shop.fragile] * THREADS)
    assert sorted(map(str, values)) == ["not yet"] * 3 + ["whole"] * (THREADS - 3)
    assert shop.made == ["fragile"] * 4
    shop = Shop()
    shop.fails = 1
    with pytest.raises(OSError, match="not yet"):
        _ = shop.fragile
    assert shop.fragile == "whole"


def test_two_values_of_one_instance_are_made_at_the_same_time():
    shop = Shop()
    shop.meeting = threading.Barrier(2)  # breaks unless both are inside at once
    assert sorted(at_once(lambda: shop.left, lambda: shop.right)) == [0, 1]


def test_the_same_value_of_two_instances_is_made_at_the_same_time():
    first, second = Shop(), Shop()
    first.meeting = second.meeting = threading.Barrier(2)
    assert sorted(at_once(lambda: first.left, lambda: second.left)) == [0, 1]


def test_values_made_of_others_come_in_whatever_order_they_are_asked_for():
    shop = Shop()
    asked = [lambda: shop.street, lambda: shop.slow, lambda: shop.house, lambda: shop.street]
    street, slow, house, again = at_once(*asked)
    assert street is again
    assert street == [house, slow]
    assert shop.made == ["slow"]


def test_a_value_made_of_itself_is_an_error_and_no_standstill():
    shop = Shop()
    (error,) = at_once(lambda: shop.mirror)
    assert isinstance(error, RecursionError)


def test_a_value_can_be_replaced_dropped_copied_and_sent():
    shop = Shop()
    shop.slow = "given"
    assert shop.house == ["house", "given"]
    assert pickle.loads(pickle.dumps(shop)).house == copy.deepcopy(shop).house == shop.house
    assert shop.made == []
    del shop.slow
    assert shop.slow is shop.slow
    assert shop.made == ["slow"]


def test_no_lock_outlives_the_making():
    shop = Shop()
    shop.fails = 1
    at_once(*[lambda: shop.fragile] * THREADS)
    assert Shop.fragile._locks._held == {}
    assert Shop.slow.__doc__ == "Takes a while."


def test_threads_that_call_a_locked_cache_get_one_object_for_each_argument():
    made, start = [], threading.Barrier(2 * THREADS)

    @locked_cache
    def make(name):
        """Takes a while."""
        time.sleep(0.05)
        made.append(name)
        return object()

    def ask(name):
        start.wait(SECONDS)
        return name, make(name)

    with ThreadPoolExecutor(2 * THREADS) as pool:
        found = set(pool.map(ask, ["a", "b"] * THREADS))
    assert sorted(made) == ["a", "b"]
    assert len(found) == 2
    assert make.__doc__ == "Takes a while."


def test_a_locked_cache_waits_for_its_own_argument_only():
    meeting = threading.Barrier(2)

    @locked_cache
    def meet(name):
        return meeting.wait(SECONDS)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(meet, ["a", "b"])) == [0, 1]


def test_a_locked_cache_keeps_no_error():
    tries = []

    @locked_cache
    def fragile(name):
        tries.append(name)
        if len(tries) == 1:
            raise OSError("not yet")
        return name

    with pytest.raises(OSError, match="not yet"):
        fragile("a")
    assert [fragile("a"), fragile("a")] == ["a", "a"]
    assert len(tries) == 2
