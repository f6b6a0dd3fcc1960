"""A large table in parts, each of which takes little memory: some notes, or some layers."""

from collections.abc import Iterator

MOST_VALUES = 1_000_000  # numbers of a part; what is done with one takes up to 60 bytes for each


def parts_of(count: int, size: int, *, multiple: int = 1) -> Iterator[slice]:
    """Consecutive parts of `count` things that have `size` numbers each; at least one part.

    Parameters
    ----------
    multiple
        How many things a part has is a multiple of it, but for the last one.
    """
    together = max(MOST_VALUES // max(size, 1) // multiple, 1) * multiple
    for start in range(0, max(count, 1), together):
        yield slice(start, min(start + together, count))
