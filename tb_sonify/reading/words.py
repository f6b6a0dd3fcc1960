"""A description as text, for a terminal and for a screen reader."""

from collections.abc import Iterator

from tb_sonify.reading.description import Description, SignalSummary, StreamSummary

_CLIPPING = {
    True: "norms are those before clipping",
    False: "norms are those that the optimizer got, after any clipping",
    "mixed": "some norms are those before clipping, some those that the optimizer got",
}


def lines(description: Description) -> Iterator[str]:
    """A description as text, one fact per line."""
    yield description.run or "(the log directory itself)"
    if description.first_step is None:
        yield "  nothing that can be heard"
        return
    yield f"  steps {description.first_step:,} to {description.last_step:,}"
    for signal in (description.loss, *description.scalars):
        if signal is not None:
            yield f"  {_signal(signal)}"
    if description.pre_clip is not None:
        yield f"  {_CLIPPING[description.pre_clip]}"
    if description.points_kept is not None:
        yield f"  norms are from scalars: {_sampled(description.points_kept)}"
    for stream in description.streams:
        yield f"  {_stream(stream)}"
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


def _signal(signal: SignalSummary) -> str:
    if signal.start is None:
        return f"{signal.tag}: {signal.points} points, none of them finite"
    text = (
        f"{signal.tag}: starts at {signal.start:.4g}, minimum {signal.minimum:.4g} "
        f"at step {signal.minimum_step:,}, ends at {signal.end:.4g}"
    )
    return text + (f", {signal.not_finite} points not finite" if signal.not_finite else "")


def _stream(stream: StreamSummary) -> str:
    start, end = ("none" if norm is None else f"{norm:.3g}" for norm in (stream.start, stream.end))
    names = ", ".join(stream.layers[:4]) + (", ..." if len(stream.layers) > 4 else "")
    return f"norms of the {stream.name} layers ({names}): {start} at first, {end} at the end"
