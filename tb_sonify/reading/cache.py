"""Caches of bounded size: least recently used, and refreshed; digests to be used as keys."""

import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from hashlib import blake2b
from typing import Any, Generic, TypeVar

import numpy as np
from tensorboard import errors

from tb_sonify.reading import limits

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

_ENTRY_BYTES = 256  # of an entry, beside its key and its value
_DIGEST_BYTES = 12


class LruCache(Generic[Key, Value]):
    """Least-recently-used cache, bounded in bytes; safe to use from many threads.

    Keys count too: they hold names that anybody may make up, as long as they like.

    Parameters
    ----------
    limit
        Most bytes of all keys and values.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._total = 0
        self._entries: OrderedDict[Key, tuple[Value, int]] = OrderedDict()
        self._making: dict[Key, Future[Value]] = {}
        self._lock = threading.RLock()

    @property
    def nbytes(self) -> int:
        """Bytes of all keys and values, about."""
        return self._total

    def get(self, key: Key) -> Value | None:
        """The value of a key, which becomes the most recently used; `None` where it is not kept."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return None
            self._entries.move_to_end(key)
            return entry[0]

    def put(self, key: Key, value: Value, *, cost: int = 0) -> None:
        """Keep a value of `cost` bytes over the former, unless it alone exceeds the limit."""
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

    def get_or_make(
        self, key: Key, make: Callable[[], Value], *, cost: Callable[[Value], int] = lambda _: 0
    ) -> Value:
        """The value of a key, made where it is not kept, by one thread while others wait for it.

        Parameters
        ----------
        make
            Makes the value, which is not `None`; what it raises is raised to all that wait.
        cost
            Bytes of a value. One that exceeds the limit is returned, and made again the next time.
        """
        with self._lock:
            kept = self.get(key)
            if kept is not None:
                return kept
            making = self._making.get(key)
            if making is None:
                made = self._making[key] = Future[Value]()
        if making is not None:
            return making.result()
        try:
            value = make()
            self.put(key, value, cost=cost(value))
            made.set_result(value)
        except BaseException as error:
            made.set_exception(error)
            raise
        finally:
            del self._making[key]
        return value


def _size(key: Any) -> int:
    return sys.getsizeof(key) + (sum(map(_size, key)) if isinstance(key, tuple) else 0)


class Unavailable(errors.PublicError):
    """A data provider that does not answer now; the HTTP status of the answer says so.

    Parameters
    ----------
    retry_after
        Seconds after which it may be there again; `None`: it will not be by itself.
    """

    def __init__(self, details: str, http_code: int, retry_after: int | None = None) -> None:
        super().__init__(details)
        self.http_code = http_code
        if retry_after is not None:
            self.headers.append(("Retry-After", str(retry_after)))


class RefreshCache(Generic[Value]):
    """Cache whose values expire, and are then read again; safe to use from many threads.

    A value expires after a second or, where it takes long to read, after a multiple of that time.
    While one thread reads, and while the provider is unavailable, others get the expired value.

    Parameters
    ----------
    limit
        Most bytes of all values.
    cost
        Bytes of a value.
    factor
        A value is kept so many times as long as it took to read.
    """

    def __init__(
        self, limit: int, cost: Callable[[Value], int], *, factor: int = limits.REFRESH_FACTOR
    ) -> None:
        self._kept: LruCache[Hashable, tuple[float, Value]] = LruCache(limit)
        self._cost = cost
        self._factor = factor
        self._reading: set[Hashable] = set()

    def get(self, key: Hashable, read: Callable[[], Value]) -> Value:
        """The value of a key, read now where it is not kept or has expired."""
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
        """Keep a value whose reading began at `start`, on the monotonic clock."""
        now = time.monotonic()
        quick = now - start < limits.QUICK_SECONDS
        expires = start + limits.REFRESH_SECONDS if quick else now + self._factor * (now - start)
        self._kept.put(key, (expires, value), cost=self._cost(value))


def digest(*parts: Any) -> bytes:
    """Hash of arrays, and of anything that has a `repr` of its own; 12 bytes."""
    state = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        data = part if isinstance(part, np.ndarray) else np.frombuffer(repr(part).encode(), "u1")
        state.update(f"{data.dtype.str}{data.shape}".encode())
        state.update(np.ascontiguousarray(data).data)
    return state.digest()
