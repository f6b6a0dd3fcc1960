"""The arguments of a request: each is what it must be, or the request is answered with 400."""

import math
import re
from dataclasses import dataclass
from typing import cast

from tensorboard.errors import InvalidArgumentError, NotFoundError
from werkzeug.wrappers import Request

from tb_sonify.plugin.responses import http_errors
from tb_sonify.reading import limits
from tb_sonify.reading.selection import Alignment, Selection
from tb_sonify.reading.timeline import Hearable, presets_of
from tb_sonify.sound import Encoding, Preset, Scale, adjust

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
    first_note = integer(request, "first_note", low=0, high=limits.MAX_COUNT)
    return first_note, integer(request, "notes", low=1, high=most_notes)


def between(request: Request) -> tuple[float, float]:
    """Steps `from` and `to`, both included; without limit where they are not given."""
    low = number(request, "from", default=-math.inf)
    high = number(request, "to", default=math.inf)
    if low > high:
        raise InvalidArgumentError(f"'from' must be at most 'to', got {low:g} and {high:g}")
    return low, high


_ENDS = ("from", "to")


_SCALE = ("scale", "low", "high")


@dataclass(frozen=True, slots=True)
class PlaybackOptions:
    """How notes are to sound, beside the preset; `None`: as in the preset."""

    speed: float | None  # notes per second
    encoding: Encoding | None
    reference: bool
    muted: tuple[int, ...]
    epoch: int | None  # steps from one tick to the next; None: no ticks

    def of(self, preset: Preset) -> Preset:
        """The preset as it is to sound; it must be one that can sound so."""
        if self.epoch is not None and not preset.adjustable:
            raise InvalidArgumentError(f"the preset {preset.name!r} has no ticks at epochs")
        with http_errors():
            return adjust(
                preset,
                speed=self.speed,
                encoding=self.encoding,
                reference=self.reference,
                muted=self.muted,
            )


def selection_of(request: Request) -> Selection:
    """Which notes are asked for."""
    tag, along = request.args.get("tag"), request.args.get("along")
    scale = scale_of(request)
    if scale is not None and tag is None:
        raise InvalidArgumentError("'scale' is for a scalar: it needs 'tag'")
    if along is None and ("by" in request.args or "lead_tag" in request.args):
        raise InvalidArgumentError("'by' and 'lead_tag' need 'along', the run to lie along")
    rows = None
    if "rows_from" in request.args or "rows_to" in request.args:
        low, high = (number(request, f"rows_{end}", most=limits.MAX_STEP) for end in _ENDS)
        if low > high:
            raise InvalidArgumentError(
                f"'rows_from' must be at most 'rows_to', got {low:g} and {high:g}"
            )
        rows = low, high
    together = integer(request, "together", low=1, high=limits.MAX_MERGED_NOTES, default=1)
    if together & (together - 1):
        raise InvalidArgumentError(
            f"query argument 'together' must be a power of two up to {limits.MAX_MERGED_NOTES}, "
            f"got {together}"
        )
    return Selection(
        run=text(request, "run"),
        tag=tag,
        scale=scale,
        along=along,
        lead_tag=request.args.get("lead_tag"),
        by=cast(Alignment, choice(request, "by", ("step", "time", "fraction"))),
        together=together,
        rows=rows,
    )


def scale_of(request: Request) -> Scale | None:
    """The scale of a scalar, if it is given, which then is so in full."""
    if not any(name in request.args for name in _SCALE):
        return None
    kind = choice(request, "scale", ("linear", "log"))
    low, high = (number(request, name, most=limits.MAX_SCALE_VALUE) for name in ("low", "high"))
    text(request, "scale")
    with http_errors():
        return Scale("log" if kind == "log" else "linear", low, high)


def playback_options(request: Request) -> PlaybackOptions:
    """How the notes that are asked for are to sound."""
    epoch = integer(request, "epoch", low=1, high=limits.MAX_COUNT, default=0)
    return PlaybackOptions(
        speed=number(request, "speed") if "speed" in request.args else None,
        encoding=_encoding(request),
        reference=choice(request, "reference", ("0", "1")) == "1",
        muted=integers(request, "muted", low=0, high=limits.MAX_STREAM),
        epoch=epoch or None,
    )


def preset_of(request: Request, source: Hearable) -> Preset:
    """The preset that is asked for, which must be one for these notes."""
    presets, name = presets_of(source), text(request, "preset")
    if name not in presets:
        raise NotFoundError(f"no preset {name!r}, there are {', '.join(presets)}")
    return presets[name]


def _encoding(request: Request) -> Encoding | None:
    if not any(name in request.args for name in ("zoom", "center", "polarity")):
        return None
    zoom = integer(request, "zoom", low=1, high=4, default=1)
    center = number(request, "center", default=1.0)
    polarity = choice(request, "polarity", ("up", "down"))
    with http_errors():
        return Encoding(zoom, center, "down" if polarity == "down" else "up")
