"""From clipping to watching: who wants to know norms, and which are known."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias
from weakref import WeakSet

from torch import Tensor

from tb_sonify.training.handed import Handed
from tb_sonify.training.warn import warn


class Listener(Protocol):
    """What logs the norms of some parameters at the next step."""

    def norm_type_of(self, parameters: Iterable[Tensor]) -> float | None:
        """Which norm it logs of one of these parameters at least, if any."""


Norms: TypeAlias = Tensor | Sequence[Tensor]

_listeners: "WeakSet[Listener]" = WeakSet()
_handed: dict[float, dict[int, Handed]] = {}  # by type of norm, and `id` of the gradient
_LIMIT = 1024  # of those that no longer hold


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


def known_norms(norm_type: float) -> Mapping[int, Handed]:
    """Who may know the norm of a gradient, by its `id`."""
    return _handed.get(norm_type, {})


class Keeping:
    """Keeps norms of gradients before they are clipped, where nobody has done so before."""

    _warned = False

    def __init__(self, gradients: Sequence[Tensor], wanted: Iterable[float]) -> None:
        self._kept: dict[Handed, list[Tensor]] = {}  # and of which gradients the norms hold
        self._known: dict[float, set[int]] = {}
        for norm_type in wanted:
            handed = _handed.setdefault(norm_type, {})
            if len(handed) > _LIMIT + len(gradients):
                _forget_old(handed)
            known = self._known[norm_type] = set()
            for gradient in gradients if handed else ():
                by = handed.get(id(gradient))
                if by is not None and by.place_of(gradient) is not None:
                    known.add(id(gradient))
                    self._kept.setdefault(by, []).append(gradient)

    def add(self, gradients: Sequence[Tensor], norms: Norms | None, norm_type: float) -> None:
        """Keep the norms of gradients of one device, as `Handed` takes them."""
        try:
            for wanted, known in self._known.items():
                self._add(gradients, norms if wanted == norm_type else None, wanted, known)
        except Exception as error:  # noqa: BLE001 - gradients are clipped, whatever this is
            self._failed(error)

    def clipped(self) -> None:
        """The gradients have been clipped now: what is kept is of before."""
        for handed, gradients in self._kept.items():
            handed.keep(gradients)
            of_type = _handed.setdefault(handed.norm_type, {})
            of_type.update((id(gradient), handed) for gradient in gradients)

    def _add(
        self,
        gradients: Sequence[Tensor],
        norms: Norms | None,
        norm_type: float,
        known: set[int],
    ) -> None:
        if known:
            fresh = [i for i, gradient in enumerate(gradients) if id(gradient) not in known]
            gradients = [gradients[i] for i in fresh]
            if norms is not None:
                norms = norms[fresh] if isinstance(norms, Tensor) else [norms[i] for i in fresh]
        if gradients:
            self._kept[Handed(gradients, norms, norm_type)] = list(gradients)

    @classmethod
    def _failed(cls, error: Exception) -> None:
        if not cls._warned:
            cls._warned = True
            problem = f"{type(error).__name__}: {error}"
            warn(f"norms before clipping cannot be had, those after it are logged: {problem}")


def _forget_old(handed: dict[int, Handed]) -> None:
    for number in [number for number, by in handed.items() if not by.holds(number)]:
        del handed[number]
