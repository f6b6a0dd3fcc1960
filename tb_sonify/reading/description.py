"""Description of a run in words, for screen readers and terminals."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tb_sonify.landmarks import KINDS as LANDMARKS
from tb_sonify.landmarks import Landmark
from tb_sonify.landmarks.chain import as_stories
from tb_sonify.landmarks.landmark import MILESTONES
from tb_sonify.reading import limits
from tb_sonify.reading.heatmap import LayerSummary, summarize_layers
from tb_sonify.reading.run_landmarks import landmarks_of, own_scalars, scalar_landmarks
from tb_sonify.reading.scalars import Series, read_first_scalar, series_of
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import Timeline
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.schema.quantities import GRADIENT, RATIO, UPDATE, WEIGHT
from tb_sonify.schema.scalar_names import KINDS, Kind, is_validation, kind_of
from tb_sonify.sound import STREAM_NAMES, stream_layers

_TREND_POINTS = 20  # a trend is told of no fewer
_TREND_NOISE = 2.0  # of the standard error of the last tenth: a change below is none
_TREND_SHARE = 0.01  # of the value: likewise
# Lines of scalars of each kind; so a run fits a screen.
_LINES: dict[Kind, int] = {"loss": 5, "score": 4, "norm": 2, "other": 4}
_MOST_BRIEF = 10
_NAMED = 4  # layers of a stream
_SMALL = re.compile(r"(?<=[\s(+])(-?\d+(?:\.\d+)?)e-0*(\d+)\b")
GROWING_SECONDS = 60.0  # since it was written last


@dataclass(frozen=True)
class ScalarSummary:
    """A scalar: first, smallest, largest and last finite value.

    Attributes
    ----------
    kind
        By its name: a loss is best at its minimum, a score at its maximum.
    not_finite, not_finite_since
        Points that are NaN or infinite, and the step of the first of them.
    trend
        ``"rising"`` or ``"falling"`` where the last tenth of the points differs from the tenth
        before by more than noise; `None` where it does not, or there are few points.
    lost_to, lost_since
        What it is at its end, ``"NaN"`` or ``"infinity"``, and the first step from which no point
        is finite; `None` where it ends finite.
    """

    tag: str
    kind: Kind
    points: int
    start: float | None
    minimum: float | None
    minimum_step: int | None
    maximum: float | None
    maximum_step: int | None
    end: float | None
    not_finite: int
    not_finite_since: int | None
    trend: str | None
    lost_to: str | None
    lost_since: int | None


@dataclass(frozen=True)
class StreamSummary:
    """A stream: the median norm of its layers at the first and the last note, and its extremes.

    Attributes
    ----------
    lowest, peak
        Smallest and largest finite norm of any layer, over the maxima of the notes.
    peak_step, peak_layer
        Where the largest is.
    """

    name: str
    layers: tuple[str, ...]
    start: float | None
    lowest: float | None
    peak: float | None
    peak_step: int | None
    peak_layer: str | None
    end: float | None


@dataclass(frozen=True)
class Description:
    """Steps, scalars, streams and landmarks of a run.

    Attributes
    ----------
    quantity
        What streams and landmarks are of.
    written
        When it was written last, in seconds since the epoch; `None`: not known.
    ended
        Whether its writer was closed then; `False` where nobody can tell.
    ratio
        The updates of all layers, relative to their weights; `None` where they are not measured.
    without_weights
        Layers whose weights are all zero at some steps, where they have no ratio.
    loss
        The scalar that is drawn first, if it is a loss.
    scalars
        All others that were read: losses, scores, gradient norms, others, clocks.
    unread
        How many scalars were not read, as there are very many.
    pre_clip
        Whether norms are before clipping, or ``"mixed"``; `None`: not known.
    points_kept
        Of each scalar, if TensorBoard has dropped some of the norms.
    """

    run: str
    first_step: int | None
    last_step: int | None
    loss: ScalarSummary | None
    scalars: tuple[ScalarSummary, ...]
    unread: int
    streams: tuple[StreamSummary, ...]
    landmarks: tuple[Landmark, ...]
    pre_clip: bool | str | None
    points_kept: int | None
    quantity: str
    ratio: StreamSummary | None
    without_weights: tuple[str, ...]
    written: float | None
    ended: bool


class Updates(NamedTuple):
    """Timelines of a run whose updates were measured."""

    ratio: Timeline
    weight: Timeline
    update: Timeline


def updates_of(timelines: Timelines, scope: Scope, run: str) -> Updates | None:
    """What `describe_run` says of the updates of a run; `None` where none were measured."""
    ratio = timelines.get(scope, run, RATIO)
    if not ratio.notes:
        return None
    return Updates(ratio, *(timelines.get(scope, run, each) for each in (WEIGHT, UPDATE)))


def describe_run(
    store: Store,
    scope: Scope,
    timeline: Timeline,
    run: str,
    landmarks: tuple[Landmark, ...],
    *,
    updates: Updates | None = None,
    most_scalars: int = limits.MAX_DESCRIBED_SCALARS,
) -> Description:
    """The description of a run that exists, which has this timeline and these landmarks."""
    tags = own_scalars(store, scope, timeline, run)
    first = read_first_scalar(store, scope, run, tags)
    wanted = sorted(
        tags, key=lambda tag: (tag != first, KINDS.index(kind_of(tag)), is_validation(tag))
    )
    points = store.points_of_tags(scope, run, wanted[:most_scalars])
    read = {tag: points[tag] for tag in wanted if len(points.get(tag, ()))}
    summaries = [_summarize(tag, series_of(found)) for tag, found in read.items()]
    steps = timeline.steps if timeline.notes else _ends(read.values())
    loss = next((each for each in summaries if each.tag == first and each.kind == "loss"), None)
    written = _last_time(timeline, read.values())
    marks = store.marks(scope).get(run)
    landmarks += scalar_landmarks(store, scope, timeline, run)
    if updates is not None and timeline.quantity == GRADIENT:
        told = {each.kind for each in landmarks} & {"nan", "inf", "restart"}
        landmarks += tuple(each for each in landmarks_of(updates.update) if each.kind not in told)
    return Description(
        run=run,
        first_step=int(steps[0]) if len(steps) else None,
        last_step=int(steps[-1]) if len(steps) else None,
        loss=loss,
        scalars=tuple(each for each in summaries if each is not loss),
        unread=len(tags) - len(read),
        streams=_streams(timeline) if timeline.notes else (),
        landmarks=as_stories(landmarks),
        pre_clip=timeline.pre_clip if timeline.notes else None,
        points_kept=store.settings.points_kept if timeline.notes and timeline.sampled else None,
        quantity=timeline.quantity,
        ratio=None if updates is None else _all_layers(updates.ratio),
        without_weights=() if updates is None else _zero_layers(updates.weight),
        written=written,
        ended=marks is not None and marks.end is not None and marks.end >= (written or 0.0),
    )


def _last_time(timeline: Timeline, points: Iterable[NDArray[np.float64]]) -> float | None:
    """The latest wall time of rows and points; `None` where there is none."""
    times = [*timeline.step_times.times[-1:], *(found[:, 1].max() for found in points)]
    return max((float(each) for each in times if np.isfinite(each)), default=None)


def description_lines(
    description: Description, *, every_scalar: bool = False, now: float | None = None
) -> Iterator[str]:
    """The lines of a description, one fact each: what matters most first.

    Parameters
    ----------
    every_scalar
        Give each scalar a line, however many there are.
    now
        Seconds since the epoch, to tell how long ago it was written; `None`: that is not told.
    """
    yield _name(description)
    if description.first_step is None:
        yield "  nothing that can be heard"
        return
    age = "" if now is None else _age(description, now)
    yield f"  steps {description.first_step:,} to {description.last_step:,}{age}"
    for line in _scalar_lines(description, every_scalar):
        yield f"  {spoken(line)}"
    if description.pre_clip is not None:
        yield f"  {_CLIPPING[description.pre_clip]}"
    if description.points_kept is not None:
        yield f"  norms are from scalars: {_sampled(description.points_kept)}"
    for line in _norm_lines(description):
        yield f"  {spoken(line)}"
    for landmark in description.landmarks:
        yield f"  step {landmark.step:,}: {spoken(landmark.sentence)}"
    if description.streams and not description.landmarks:
        yield "  no landmarks"
    if not description.streams:
        totals = [each.tag for each in description.scalars if each.kind == "norm"]
        only = f" by layer, only {', '.join(totals)}" if totals else ""
        yield f"  no gradient norms were logged{only}"


def _name(description: Description) -> str:
    return "(the log directory itself)" if description.run in ("", ".") else description.run


def _age(description: Description, now: float) -> str:
    if description.ended:
        return ", ended"
    if description.written is None:
        return ""
    idle = max(now - description.written, 0.0)
    if idle < GROWING_SECONDS:
        return ", still growing"
    return f", last written {duration_words(idle)} ago"


def spoken(text: str) -> str:
    """A text whose small numbers have a minus that speech does not leave out.

    Examples
    --------
    >>> spoken("loss 1.2e-05 in lr=1e-05")
    'loss 1.2e minus 5 in lr=1e-05'
    """
    return _SMALL.sub(r"\1e minus \2", text)


def duration_words(seconds: float) -> str:
    """A duration in its largest whole unit.

    Examples
    --------
    >>> duration_words(59.9), duration_words(61), duration_words(7_300)
    ('59 seconds', '1 minute', '2 hours')
    """
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return f"{int(seconds)} seconds"


def overview_lines(descriptions: Sequence[Description]) -> Iterator[str]:
    """A table of runs, in their order."""
    rows = [
        (
            _name(each),
            "" if each.last_step is None else f"{each.last_step:,}",
            _best_of(each),
            "; ".join(
                dict.fromkeys(f"{mark.kind} at {mark.step:,}" for mark in _troubles(each)[:3])
            ),
        )
        for each in descriptions
    ]
    header = ("run", "last step", "loss or score", "landmarks")
    widths = [max(len(row[i]) for row in (header, *rows)) for i in range(len(header))]
    for row in (header, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def severity(description: Description) -> tuple[bool, bool, int, float, str]:
    """Sort key of runs: a loss that is lost first, then the worst landmark, then a high loss."""
    loss = description.loss
    worst = min(
        (LANDMARKS.index(each.kind) for each in _troubles(description)),
        default=len(LANDMARKS),
    )
    broken = loss is not None and loss.not_finite > 0
    end = np.inf if loss is None or loss.end is None else loss.end
    lost = loss is not None and loss.lost_to is not None
    return not lost, not broken, worst, -end, description.run


def _troubles(description: Description) -> list[Landmark]:
    return [each for each in description.landmarks if each.kind not in MILESTONES]


def _best_of(description: Description) -> str:
    scores = (each for each in description.scalars if each.kind == "score")
    for each in (description.loss, *scores):
        if each is not None and each.end is None:
            return f"{each.tag} {_end_of(each)}"
        if each is not None:
            best = each.maximum if each.kind == "score" else each.minimum
            return spoken(f"{each.tag} best {best:.4g}, {_end_of(each)}")
    return ""


def _ends(points: Iterable[NDArray[np.float64]]) -> list[float]:
    steps = [step for found in points for step in (found[:, 0].min(), found[:, 0].max())]
    return [min(steps), max(steps)] if steps else []


def _end_of(scalar: ScalarSummary) -> str:
    if scalar.lost_to is not None:
        return f"{scalar.lost_to} since step {scalar.lost_since:,}"
    return f"ends at {scalar.end:.4g}"


def _summarize(tag: str, series: Series) -> ScalarSummary:
    finite = np.isfinite(series.values)
    lost = int(np.flatnonzero(finite)[-1]) + 1 if finite.any() else 0  # the first of the last
    ends = series.values[-1]
    values, steps = series.values[finite], series.steps[finite]
    known = len(values) > 0
    low, high = (int(values.argmin()), int(values.argmax())) if known else (0, 0)
    return ScalarSummary(
        tag=tag,
        kind=kind_of(tag),
        points=len(finite),
        start=float(values[0]) if known else None,
        minimum=float(values[low]) if known else None,
        minimum_step=int(steps[low]) if known else None,
        maximum=float(values[high]) if known else None,
        maximum_step=int(steps[high]) if known else None,
        end=float(values[-1]) if known else None,
        not_finite=int((~finite).sum()),
        not_finite_since=None if finite.all() else int(series.steps[~finite][0]),
        trend=_trend(values),
        lost_to=None if finite[-1] else "NaN" if np.isnan(ends) else "infinity",
        lost_since=None if finite[-1] else int(series.steps[lost]),
    )


def _trend(values: NDArray[np.float64]) -> str | None:
    """Which way a series goes at its end, by the means of its last two tenths."""
    if len(values) < _TREND_POINTS:
        return None
    tenth = len(values) // 10
    last, before = values[-tenth:], values[-2 * tenth : -tenth]
    change = last.mean() - before.mean()
    noise = np.hypot(last.std(), before.std()) / np.sqrt(tenth)
    if abs(change) <= max(_TREND_NOISE * noise, _TREND_SHARE * abs(before.mean())):
        return None
    return "rising" if change > 0 else "falling"


def _streams(timeline: Timeline) -> tuple[StreamSummary, ...]:
    groups = stream_layers(len(timeline.layers))
    of_layers = summarize_layers(timeline, range(timeline.notes))
    return tuple(
        _stream(timeline, name, slice(group.start, group.stop), of_layers)
        for name, group in zip(STREAM_NAMES, groups, strict=False)
    )


def _all_layers(timeline: Timeline) -> StreamSummary:
    of_layers = summarize_layers(timeline, range(timeline.notes))
    return _stream(timeline, "all", slice(0, len(timeline.layers)), of_layers)


def _zero_layers(weights: Timeline) -> tuple[str, ...]:
    lowest = summarize_layers(weights, range(weights.notes)).min
    return tuple(name for name, low in zip(weights.layers, lowest, strict=True) if low == 0)


def _stream(timeline: Timeline, name: str, part: slice, of_layers: LayerSummary) -> StreamSummary:
    medians = timeline.table(0, 1).median[0], timeline.table(timeline.notes - 1, 1).median[0]
    start, end = (_median(norms[part]) for norms in medians)
    peak = part.start + int(of_layers.max[part].argmax())
    lows = of_layers.min[part]
    known = of_layers.max[peak] >= 0
    return StreamSummary(
        name=name,
        layers=timeline.layers[part],
        start=start,
        lowest=float(lows[lows >= 0].min()) if known else None,
        peak=float(of_layers.max[peak]) if known else None,
        peak_step=int(of_layers.step_of_max[peak]) if known else None,
        peak_layer=timeline.layers[peak] if known else None,
        end=end,
    )


def _median(norms: NDArray[np.float32]) -> float | None:
    known = norms[norms >= 0]
    return float(np.median(known)) if len(known) else None


_CLIPPING = {
    True: "norms are those before clipping",
    False: "norms are those that the optimizer got, after any clipping",
    "mixed": "some norms are those before clipping, some those that the optimizer got",
}


def _sampled(points_kept: int) -> str:
    return (
        f"TensorBoard keeps {points_kept:,} points of a scalar: spikes between them can be "
        "missing; start it with --samples_per_plugin scalars=0 to keep all"
    )


def _scalar_lines(description: Description, every_scalar: bool) -> Iterator[str]:
    """A line for each scalar that matters; the others, and what does not change, on one line."""
    brief: list[ScalarSummary] = []
    left = dict(_LINES)
    for scalar in (description.loss, *description.scalars):
        if scalar is None:
            continue
        constant = scalar.points > 1 and scalar.minimum == scalar.maximum and not scalar.not_finite
        few = scalar.kind in ("other", "clock") and (constant or scalar.points == 1)
        if every_scalar or (left.get(scalar.kind, 0) > 0 and not few):
            left[scalar.kind] = left.get(scalar.kind, 0) - 1
            yield _scalar_line(scalar)
        else:
            brief.append(scalar)
    if brief or description.unread:
        named = ", ".join(map(_brief, brief[:_MOST_BRIEF]))
        more = len(brief[_MOST_BRIEF:]) + description.unread
        rest = f"{', and ' if named else ''}{more} more, which --all describes" if more else ""
        yield f"also: {named}{rest}"


def _brief(scalar: ScalarSummary) -> str:
    if scalar.minimum is None or scalar.maximum is None:
        return f"{scalar.tag} (never finite)"
    if scalar.minimum == scalar.maximum:
        return f"{scalar.tag} {scalar.minimum:.4g}"
    return f"{scalar.tag} {scalar.minimum:.4g} to {scalar.maximum:.4g}"


def _scalar_line(scalar: ScalarSummary) -> str:
    if scalar.start is None:
        return f"{scalar.tag}: {scalar.points} points, none of them finite"
    lowest = f"{scalar.minimum:.4g} at step {scalar.minimum_step:,}"
    highest = f"{scalar.maximum:.4g} at step {scalar.maximum_step:,}"
    if scalar.points == 1:
        middle = ""
    elif scalar.kind == "score":
        middle = f", best {highest}"
    else:
        middle = f", minimum {lowest}, maximum {highest}"
    still = f", still {scalar.trend}" if scalar.trend and scalar.lost_to is None else ""
    text = f"{scalar.tag}: starts at {scalar.start:.4g}{middle}, {_end_of(scalar)}{still}"
    if scalar.not_finite and scalar.lost_since != scalar.not_finite_since:
        text += f"; {scalar.not_finite} points not finite, the first at {scalar.not_finite_since:,}"
    return text


def _norm_lines(description: Description) -> Iterator[str]:
    for stream in description.streams:
        yield _stream_line(stream, description.quantity)
    if description.ratio is not None:
        yield f"update / weight of all layers: {_range(description.ratio)}"
    if description.without_weights:
        layers = _named_layers(description.without_weights)
        yield f"no such ratio while the weights are zero: {layers}"


def _stream_line(stream: StreamSummary, quantity: str) -> str:
    nouns = {GRADIENT: "norms", RATIO: "update / weight"}
    noun = nouns.get(quantity, f"{quantity} norms")
    return f"{noun} of the {stream.name} layers ({_named_layers(stream.layers)}): {_range(stream)}"


def _named_layers(layers: Sequence[str]) -> str:
    return ", ".join(layers[:_NAMED]) + (", ..." if len(layers) > _NAMED else "")


def _range(stream: StreamSummary) -> str:
    if stream.peak is None:
        return "none that is finite"
    start, end = (
        "without a finite one" if norm is None else f"at {norm:.3g}"
        for norm in (stream.start, stream.end)
    )
    where = "" if len(stream.layers) == 1 else f" in {stream.peak_layer}"
    return (
        f"start {start}, range from {stream.lowest:.3g} to {stream.peak:.3g} "
        f"(step {stream.peak_step:,}{where}), end {end}"
    )
