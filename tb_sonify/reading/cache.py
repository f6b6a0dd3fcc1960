"""A cache that cannot grow: the least recently used goes first."""

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import numpy as np
from tensorboard import errors

_DIGEST_BYTES = 12


Key = TypeVar("Key", bound=Hashable)


Value = TypeVar("Value")


_ENTRY_BYTES = 256  # what an entry takes beside its key and its value


class LruCache(Generic[Key, Value]):
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


REFRESH_SECONDS = 1.0


_QUICK_SECONDS = 0.2


class Unavailable(errors.PublicError):
    """A data provider that does not answer now; TensorBoard says so with this status.

    Parameters
    ----------
    retry_after
        Whether it may be there again in so many seconds; `None`: not by itself.
    """

    def __init__(self, details: str, http_code: int, retry_after: int | None = None) -> None:
        super().__init__(details)
        self.http_code = http_code
        if retry_after is not None:
            self.headers.append(("Retry-After", str(retry_after)))


class RefreshCache(Generic[Value]):
    """Values that are read again where they are no longer new. Safe to use from many threads.

    While one thread reads, and while the provider is unavailable, others get what was there last.

    Parameters
    ----------
    limit
        The most bytes to be kept.
    cost
        How many bytes a value takes.
    share
        Reading that takes its time takes at most one part in so many of it.
    """

    def __init__(self, limit: int, cost: Callable[[Value], int], *, share: int = 5) -> None:
        self._kept: LruCache[Hashable, tuple[float, Value]] = LruCache(limit)
        self._cost = cost
        self._share = share
        self._reading: set[Hashable] = set()

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """What was read under a key, or is read now."""
        kept = self._kept.get(key)
        start = time.monotonic()
        if kept is not None and (start < kept[0] or key in self._reading):
            return kept[1]
        self._reading.add(key)
        try:
            value = read()
        except Unavailable:
            if kept is None:
                raise
            return kept[1]
        finally:
            self._reading.discard(key)
        self.put(key, value, start=start)
        return value

    def put(self, key: Hashable, value: Value, *, start: float) -> None:
        """Keep what began to be read at a time by the monotonic clock."""
        now = time.monotonic()
        quick = now - start < _QUICK_SECONDS
        until = start + REFRESH_SECONDS if quick else now + self._share * (now - start)
        self._kept.put(key, (until, value), cost=self._cost(value))


def digest(*parts: Any) -> bytes:
    """A few bytes that other parts do not have; parts are arrays, or have a `repr` of their own."""
    state = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        data = part if isinstance(part, np.ndarray) else np.frombuffer(repr(part).encode(), "u1")
        state.update(f"{data.dtype.str}{data.shape}".encode())
        state.update(np.ascontiguousarray(data).data)
    return state.digest()
