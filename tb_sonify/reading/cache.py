"""A cache that cannot grow: the least recently used goes first."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Cache(Generic[Key, Value]):
    """Values by key, up to a total cost; safe to use from many threads.

    Parameters
    ----------
    limit
        The most that the values kept may cost together, in whatever unit `put` is told.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._total = 0
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """The value kept under a key, which becomes the most recently used; `None`: not kept."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Key, value: Value, *, cost: int = 1) -> None:
        """Keep a value instead of what was under the key, unless it alone exceeds the limit."""
        with self._lock:
            _, former = self._entries.pop(key, (None, 0))
            self._total -= former
            if cost > self._limit:
                return
            self._entries[key] = (value, cost)
            self._total += cost
            while self._total > self._limit:
                _, (_, oldest) = self._entries.popitem(last=False)
                self._total -= oldest
