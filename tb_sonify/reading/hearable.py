"""What can be heard: notes in order, the steps that they lie on, and when these were."""

from collections.abc import Iterable
from hashlib import blake2b
from itertools import accumulate
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tb_sonify.sound import Notes, Scale, StreamPreset

_DIGEST_BYTES = 12


class Hearable(Protocol):
    """The notes of a run, as stored (`Timeline`) or derived from them (`View`)."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Name of each column of the notes."""

    @property
    def notes(self) -> int:
        """How many notes there are."""

    @property
    def first_notes(self) -> tuple[int, ...]:
        """Number of the first note of each segment and, at the end, the number of notes."""

    @property
    def settled(self) -> int:
        """How many notes, from the first on, will stay as they are when the run goes on."""

    @property
    def rows_per_note(self) -> tuple[int, int]:
        """Fewest and most rows that a full note sums up."""

    @property
    def histories(self) -> tuple[bytes, ...]:
        """For each segment and for the end, what stands for all that is heard before it."""

    @property
    def state(self) -> bytes:
        """What stands for all that is known here: another one means that something is new."""

    @property
    def steps(self) -> NDArray[Any]:
        """First step of each note and, at the end, the last step of all; empty without notes."""

    @property
    def times(self) -> NDArray[np.float64]:
        """Wall time of each of `steps`, in seconds since the epoch."""

    @property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """First and last step of each stretch that was logged and could not be read."""

    @property
    def sampled(self) -> tuple[tuple[int, int], ...]:
        """First and last step of each stretch of which TensorBoard keeps a sample of the points."""

    @property
    def scale(self) -> Scale | None:
        """How a scalar became norms; `None`: they are norms."""

    @property
    def own_presets(self) -> tuple[StreamPreset, ...]:
        """The presets that the run's user made."""

    def table(self, first_note: int, notes: int) -> Notes:
        """The numbers of `notes` notes from `first_note`, all of which there must be."""


def digest(*parts: Any) -> bytes:
    """A few bytes that other parts do not have; parts are arrays, or have a `repr` of their own."""
    state = blake2b(digest_size=_DIGEST_BYTES)
    for part in parts:
        data = part if isinstance(part, np.ndarray) else np.frombuffer(repr(part).encode(), "u1")
        state.update(f"{data.dtype.str}{data.shape}".encode())
        state.update(np.ascontiguousarray(data).data)
    return state.digest()


def digest_notes(notes: Notes) -> bytes:
    """A digest of all the numbers of some notes."""
    return digest(*vars(notes).values())


def digest_histories(layers: tuple[str, ...], digests: Iterable[bytes]) -> tuple[bytes, ...]:
    """The digest of what is before each segment, and of all, from that of each segment."""
    return tuple(accumulate(digests, digest, initial=digest(layers)))


def digest_state(hearable: Hearable) -> bytes:
    """The `state` of something that can be heard."""
    end = hearable.histories[-1]
    known = (
        hearable.settled,
        hearable.rows_per_note,
        hearable.missing,
        hearable.sampled,
        hearable.scale,
    )
    return digest(end, hearable.steps, hearable.times, *known, hearable.own_presets)
