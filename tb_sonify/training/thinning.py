"""Which of a series that grows are kept, where all would be more than TensorBoard shows."""


def thinned(number: int, shown: int) -> bool:
    """Whether the one of this number, counted from 0, is kept.

    All are at first, and half as many each time the series has grown to `shown`, to twice as
    much, and so on: evenly spread over all there is, at least half of `shown` are kept.

    Examples
    --------
    >>> [number for number in range(30) if thinned(number, 4)]
    [0, 1, 2, 3, 4, 6, 8, 12, 16, 24]
    """
    return number % (1 << (number // shown).bit_length()) == 0
