"""The arguments of a request: each is what it must be, or the request is answered with 400."""

import math
import re

from tensorboard.errors import InvalidArgumentError
from werkzeug.wrappers import Request

_INTEGER = re.compile(r"-?[0-9]{1,18}")


def text(request: Request, name: str) -> str:
    """An argument that must be there."""
    value = request.args.get(name)
    if value is None:
        raise InvalidArgumentError(f"missing query argument {name!r}")
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


def number(request: Request, name: str, *, default: float) -> float:
    """A finite number, or the default where it is not given."""
    value = request.args.get(name)
    if value is None:
        return default
    try:
        parsed = float(value)
    except ValueError:
        parsed = math.nan
    if not math.isfinite(parsed):
        raise InvalidArgumentError(
            f"query argument {name!r} must be a finite number, got {value!r}"
        )
    return parsed
