"""A cache that cannot grow: the least recently used goes first."""

import sys
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_ENTRY_BYTES = 256  # what an entry takes beside its key and its value


class Cache(Generic[Key, Value]):
    """Values by key, up to so many bytes; safe to use from many threads.

    Keys count too: they hold names that anybody may make up, as long as they like.

    Parameters
    ----------
    limit
        The most bytes that keys and values may take together.
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

    @property
    def nbytes(self) -> int:
        """About how many bytes are kept."""
        return self._total

    def put(self, key: Key, value: Value, *, cost: int = 0) -> None:
        """Keep a value of `cost` bytes for what was there, unless it alone exceeds the limit."""
        cost += _ENTRY_BYTES + _size(key)
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


def _size(key: Any) -> int:
    return sys.getsizeof(key) + (sum(map(_size, key)) if isinstance(key, tuple) else 0)
