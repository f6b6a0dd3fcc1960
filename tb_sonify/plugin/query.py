"""The arguments of a request: each is what it must be, or the request is answered with 400."""

import math
import re

from tensorboard.errors import InvalidArgumentError
from werkzeug.wrappers import Request

MOST_NUMBER = 10**15
MOST_STEP = 1e19  # beyond any that TensorBoard can hold

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def text(request: Request, name: str) -> str:
    """An argument that must be there."""
    value = request.args.get(name)
    if value is None:
        raise InvalidArgumentError(f"missing query argument {name!r}")
    return value


def choice(request: Request, name: str, options: tuple[str, ...]) -> str:
    """One of some words; the first where it is not given."""
    value = request.args.get(name, options[0])
    if value not in options:
        raise InvalidArgumentError(
            f"query argument {name!r} must be one of {', '.join(options)}, got {value!r}"
        )
    return value


def integer(request: Request, name: str, *, low: int, high: int, default: int | None = None) -> int:
    """A whole number from `low` to `high`; without a `default`, it must be there."""
    if default is not None and name not in request.args:
        return default
    value = text(request, name)
    if not _INTEGER.fullmatch(value) or not low <= int(value) <= high:
        raise InvalidArgumentError(
            f"query argument {name!r} must be a whole number from {low} to {high}, got {value!r}"
        )
    return int(value)


def integers(request: Request, name: str, *, low: int, high: int) -> tuple[int, ...]:
    """Whole numbers from `low` to `high`, with commas between; none where it is not given."""
    value = request.args.get(name, "")
    numbers = value.split(",") if value else []
    if not all(_INTEGER.fullmatch(each) and low <= int(each) <= high for each in numbers):
        raise InvalidArgumentError(
            f"query argument {name!r} must be whole numbers from {low} to {high} with commas "
            f"between, got {value!r}"
        )
    return tuple(sorted({int(each) for each in numbers}))


def number(
    request: Request, name: str, *, default: float | None = None, most: float = math.inf
) -> float:
    """A finite number, from `-most` to `most`; without a `default`, it must be there."""
    if default is not None and name not in request.args:
        return default
    value = text(request, name)
    parsed = float(value) if _NUMBER.fullmatch(value) else math.nan
    if not math.isfinite(parsed) or abs(parsed) > most:
        limit = "" if math.isinf(most) else f" from -{most:g} to {most:g}"
        raise InvalidArgumentError(
            f"query argument {name!r} must be a finite number{limit}, got {value!r}"
        )
    return parsed


def span(request: Request, *, most_notes: int) -> tuple[int, int]:
    """The first note that is asked for, and how many."""
    first_note = integer(request, "first_note", low=0, high=MOST_NUMBER)
    return first_note, integer(request, "notes", low=1, high=most_notes)


def between(request: Request) -> tuple[float, float]:
    """Steps `from` and `to`, both included; without limit where they are not given."""
    low = number(request, "from", default=-math.inf)
    high = number(request, "to", default=math.inf)
    if low > high:
        raise InvalidArgumentError(f"'from' must be at most 'to', got {low:g} and {high:g}")
    return low, high
