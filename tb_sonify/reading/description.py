"""Description of a run in words, for screen readers and terminals."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading import limits
from tb_sonify.reading.landmarks import Landmark
from tb_sonify.reading.runs import list_scalars
from tb_sonify.reading.scalar_names import first_to_draw
from tb_sonify.reading.scalars import Series, read_series
from tb_sonify.reading.store import Scope, Store
from tb_sonify.reading.timeline import Timeline
from tb_sonify.sound import STREAM_NAMES, stream_layers

_SHARE = 10  # medians are over one in so many of the notes, at the start and at the end


@dataclass(frozen=True)
class ScalarSummary:
    """A scalar: its first, smallest and last finite value."""

    tag: str
    points: int
    start: float | None
    minimum: float | None
    minimum_step: int | None
    end: float | None
    not_finite: int


@dataclass(frozen=True)
class StreamSummary:
    """A stream: median norm over the first and the last tenth of the notes."""

    name: str
    layers: tuple[str, ...]
    start: float | None
    end: float | None


@dataclass(frozen=True)
class Description:
    """Steps, loss, streams and landmarks of a run."""

    run: str
    first_step: int | None
    last_step: int | None
    loss: ScalarSummary | None
    streams: tuple[StreamSummary, ...]
    landmarks: tuple[Landmark, ...]
    scalars: tuple[ScalarSummary, ...]  # of a run without norms
    pre_clip: bool | str | None = None  # whether norms are before clipping, or "mixed"
    points_kept: int | None = None  # of each scalar, if TensorBoard has dropped some of the norms


def describe_run(
    store: Store, scope: Scope, timeline: Timeline, run: str, landmarks: tuple[Landmark, ...]
) -> Description:
    """The description of a run that exists, which has this timeline and these landmarks."""
    tags = list_scalars(store, scope, run)
    loss_tag = first_to_draw(tags)
    loss = _series(store, scope, run, loss_tag) if loss_tag else None
    if timeline.notes:
        steps = timeline.steps
        return Description(
            run=run,
            first_step=int(steps[0]),
            last_step=int(steps[-1]),
            loss=_summarize(loss_tag or "", loss) if loss else None,
            streams=_streams(timeline),
            landmarks=landmarks,
            scalars=(),
            pre_clip=timeline.pre_clip,
            points_kept=store.settings.points_kept if timeline.sampled else None,
        )
    all_series = {
        tag: _series(store, scope, run, tag) for tag in tags[: limits.MAX_DESCRIBED_SCALARS]
    }
    all_steps = np.concatenate([np.empty(0), *(series.steps for series in all_series.values())])
    return Description(
        run=run,
        first_step=int(all_steps.min()) if len(all_steps) else None,
        last_step=int(all_steps.max()) if len(all_steps) else None,
        loss=None,
        streams=(),
        landmarks=(),
        scalars=tuple(_summarize(tag, series) for tag, series in all_series.items()),
    )


def _series(store: Store, scope: Scope, run: str, tag: str) -> Series:
    found = read_series(store, scope, run, tag)
    return found or Series(np.empty(0), np.empty(0), np.empty(0))


def _summarize(tag: str, series: Series) -> ScalarSummary:
    finite = np.isfinite(series.values)
    values, steps = series.values[finite], series.steps[finite]
    if not len(values):
        return ScalarSummary(tag, len(finite), None, None, None, None, len(finite))
    lowest = int(values.argmin())
    return ScalarSummary(
        tag=tag,
        points=len(finite),
        start=float(values[0]),
        minimum=float(values[lowest]),
        minimum_step=int(steps[lowest]),
        end=float(values[-1]),
        not_finite=int((~finite).sum()),
    )


def _streams(timeline: Timeline) -> tuple[StreamSummary, ...]:
    tenth = max(timeline.notes // _SHARE, 1)
    start, end = (timeline.table(note, tenth).median for note in (0, timeline.notes - tenth))
    groups = stream_layers(len(timeline.layers))
    return tuple(
        StreamSummary(
            name,
            tuple(timeline.layers[layer] for layer in group),
            _median(start[:, group.start : group.stop]),
            _median(end[:, group.start : group.stop]),
        )
        for name, group in zip(STREAM_NAMES, groups, strict=False)
    )


def _median(norms: NDArray[np.float32]) -> float | None:
    known = norms[norms >= 0]
    return float(np.median(known)) if len(known) else None


_CLIPPING = {
    True: "norms are those before clipping",
    False: "norms are those that the optimizer got, after any clipping",
    "mixed": "some norms are those before clipping, some those that the optimizer got",
}


def description_lines(description: Description) -> Iterator[str]:
    """The lines of a description, one fact each."""
    yield description.run or "(the log directory itself)"
    if description.first_step is None:
        yield "  nothing that can be heard"
        return
    yield f"  steps {description.first_step:,} to {description.last_step:,}"
    for scalar in (description.loss, *description.scalars):
        if scalar is not None:
            yield f"  {_scalar_line(scalar)}"
    if description.pre_clip is not None:
        yield f"  {_CLIPPING[description.pre_clip]}"
    if description.points_kept is not None:
        yield f"  norms are from scalars: {_sampled(description.points_kept)}"
    for stream in description.streams:
        yield f"  {_stream_line(stream)}"
    for landmark in description.landmarks:
        yield f"  step {landmark.step:,}: {landmark.sentence}"
    if description.streams and not description.landmarks:
        yield "  no landmarks"
    if not description.streams:
        yield "  no gradient norms were logged"


def _sampled(points_kept: int) -> str:
    return (
        f"TensorBoard keeps {points_kept:,} points of a scalar: spikes between them can be "
        "missing; start it with --samples_per_plugin scalars=0 to keep all"
    )


def _scalar_line(scalar: ScalarSummary) -> str:
    if scalar.start is None:
        return f"{scalar.tag}: {scalar.points} points, none of them finite"
    text = (
        f"{scalar.tag}: starts at {scalar.start:.4g}, minimum {scalar.minimum:.4g} "
        f"at step {scalar.minimum_step:,}, ends at {scalar.end:.4g}"
    )
    return text + (f", {scalar.not_finite} points not finite" if scalar.not_finite else "")


def _stream_line(stream: StreamSummary) -> str:
    start, end = ("none" if norm is None else f"{norm:.3g}" for norm in (stream.start, stream.end))
    names = ", ".join(stream.layers[:4]) + (", ..." if len(stream.layers) > 4 else "")
    return f"norms of the {stream.name} layers ({names}): {start} at first, {end} at the end"
