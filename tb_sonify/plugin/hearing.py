"""What is to be heard of a run, and how, by the arguments of a request."""

from dataclasses import dataclass
from typing import cast

from tensorboard.errors import InvalidArgumentError, NotFoundError
from werkzeug.wrappers import Request

from tb_sonify.plugin import query
from tb_sonify.plugin.answer import refusals
from tb_sonify.reading import Alignment, Hearable, Selection, presets_of
from tb_sonify.sound import Encoding, Preset, Scale, StreamPreset, variant

_MOST_TOGETHER = 4_096
_MOST_STREAM = 31
_MOST_VALUE = 1e300  # so that the width of a scale is finite too
_ENDS = ("from", "to")
_SCALE = ("scale", "low", "high")


@dataclass(frozen=True, slots=True)
class Sounding:
    """How notes are to sound, beside the preset; `None`: as in the preset."""

    speed: float | None  # notes per second
    encoding: Encoding | None
    reference: bool
    muted: tuple[int, ...]
    epoch: int | None  # steps from one tick to the next; None: no ticks

    def of(self, preset: Preset) -> Preset:
        """The preset as it is to sound; it must be one that can sound so."""
        if self.epoch is not None and not isinstance(preset, StreamPreset):
            raise InvalidArgumentError(f"the preset {preset.name!r} has no ticks at epochs")
        with refusals():
            return variant(
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
        low, high = (query.number(request, f"rows_{end}", most=query.MOST_STEP) for end in _ENDS)
        if low > high:
            raise InvalidArgumentError(
                f"'rows_from' must be at most 'rows_to', got {low:g} and {high:g}"
            )
        rows = low, high
    together = query.integer(request, "together", low=1, high=_MOST_TOGETHER, default=1)
    if together & (together - 1):
        raise InvalidArgumentError(
            f"query argument 'together' must be a power of two up to {_MOST_TOGETHER}, "
            f"got {together}"
        )
    return Selection(
        run=query.text(request, "run"),
        tag=tag,
        scale=scale,
        along=along,
        lead_tag=request.args.get("lead_tag"),
        by=cast(Alignment, query.choice(request, "by", ("step", "time", "fraction"))),
        together=together,
        rows=rows,
    )


def scale_of(request: Request) -> Scale | None:
    """The scale of a scalar, if it is given, which then is so in full."""
    if not any(name in request.args for name in _SCALE):
        return None
    kind = query.choice(request, "scale", ("linear", "log"))
    low, high = (query.number(request, name, most=_MOST_VALUE) for name in ("low", "high"))
    query.text(request, "scale")
    with refusals():
        return Scale("log" if kind == "log" else "linear", low, high)


def sounding_of(request: Request) -> Sounding:
    """How the notes that are asked for are to sound."""
    epoch = query.integer(request, "epoch", low=1, high=query.MOST_NUMBER, default=0)
    return Sounding(
        speed=query.number(request, "speed") if "speed" in request.args else None,
        encoding=_encoding(request),
        reference=query.choice(request, "reference", ("0", "1")) == "1",
        muted=query.integers(request, "muted", low=0, high=_MOST_STREAM),
        epoch=epoch or None,
    )


def preset_of(request: Request, source: Hearable) -> Preset:
    """The preset that is asked for, which must be one for these notes."""
    presets, name = presets_of(source), query.text(request, "preset")
    if name not in presets:
        raise NotFoundError(f"no preset {name!r}, there are {', '.join(presets)}")
    return presets[name]


def _encoding(request: Request) -> Encoding | None:
    if not any(name in request.args for name in ("zoom", "center", "polarity")):
        return None
    zoom = query.integer(request, "zoom", low=1, high=4, default=1)
    center = query.number(request, "center", default=1.0)
    polarity = query.choice(request, "polarity", ("up", "down"))
    with refusals():
        return Encoding(zoom, center, "down" if polarity == "down" else "up")
