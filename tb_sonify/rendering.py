"""A rendered sound: saved as a file, or shown as a player in a notebook."""

from base64 import b64encode
from dataclasses import dataclass, replace
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tb_sonify.csv_file import read_csv_file
from tb_sonify.reading.logdir import chosen_runs, open_logdir
from tb_sonify.reading.runs import list_scalars, missing_quantity
from tb_sonify.reading.scalars import Series, read_first_scalar, read_series
from tb_sonify.reading.selection import merge_notes
from tb_sonify.reading.timeline import Timeline, slice_timeline, timeline_of_notes
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.schema.norm_tags import norm_layers
from tb_sonify.schema.notes import NO_GRADIENT, aggregate
from tb_sonify.schema.quantities import GRADIENT, check_quantity
from tb_sonify.schema.scalar_names import first_to_draw
from tb_sonify.sound import (
    EARLIER_PRESETS,
    PRESETS,
    Encoding,
    Preset,
    Scale,
    StreamPreset,
    adjust,
    describe_pitch,
    encode_compressed,
    encode_wav,
    epoch_ticks,
    legend,
)
from tb_sonify.sound import render as render_notes


def read_csv(
    path: Path, *, column: str | None, as_norms: bool, quantity: str = GRADIENT
) -> tuple[str, Timeline]:
    """Name and notes of a CSV file: a norm in each column, or one column as a scalar.

    Norms are the columns that are named as gradient norms of layers; in a file that begins with a
    column ``step``, all columns, if none is named so.

    Parameters
    ----------
    column
        The scalar, where it is not `as_norms`; by default the one that is drawn first.
    quantity
        What the columns hold where it is not gradients: all that follow a column ``step``.

    Raises
    ------
    ValueError
        If the file holds nothing of the kind.
    """
    table = read_csv_file(path)
    names = tuple(table.columns)
    if not as_norms:
        chosen = column or first_to_draw(names)
        if chosen not in table.columns:
            raise ValueError(f"no column {chosen!r} in {path}; there are: {', '.join(names)}")
        some = table.present[chosen]
        series = Series(table.steps[some], np.zeros(some.sum()), table.columns[chosen][some])
        return path.stem, _of_scalar(chosen, series)
    layers = norm_layers(names) if quantity == GRADIENT else {}
    layers = layers or ({name: name for name in names} if table.step_first else {})
    if not layers:
        raise ValueError(
            f"no columns of {path} are named as gradient norms of layers: choose one as a scalar "
            f"with --tag; there are: {', '.join(names)}"
        )
    norms = np.stack(
        [np.where(table.present[name], table.columns[name], NO_GRADIENT) for name in layers], axis=1
    )
    given = np.stack([table.present[name] for name in layers], axis=1)
    if (norms[given] < 0).any():
        raise ValueError(f"norms in {path} must be at least 0: choose --preset single")
    with np.errstate(over="ignore"):  # beyond float32 is infinite
        notes = aggregate(norms.astype(np.float32), rows_per_note=1)
    steps, times = table.steps.astype(np.int64), np.zeros(len(table.steps))
    options: dict[str, Any] = {"steps": steps, "times": times, "quantity": quantity}
    return path.stem, timeline_of_notes(tuple(layers.values()), notes, **options)


def _of_scalar(tag: str, series: Series) -> Timeline:
    """A note for each point of a scalar, on a scale of its own range."""
    scale = Scale.fit([series.values])
    notes = aggregate(scale(series.values)[:, None], rows_per_note=1)
    steps, times = series.steps.astype(np.int64), series.wall_times
    return timeline_of_notes((tag,), notes, steps=steps, times=times, scale=scale)


_FORMATS: dict[str, Literal["FLAC", "OGG"]] = {".flac": "FLAC", ".ogg": "OGG"}


@dataclass(frozen=True)
class Sound:
    """What was rendered: int16 `pcm`, shape ``(frames, channels)``, at `sample_rate` Hz."""

    pcm: NDArray[np.int16]
    sample_rate: int
    legend: str  # what it is, its steps and its scale

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.pcm) / self.sample_rate

    def wav(self) -> bytes:
        """The sound as a WAV file."""
        return encode_wav(self.pcm, sample_rate=self.sample_rate)

    def save(self, path: str | PathLike[str]) -> None:
        """Write a file by its suffix: WAV, FLAC or Ogg/Opus.

        Raises
        ------
        ValueError
            If the suffix is none of ``.wav``, ``.flac`` and ``.ogg``.
        ImportError
            If FLAC or Ogg is wanted and there is no libsndfile.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix == ".wav":
            path.write_bytes(self.wav())
        elif suffix in _FORMATS:
            form = _FORMATS[suffix]
            sound = encode_compressed(self.pcm, sample_rate=self.sample_rate, form=form)
            path.write_bytes(sound)
        else:
            raise ValueError(f"a sound is saved as .wav, .flac or .ogg, got {path.name!r}")

    def _repr_html_(self) -> str:
        source = b64encode(self.wav()).decode()
        label = escape(self.legend, quote=True)
        return (
            f'<figure><audio controls aria-label="{label}" src="data:audio/wav;base64,{source}">'
            f"</audio><figcaption>{label}</figcaption></figure>"
        )


def render(
    source: str | PathLike[str],
    *,
    run: str | None = None,
    tag: str | None = None,
    quantity: Literal["gradient", "update", "weight", "ratio"] = "gradient",
    steps: tuple[int | None, int | None] = (None, None),
    preset: str | Preset = "smooth",
    notes: int | None = None,
    speed: float | None = None,
    encoding: Encoding | None = None,
    reference: bool = False,
    epoch: int | None = None,
    with_legend: bool = False,
) -> Sound:
    """Render a run of a log directory, or the columns of a CSV file.

    Parameters
    ----------
    source
        A log directory, or a CSV file, in which columns named as gradient norms of layers are
        layers, or all after a first column ``step``; with the preset ``"single"``, one column is
        heard as a scalar.
    run
        Of a log directory; may be left out where there is only one.
    tag
        A scalar, or a column, to be heard instead of norms: makes the preset ``"single"``.
    quantity
        Of layers: the norm of their gradients, updates or weights, or the ratio of the latter two,
        of which 1e-3 sounds as a norm of 1 does.
    steps
        First and last step, both included; `None`: from the start, to the end.
    preset
        By its name, or one of your own.
    notes
        At most so many; more are summed up in twos, fours, ...
    speed
        Notes per second, 4 to 32.
    encoding
        From norm to pitch: zoom, its center, polarity.
    reference
        Whether a quiet tone marks norm 1.
    epoch
        Steps of an epoch; each begins with a tick.
    with_legend
        Whether the lowest pitch, norm 1 and the highest pitch are played first. The words for them
        are in `Sound.legend`.

    Raises
    ------
    FileNotFoundError, LookupError, ValueError
        If there is no such source, run, tag or preset, or nothing at these steps.
    """
    chosen = adjust(
        _preset("single" if tag is not None else preset),
        speed=speed,
        encoding=encoding,
        reference=reference,
    )
    check_quantity(quantity)
    as_norms = chosen.name != "single"
    if not as_norms and quantity != GRADIENT:
        raise ValueError(
            f"quantity {quantity!r} is of layers: leave out the tag, and preset single"
        )
    path = Path(source)
    if path.is_dir() or path.suffix.lower() != ".csv":
        name, whole = read_logdir(path, run=run, tag=tag, as_norms=as_norms, quantity=quantity)
    else:
        name, whole = read_csv(path, column=tag, as_norms=as_norms, quantity=quantity)
    timeline = slice_timeline(whole, _notes_at(whole, *steps))
    if not timeline.notes:
        first, last = ("" if step is None else step for step in steps)
        raise LookupError(f"nothing of {name!r} at steps {first}:{last}, {_extent(whole)}")
    if notes is not None and timeline.notes > notes:
        timeline = merge_notes(timeline, 1 << (-(-timeline.notes // notes) - 1).bit_length())
    if timeline.scale is not None and isinstance(chosen, StreamPreset):
        chosen = replace(chosen, judged=True)  # as it is in the tab
    starts, layers = timeline.steps[:-1], len(timeline.layers)
    words = (
        f"{name}, steps {starts[0]:,} to {starts[-1]:,}, {timeline.notes:,} notes, "
        f"preset {chosen.name}: {describe_pitch(chosen, timeline.scale, quantity, layers)}"
    )
    ticks = None if epoch is None else epoch_ticks(np.append(starts, starts[-1]), epoch)
    pcm = render_notes(timeline.heard(0, timeline.notes), preset=chosen, ticks=ticks)
    if with_legend:
        played = legend(chosen, timeline.scale, quantity, layers)
        words = f"{words}; first {played.words}"
        pcm = np.concatenate([render_notes(played.notes, preset=played.preset), pcm])
    return Sound(pcm, chosen.sample_rate, words)


def _preset(preset: str | Preset) -> Preset:
    if not isinstance(preset, str):
        return preset
    known = {**PRESETS, **EARLIER_PRESETS}
    if preset not in known:
        raise ValueError(f"no preset {preset!r}; there are: {', '.join(known)}")
    return known[preset]


def _extent(timeline: Timeline) -> str:
    starts = timeline.steps[:-1]
    return f"it has {starts[0]:g} to {starts[-1]:g}" if len(starts) else "it has none"


def _notes_at(timeline: Timeline, first: int | None, last: int | None) -> range:
    """The notes that begin at steps from `first` to `last`, both included."""
    starts = timeline.steps[:-1]
    low = 0 if first is None else int(np.searchsorted(starts, first))
    high = timeline.notes if last is None else int(np.searchsorted(starts, last, "right"))
    return range(low, max(low, high))


def read_logdir(
    logdir: Path,
    *,
    run: str | None,
    tag: str | None,
    as_norms: bool,
    quantity: str = GRADIENT,
) -> tuple[str, Timeline]:
    """Name and notes of the norms of a run, or of one of its scalars.

    A directory that is a run itself, ``.``, gives it its name.

    Parameters
    ----------
    run
        May be left out where there is only one.
    tag
        The scalar, where it is not `as_norms`; by default the one that is drawn first.

    Raises
    ------
    FileNotFoundError, LookupError
        If there is no such directory, run or tag, or nothing of the kind in the run.
    """
    store, scope = open_logdir(logdir, runs=[] if run is None else [run])
    runs = chosen_runs(store, scope, logdir, run)
    if len(runs) > 1:
        raise LookupError(f"choose one run (run=, --run): {', '.join(runs)}")
    (run,) = runs
    name = logdir.resolve().name or run if run == "." else run
    tags = list_scalars(store, scope, run)
    if as_norms:
        timeline = Timelines(store).get(scope, run, quantity)
        if not timeline.notes and quantity != GRADIENT:
            raise LookupError(missing_quantity(store, scope, run, quantity))
        if not timeline.notes:
            raise LookupError(
                f"no gradient norms in run {name!r}: choose a scalar with --tag: {', '.join(tags)}"
            )
        return name, timeline
    chosen = tag or read_first_scalar(store, scope, run, tags)
    series = read_series(store, scope, run, chosen) if chosen else None
    if series is None or chosen is None:
        raise LookupError(f"no scalar {chosen!r} in run {name!r}; there are: {', '.join(tags)}")
    return f"{name} {chosen}", _of_scalar(chosen, series)
