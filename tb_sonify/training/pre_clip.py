"""From clipping to watching: who wants to know norms, and which are known."""

from collections.abc import Iterable, Sequence
from typing import Protocol
from weakref import WeakSet

from torch import Tensor

from tb_sonify.training.handed import Handed
from tb_sonify.training.warn import warn


class Listener(Protocol):
    """What logs the norms of some parameters at the next step."""

    def norm_type_of(self, parameters: Iterable[Tensor]) -> float | None:
        """Which norm it logs of one of these parameters at least, if any."""


_listeners: "WeakSet[Listener]" = WeakSet()
_handed: list[Handed] = []


def listen(listener: Listener) -> None:
    """Have clipping hand its norms over, until `stop_listening`."""
    _listeners.add(listener)


def stop_listening(listener: Listener) -> None:
    """Undo `listen`."""
    _listeners.discard(listener)
    if not _listeners:
        _handed.clear()


def wanted_norm_types(parameters: Sequence[Tensor]) -> set[float]:
    """Which norms are logged of these parameters at their next step."""
    types = {listener.norm_type_of(parameters) for listener in list(_listeners)}
    return {norm_type for norm_type in types if norm_type is not None}


def known_norms(norm_type: float) -> list[Handed]:
    """The norms that clipping took and that hold, as far as can be told quickly."""
    return [handed for handed in _handed if handed.norm_type == norm_type and handed.holds()]


class Keeping:
    """Keeps norms of gradients before they are clipped, where nobody has done so before."""

    _warned = False

    def __init__(self, gradients: Sequence[Tensor], wanted: Iterable[float]) -> None:
        _handed[:] = [handed for handed in _handed if handed.holds()]
        self._wanted = wanted
        self._before = [
            (handed, [g for g in gradients if handed.place_of(g) is not None]) for handed in _handed
        ]
        self._new: list[tuple[Handed, Sequence[Tensor]]] = []

    def add(
        self, gradients: Sequence[Tensor], norms: Sequence[Tensor] | None, norm_type: float
    ) -> None:
        """Keep the norms of gradients of one device; `None` for norms: measure them."""
        try:
            self._add(gradients, norms, norm_type)
        except Exception as error:  # noqa: BLE001 - gradients are clipped, whatever this is
            self._failed(error)

    def _add(
        self, gradients: Sequence[Tensor], norms: Sequence[Tensor] | None, norm_type: float
    ) -> None:
        for wanted in self._wanted:
            known = {
                id(g) for handed, kept in self._before if handed.norm_type == wanted for g in kept
            }
            given = norms if wanted == norm_type else None
            if not known:
                self._keep(gradients, given, wanted)
                continue
            fresh = [i for i, g in enumerate(gradients) if id(g) not in known]
            if fresh:
                some = None if given is None else [given[i] for i in fresh]
                self._keep([gradients[i] for i in fresh], some, wanted)

    def _keep(
        self, gradients: Sequence[Tensor], norms: Sequence[Tensor] | None, norm_type: float
    ) -> None:
        self._new.append((Handed(gradients, norms, norm_type), gradients))

    @classmethod
    def _failed(cls, error: Exception) -> None:
        if not cls._warned:
            cls._warned = True
            problem = f"{type(error).__name__}: {error}"
            warn(f"norms before clipping cannot be had, those after it are logged: {problem}")

    def clipped(self) -> None:
        """The gradients have been clipped now: what is kept is of before."""
        for handed, gradients in (*self._before, *self._new):
            handed.keep(gradients)
        _handed.extend(handed for handed, _ in self._new)
