"""A rendered sound: saved as a file, or shown as a player in a notebook."""

import csv
from base64 import b64encode
from dataclasses import dataclass
from html import escape
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading.logdir import chosen_runs, open_logdir
from tb_sonify.reading.runs import first_to_draw, list_scalars
from tb_sonify.reading.scalars import read_series
from tb_sonify.reading.timeline_builder import Timelines
from tb_sonify.schema.notes import Notes, aggregate
from tb_sonify.sound import (
    PRESETS,
    Encoding,
    Preset,
    Scale,
    adjust,
    describe_pitch,
    encode_wav,
    epoch_ticks,
    legend,
)
from tb_sonify.sound import render as render_notes


@dataclass(frozen=True)
class Piece:
    """Notes to be rendered, and what they are of."""

    name: str
    steps: NDArray[np.int64]  # first step of each note, shape ``(notes,)``
    notes: Notes
    scale: Scale | None  # of a scalar; None: norms on their own scale

    def between(self, first: int | None, last: int | None) -> "Piece":
        """The notes that begin at steps from `first` to `last`, both included."""
        low = 0 if first is None else int(np.searchsorted(self.steps, first))
        high = len(self.steps)
        if last is not None:
            high = int(np.searchsorted(self.steps, last, "right"))
        return Piece(self.name, self.steps[low:high], self.notes[low:high], self.scale)

    def summed_up(self, most_notes: int) -> "Piece":
        """At most so many notes, each of 1, 2, 4, ... notes of these."""
        together = 1
        while -(-len(self.notes) // together) > most_notes:
            together *= 2
        return Piece(self.name, self.steps[::together], self.notes.merged(together), self.scale)


def read_csv(path: Path, *, column: str | None, as_norms: bool) -> Piece:
    """A CSV file whose first column is ``step``: one column per layer, or one signal.

    Parameters
    ----------
    column
        The signal, where it is not `as_norms`; by default the first after the steps.

    Raises
    ------
    ValueError
        If the file is anything else.
    """
    with path.open(newline="", encoding="utf-8-sig") as file:
        header, *lines = [line for line in csv.reader(file) if line] or [[]]
    if len(header) < 2 or header[0].strip() != "step":
        raise ValueError(f"{path} must begin with a column 'step' and have others, got {header!r}")
    table = np.array([_numbers(path, number, line, header) for number, line in enumerate(lines, 2)])
    table = table.reshape(-1, len(header))
    table = table[np.argsort(table[:, 0], kind="stable")]
    names = [name.strip() for name in header[1:]]
    if as_norms:
        if (table[:, 1:] < 0).any():
            raise ValueError(f"norms in {path} must be at least 0: choose --preset single")
        return _norms(path.stem, table[:, 0], table[:, 1:])
    if column is not None and column not in names:
        raise ValueError(f"no column {column!r} in {path}; there are: {', '.join(names)}")
    return scalar_piece(path.stem, table[:, 0], table[:, 1 + names.index(column or names[0])])


def scalar_piece(name: str, steps: NDArray[np.float64], values: NDArray[np.float64]) -> Piece:
    """A scalar on a scale of its own range."""
    scale = Scale.fit([values])
    notes = aggregate(scale(values)[:, None], rows_per_note=1)
    return Piece(name, steps.astype(np.int64), notes, scale)


def _norms(name: str, steps: NDArray[np.float64], norms: NDArray[np.float64]) -> Piece:
    with np.errstate(over="ignore"):  # beyond float32 is infinite
        notes = aggregate(norms.astype(np.float32), rows_per_note=1)
    return Piece(name, steps.astype(np.int64), notes, None)


def _numbers(path: Path, number: int, line: list[str], header: list[str]) -> list[float]:
    if len(line) != len(header):
        raise ValueError(f"{path}, line {number} must have {len(header)} columns, got {len(line)}")
    try:
        return [float(cell) if cell.strip() else np.nan for cell in line]
    except ValueError as error:
        raise ValueError(f"{path}, line {number} must hold numbers: {error}") from None


# soundfile's name of what a file holds, by the end of the file's name
_FORMATS = {".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "OPUS")}


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
        """Write a file: WAV, or FLAC or Ogg/Opus by its suffix, which take soundfile.

        Raises
        ------
        ValueError
            If the suffix is none of ``.wav``, ``.flac`` and ``.ogg``.
        ImportError
            If soundfile is needed and not installed.
        """
        path = Path(path)
        suffix = path.suffix.lower()
        if suffix == ".wav":
            path.write_bytes(self.wav())
        elif suffix in _FORMATS:
            kind, subtype = _FORMATS[suffix]
            _soundfile().write(path, self.pcm, self.sample_rate, format=kind, subtype=subtype)
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
        A log directory, or a CSV file whose first column is ``step``. Every other column is the
        norm of a layer; with the preset ``"single"``, one of them is a signal.
    run
        Of a log directory; may be left out where there is only one.
    tag
        A scalar, or a column, to be heard instead of norms: makes the preset ``"single"``.
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
    as_norms = chosen.name != "single"
    path = Path(source)
    if path.is_dir() or path.suffix.lower() != ".csv":
        piece = read_logdir(path, run=run, tag=tag, as_norms=as_norms)
    else:
        piece = read_csv(path, column=tag, as_norms=as_norms)
    piece = piece.between(*steps)
    if not len(piece.notes):
        raise LookupError(f"nothing of {piece.name!r} at these steps")
    if notes is not None:
        piece = piece.summed_up(notes)
    words = _legend(piece, chosen)
    ticks = None if epoch is None else epoch_ticks(np.append(piece.steps, piece.steps[-1]), epoch)
    pcm = render_notes(piece.notes, preset=chosen, ticks=ticks)
    if with_legend:
        played = legend(chosen, piece.scale)
        words = f"{words}; first {played.words}"
        pcm = np.concatenate([render_notes(played.notes, preset=chosen), pcm])
    return Sound(pcm, chosen.sample_rate, words)


def _soundfile() -> Any:
    try:
        return import_module("soundfile")
    except ImportError as error:
        raise ImportError(
            'FLAC and Ogg need soundfile: pip install "tb-sonify[soundfile]"'
        ) from error


def _preset(preset: str | Preset) -> Preset:
    if not isinstance(preset, str):
        return preset
    if preset not in PRESETS:
        raise ValueError(f"no preset {preset!r}; there are: {', '.join(PRESETS)}")
    return PRESETS[preset]


def _legend(piece: Piece, preset: Preset) -> str:
    return (
        f"{piece.name}, steps {piece.steps[0]:,} to {piece.steps[-1]:,}, "
        f"{len(piece.notes):,} notes, preset {preset.name}: {describe_pitch(preset, piece.scale)}"
    )


def read_logdir(logdir: Path, *, run: str | None, tag: str | None, as_norms: bool) -> Piece:
    """The norms of a run, or one of its scalars.

    Parameters
    ----------
    run
        May be left out where there is only one.
    tag
        The scalar, where it is not `as_norms`; by default the first whose name contains "loss".

    Raises
    ------
    FileNotFoundError, LookupError
        If there is no such directory, run or tag, or nothing of the kind in the run.
    """
    store, scope = open_logdir(logdir)
    runs = chosen_runs(store, scope, run)
    if len(runs) > 1:
        raise LookupError(f"choose one run with --run: {', '.join(runs)}")
    (run,) = runs
    if as_norms:
        timeline = Timelines(store).get(scope, run)
        if not timeline.notes:
            raise LookupError(
                f"no gradient norms in run {run!r}: choose a scalar with --preset single --tag TAG"
            )
        return Piece(run, timeline.steps[:-1], timeline.table(0, timeline.notes), None)
    tags = list_scalars(store, scope, run)
    chosen = tag or first_to_draw(tags)
    series = read_series(store, scope, run, chosen) if chosen else None
    if series is None:
        raise LookupError(f"no scalar {chosen!r} in run {run!r}; there are: {', '.join(tags)}")
    return scalar_piece(f"{run} {chosen}", series.steps, series.values)
