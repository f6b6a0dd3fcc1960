"""Which of a series that grows are kept, where all would be more than TensorBoard shows."""


def thinned(number: int, shown: int) -> bool:
    """Whether the one of this number, counted from 0, is kept.

    The first `shown` are; then a quarter of `shown` while the series doubles, another quarter
    while it doubles again, and so on, evenly spread.

    Examples
    --------
    >>> [number for number in range(70) if thinned(number, 8)]
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 24, 32, 48, 64]
    """
    return number < shown or number % (2 << (number // shown).bit_length()) == 0
