"""Whether there is anything new, in a few bytes that cost little to ask for again and again."""

from collections.abc import Sequence
from dataclasses import dataclass

from tb_sonify.contract import PLUGIN_NAME, ROWS_TAG
from tb_sonify.reading.catalogue import Catalogue
from tb_sonify.reading.hearable import digest
from tb_sonify.reading.scalar_timelines import newest_norms
from tb_sonify.reading.store import Scope, Store


@dataclass(frozen=True)
class News:
    """What is there, in a few bytes each: others mean that it has changed.

    Attributes
    ----------
    runs
        Which runs have anything to be drawn or heard.
    states
        How far each of those asked for has got: in its norms, in the scalar. `None`: it has none.
    """

    runs: bytes
    states: tuple[tuple[bytes | None, bytes | None], ...]


class NewsReader:
    """Reads the news of all runs. Safe to use from many threads."""

    def __init__(self, store: Store, catalogue: Catalogue) -> None:
        self._store = store
        self._catalogue = catalogue

    def read(self, scope: Scope, runs: Sequence[str], tag: str | None) -> News:
        """Which runs there are, and how far these have got in their rows and a scalar."""
        states = [
            (_norms(self._store, scope, run), _points(self._store, scope, run, tag)) for run in runs
        ]
        return News(digest(self._catalogue.filled(scope)), tuple(states))


def _norms(store: Store, scope: Scope, run: str) -> bytes | None:
    """How many blocks of rows a run has, where they end, or scalars that are norms; its own end."""
    blobs = store.blobs(scope, run, plugin=PLUGIN_NAME, tag=ROWS_TAG)
    if blobs:
        newest = max(blob.wall_time for blob in blobs)
        return digest(len(blobs), blobs[-1:], newest, store.ends(scope).get(run))
    norms = newest_norms(store, scope, run)[1]
    return digest(tuple(sorted(norms.items()))) if norms else None


def _points(store: Store, scope: Scope, run: str, tag: str | None) -> bytes | None:
    """How many points of a scalar a run has, and the last one."""
    points = None if tag is None else store.points(scope, run, tag)
    return None if points is None else digest(len(points), points[-1:].tolist())
