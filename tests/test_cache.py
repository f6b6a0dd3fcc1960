"""The cache of the reading side, which must not grow."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tb_sonify.reading.cache import LruCache


def test_the_least_recently_used_goes_first():
    cache = LruCache[str, int](3_999)
    for number, key in enumerate("abc"):
        cache.put(key, number, cost=1_000)
    assert cache.get("a") == 0
    cache.put("d", 3, cost=1_000)
    assert [cache.get(key) for key in "abcd"] == [0, None, 2, 3]


def test_costs_count_and_what_is_too_dear_is_not_kept():
    cache = LruCache[str, bytes](10_900)
    cache.put("a", b"a", cost=6_000)
    cache.put("b", b"b", cost=5_000)
    assert (cache.get("a"), cache.get("b")) == (None, b"b")
    cache.put("c", b"c", cost=11_000)
    assert (cache.get("b"), cache.get("c")) == (b"b", None)


def test_a_value_that_is_replaced_counts_once():
    cache = LruCache[str, int](10_900)
    for number in range(100):
        cache.put("a", number, cost=4_000)
    cache.put("b", 1, cost=6_000)
    assert (cache.get("a"), cache.get("b")) == (99, 1)


def test_long_keys_count_too():
    cache = LruCache[tuple[str, str], int](1_000_000)
    names = [f"{number:060000}" for number in range(20)]  # 60 KB each
    for name in names:
        cache.put(("", name), 1)
    assert sum(cache.get(("", name)) or 0 for name in names) == 16
    assert cache.nbytes <= 1_000_000


def test_a_value_is_made_once_for_all_that_ask_at_once_and_other_keys_do_not_wait():
    cache, begun, may_end, made = LruCache[str, int](10_000), [], threading.Event(), []

    def make():
        begun.append(True)
        may_end.wait(10)
        made.append(True)
        return len(made)

    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(cache.get_or_make, "a", make, cost=lambda _: 1_000) for _ in range(20)]
        assert cache.get_or_make("b", lambda: 7) == 7
        may_end.set()
        assert {each.result(10) for each in asked} == {1}
    assert len(begun) == 1
    assert (cache.get("a"), cache.nbytes > 1_000) == (1, True)


def test_what_cannot_be_made_or_kept_is_made_again_the_next_time():
    cache = LruCache[str, int](10_000)
    with pytest.raises(ZeroDivisionError):
        cache.get_or_make("a", lambda: 1 // 0)
    assert cache.get_or_make("a", lambda: 1) == 1
    assert cache.get_or_make("a", lambda: 2) == 1
    assert cache.get_or_make("b", lambda: 3, cost=lambda _: 20_000) == 3
    assert cache.get("b") is None
    assert cache.get_or_make("b", lambda: 4, cost=lambda _: 20_000) == 4


def test_what_cannot_be_made_fails_for_all_that_wait_for_it():
    cache, may_fail, failing = LruCache[str, int](10_000), threading.Event(), threading.Event()

    def fail():
        failing.set()
        may_fail.wait(10)
        raise ZeroDivisionError

    with ThreadPoolExecutor(5) as pool:
        asked = [pool.submit(cache.get_or_make, "a", fail) for _ in range(5)]
        assert failing.wait(10)
        may_fail.set()
        assert all(isinstance(each.exception(10), ZeroDivisionError) for each in asked)
