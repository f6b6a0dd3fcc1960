"""The cache of the reading side, which must not grow."""

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
