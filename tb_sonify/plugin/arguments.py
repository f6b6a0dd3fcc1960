"""Query arguments of a request, checked: status 400 where one is not what it must be."""

import math
import re
from dataclasses import dataclass
from typing import cast

from tensorboard.errors import InvalidArgumentError, NotFoundError
from werkzeug.wrappers import Request

from tb_sonify.plugin.responses import http_errors
from tb_sonify.reading import limits
from tb_sonify.reading.selection import Alignment, Selection
from tb_sonify.reading.timeline import Timeline, presets_of
from tb_sonify.schema.quantities import QUANTITIES
from tb_sonify.sound import Encoding, Preset, Scale, adjust, value_at_440_hz

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")


def text(request: Request, name: str) -> str:
    """A required argument."""
    value = request.args.get(name)
    if value is None:
        raise InvalidArgumentError(f"missing query argument {name!r}")
    return value


def choice(request: Request, name: str, options: tuple[str, ...]) -> str:
    """One of some words, by default the first."""
    value = request.args.get(name, options[0])
    if value not in options:
        raise InvalidArgumentError(
            f"query argument {name!r} must be one of {', '.join(options)}, got {value!r}"
        )
    return value


def quantity_of(request: Request) -> str:
    """What is measured of the layers, by default their gradients."""
    return choice(request, "quantity", QUANTITIES)


def integer(request: Request, name: str, *, low: int, high: int, default: int | None = None) -> int:
    """A whole number from `low` to `high`; required unless there is a `default`."""
    if default is not None and name not in request.args:
        return default
    value = text(request, name)
    if not _INTEGER.fullmatch(value) or not low <= int(value) <= high:
        raise InvalidArgumentError(
            f"query argument {name!r} must be a whole number from {low} to {high}, got {value!r}"
        )
    return int(value)


def integers(request: Request, name: str, *, low: int, high: int) -> tuple[int, ...]:
    """Whole numbers from `low` to `high`, separated by commas; by default none."""
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
    """A finite number from `-most` to `most`; required unless there is a `default`."""
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


def note_range(request: Request, *, most_notes: int) -> tuple[int, int]:
    """The first note, and how many."""
    first_note = integer(request, "first_note", low=0, high=limits.MAX_COUNT)
    return first_note, integer(request, "notes", low=1, high=most_notes)


def step_range(request: Request) -> tuple[float, float]:
    """Steps `from` and `to`, both included; by default all."""
    low = number(request, "from", default=-math.inf)
    high = number(request, "to", default=math.inf)
    if low > high:
        raise InvalidArgumentError(f"'from' must be at most 'to', got {low:g} and {high:g}")
    return low, high


@dataclass(frozen=True, slots=True)
class PlaybackOptions:
    """Adjustments to a preset; `None`: as in the preset."""

    speed: float | None  # notes per second
    encoding: Encoding | None
    reference: bool
    muted: tuple[int, ...]
    epoch: int | None  # steps between ticks; None: no ticks

    def adjust(self, preset: Preset) -> Preset:
        """The preset with these adjustments; status 400 where it has none of that kind."""
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
    """The run, tags, reference run and resolution of a request."""
    tag, along = request.args.get("tag"), request.args.get("along")
    beside = request.args.get("beside")
    scale = scale_of(request)
    for name, given in (("scale", scale), ("beside", beside)):
        if given is not None and tag is None:
            raise InvalidArgumentError(f"{name!r} is for a scalar: it needs 'tag'")
    if along is None and ("by" in request.args or "lead_tag" in request.args):
        raise InvalidArgumentError("'by' and 'lead_tag' need 'along', the run to lie along")
    rows = None
    if "rows_from" in request.args or "rows_to" in request.args:
        low, high = (
            number(request, name, most=limits.MAX_STEP) for name in ("rows_from", "rows_to")
        )
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
        quantity=quantity_of(request),
        tag=tag,
        beside=beside,
        scale=scale,
        along=along,
        lead_tag=request.args.get("lead_tag"),
        by=cast(Alignment, choice(request, "by", ("step", "time", "fraction"))),
        together=together,
        rows=rows,
    )


def scale_of(request: Request) -> Scale | None:
    """The scale of a scalar; all of its arguments are required once one is there."""
    if not any(name in request.args for name in ("scale", "low", "high")):
        return None
    kind = choice(request, "scale", ("linear", "log"))
    low, high = (number(request, name, most=limits.MAX_SCALE_VALUE) for name in ("low", "high"))
    text(request, "scale")
    with http_errors():
        return Scale("log" if kind == "log" else "linear", low, high)


def playback_options(request: Request) -> PlaybackOptions:
    """Speed, pitch range, reference tone, muted streams and ticks of a request."""
    epoch = integer(request, "epoch", low=1, high=limits.MAX_COUNT, default=0)
    return PlaybackOptions(
        speed=number(request, "speed") if "speed" in request.args else None,
        encoding=_encoding(request),
        reference=choice(request, "reference", ("0", "1")) == "1",
        muted=integers(request, "muted", low=0, high=limits.MAX_STREAM),
        epoch=epoch or None,
    )


def preset_of(request: Request, source: Timeline) -> Preset:
    """The preset of a request, which must be one for these notes."""
    presets, name = presets_of(source), text(request, "preset")
    if name not in presets:
        raise NotFoundError(f"no preset {name!r}, there are {', '.join(presets)}")
    return presets[name]


def _encoding(request: Request) -> Encoding | None:
    if not any(name in request.args for name in ("zoom", "center", "polarity")):
        return None
    zoom = integer(request, "zoom", low=1, high=4, default=1)
    unit = 1.0 if "tag" in request.args else value_at_440_hz(quantity_of(request))
    center = number(request, "center", default=unit)
    polarity = choice(request, "polarity", ("up", "down"))
    with http_errors():
        return Encoding(zoom, center / unit, "down" if polarity == "down" else "up")
