"""What TensorBoard's data provider says, kept while it is new."""

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from tensorboard import errors

from tb_sonify.reading.cache import Cache

Value = TypeVar("Value")

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


class Fresh(Generic[Value]):
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
        self._kept: Cache[Hashable, tuple[float, Value]] = Cache(limit)
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
