"""Views: notes in memory, derived from what was logged so that it can be heard in another way."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tb_sonify.contract import NOTES_PER_SEGMENT
from tb_sonify.reading.hearable import Hearable, digest_histories, digest_notes, digest_state
from tb_sonify.reading.regroup import regrouped, touching
from tb_sonify.sound import Notes, Scale, StreamPreset

Alignment = Literal["step", "time", "fraction"]

_MOST_VALUES = 20_000_000  # notes times layers; a third of a gigabyte


@dataclass(frozen=True, eq=False)
class View:
    """Notes in segments of 100; the attributes are those of `Hearable`.

    Attributes
    ----------
    heard
        All the notes.
    """

    layers: tuple[str, ...]
    heard: Notes
    steps: NDArray[Any]
    times: NDArray[np.float64]
    settled: int
    rows_per_note: tuple[int, int]
    missing: tuple[tuple[int, int], ...]
    sampled: tuple[tuple[int, int], ...]
    scale: Scale | None
    own_presets: tuple[StreamPreset, ...]

    @property
    def notes(self) -> int:
        """How many notes there are."""
        return len(self.heard)

    @property
    def first_notes(self) -> tuple[int, ...]:
        """Number of the first note of each segment and, at the end, the number of notes."""
        return (*range(0, self.notes, NOTES_PER_SEGMENT), self.notes)

    @cached_property
    def histories(self) -> tuple[bytes, ...]:
        """For each segment and for the end, what stands for all that is heard before it."""
        digests = (
            digest_notes(self.heard[first : first + NOTES_PER_SEGMENT])
            for first in self.first_notes[:-1]
        )
        return digest_histories(self.layers, digests)

    @cached_property
    def state(self) -> bytes:
        """What stands for all that is known here."""
        return digest_state(self)

    @property
    def nbytes(self) -> int:
        """About how much memory it takes."""
        return 4_096 + 4 * self.heard.median.nbytes + self.steps.nbytes + self.times.nbytes

    def table(self, first_note: int, notes: int) -> Notes:
        """The numbers of `notes` notes from `first_note`, all of which there must be."""
        return self.heard[first_note : first_note + notes]


def merged(source: Hearable, together: int) -> View:
    """Every `together` notes as one."""
    starts = np.arange(0, source.notes, together)
    edges = np.append(starts, source.notes)
    notes = regrouped(_all_notes(source), starts, edges[1:])
    fewest, most = source.rows_per_note
    return View(
        layers=source.layers,
        heard=notes,
        steps=source.steps[edges],
        times=source.times[edges],
        settled=len(notes) if _is_settled(source) else source.settled // together,
        rows_per_note=(fewest * together, most * together),
        missing=source.missing,
        sampled=source.sampled,
        scale=source.scale,
        own_presets=source.own_presets,
    )


def laid_on(source: Hearable, lead: Hearable, by: Alignment) -> View:
    """A run on the notes of another one, the lead, so that both have the same sample frames.

    A note stands for what the run did between two edges of the lead's notes; it is silent where
    that is before the run or after it.
    """
    _must_fit(lead.notes, source.layers)
    own, edges = positions(source, by), positions(lead, by)
    return View(
        layers=source.layers,
        heard=regrouped(_all_notes(source), *touching(own, edges)),
        steps=edges if by == "step" else np.interp(edges, own, source.steps),
        times=np.interp(edges, own, source.times),
        settled=_settled_on(source, lead, by),
        rows_per_note=lead.rows_per_note,
        missing=source.missing,
        sampled=source.sampled,
        scale=source.scale,
        own_presets=lead.own_presets,
    )


def positions(source: Hearable, by: Alignment) -> NDArray[np.float64]:
    """Where the edges of notes are for alignment: shape ``(notes + 1,)``, never decreasing."""
    if by == "time":
        return np.asarray(source.times - source.times[0])
    steps = source.steps.astype(np.float64)
    if by == "step":
        return steps
    return np.asarray((steps - steps[0]) / max(steps[-1] - steps[0], 1))


def _settled_on(source: Hearable, lead: Hearable, by: Alignment) -> int:
    """How many of the lead's notes will stay as they are, of the run that is laid on them."""
    if by == "fraction" and not (_is_settled(source) and _is_settled(lead)):
        return 0
    if _is_settled(source):
        return lead.settled
    end = positions(source, by)[source.settled]
    return min(int(np.searchsorted(positions(lead, by)[1:], end, "right")), lead.settled)


def _is_settled(source: Hearable) -> bool:
    return source.settled == source.notes


def _all_notes(source: Hearable) -> Notes:
    _must_fit(source.notes, source.layers)
    return source.table(0, source.notes)


def _must_fit(notes: int, layers: tuple[str, ...]) -> None:
    if notes * len(layers) > _MOST_VALUES:
        raise ValueError(
            f"notes times layers of a run that is heard in another way must be at most "
            f"{_MOST_VALUES:,}, got {notes:,} notes of {len(layers):,} layers"
        )
