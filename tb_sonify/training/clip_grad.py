"""Clipping by norm: torch's own, and the norms that it takes anyway are not thrown away."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import GeneratorType
from typing import Any, Protocol, TypeAlias
from weakref import WeakSet

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_ as torch_clip_grad_norm_
from torch.utils._foreach_utils import (
    _device_has_foreach_support,
    _group_tensors_by_device_and_dtype,
    _has_foreach_support,
)

from tb_sonify.training.grad_norms import Handed
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


_HALF = (torch.float16, torch.bfloat16)


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Clip the norm of gradients, as `torch.nn.utils.clip_grad_norm_`, and to the same bit.

    The norms that this takes are handed to every `SonifyWriter.watch` of these parameters, so
    that what is logged at the next step is the norm before clipping. Without a watch, and where
    `torch.compile` compiles the call, it is torch's function.

    Parameters
    ----------
    parameters
        An iterable of tensors or a single one, whose gradients are clipped.
    max_norm
        The largest norm that all gradients together may have.
    norm_type
        p of the p-norm; may be infinite. A watch of another `norm_type` measures its own.
    error_if_nonfinite
        Raise an error if the norm is NaN or infinite.
    foreach
        As in torch.

    Returns
    -------
    total_norm
        Norm of the gradients, as if they were one vector, before clipping.
    """
    given = parameters if isinstance(parameters, (Tensor, Sequence)) else list(parameters)
    tensors = [given] if isinstance(given, Tensor) else given
    wanted = set() if torch.compiler.is_compiling() else wanted_norm_types(tensors)
    gradients = [p.grad for p in tensors if p.grad is not None]
    if wanted and gradients:
        groups = _grouped(gradients, foreach)
        home = gradients[0].device
        return _clip(groups, home, float(max_norm), float(norm_type), error_if_nonfinite, wanted)
    if isinstance(parameters, GeneratorType) and not tensors:
        return torch_clip_grad_norm_(parameters, max_norm)  # which warns of an empty one
    return torch_clip_grad_norm_(given, max_norm, norm_type, error_if_nonfinite, foreach)


@dataclass(frozen=True)
class _Group:
    """Gradients of one device and dtype, which torch clips together."""

    gradients: list[Tensor]
    foreach: bool
    plain: bool  # neither sharded nor sparse, with which torch has ways of its own

    def norms(self, norm_type: float) -> tuple[Norms, Norms | None]:
        """The norms as torch takes them; the same in a dtype that can hold them, if it is known."""
        dtype = self.gradients[0].dtype
        half = dtype in _HALF
        if not self.plain:
            norms = self._norms(norm_type, None)
            return norms, None if half else norms
        # Torch adds up in float32 in any case, and rounds the result.
        wide = torch.stack(self._norms(norm_type, torch.float32 if half else None))
        return wide.to(dtype) if half else wide, wide

    def scale_(self, factor: Tensor) -> None:
        """Multiply the gradients."""
        factor = factor.to(self.gradients[0].device)
        if self.foreach:
            torch._foreach_mul_(self.gradients, factor)
        else:
            for gradient in self.gradients:
                gradient.mul_(factor)

    def _norms(self, norm_type: float, dtype: torch.dtype | None) -> list[Tensor]:
        if self.foreach:
            return list(torch._foreach_norm(self.gradients, norm_type, dtype=dtype))
        norm = torch.linalg.vector_norm
        return [norm(gradient, norm_type, dtype=dtype) for gradient in self.gradients]


def _grouped(gradients: list[Tensor], foreach: bool | None) -> list[_Group]:
    grouped: Any = _group_tensors_by_device_and_dtype([gradients])  # type: ignore[list-item]
    groups = []
    for (device, _), ([tensors], _) in grouped.items():
        supported = _device_has_foreach_support(device)
        if foreach and not supported:
            raise RuntimeError(
                f"foreach=True was passed, but can't use the foreach API on {device.type} tensors"
            )
        by_itself = foreach is None and _has_foreach_support(tensors, device)
        plain = all(type(g) is Tensor and g.layout == torch.strided for g in tensors)
        groups.append(_Group(tensors, bool(foreach) or by_itself, plain))
    return groups


@torch.no_grad()
def _clip(
    groups: list[_Group],
    home: torch.device,
    max_norm: float,
    norm_type: float,
    error_if_nonfinite: bool,
    wanted: set[float],
) -> Tensor:
    keeping = Keeping([g for group in groups for g in group.gradients], wanted)
    norms: list[Norms] = []
    for group in groups:
        of_torch, wide = group.norms(norm_type)
        norms.append(of_torch)
        keeping.add(group.gradients, wide, norm_type)
    total = torch.linalg.vector_norm(_joined(norms, home), norm_type)
    if error_if_nonfinite and not total.isfinite():
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, "
            "so it cannot be clipped. To disable this error and scale the gradients by the "
            "non-finite norm anyway, set `error_if_nonfinite=False`"
        )
    factor = torch.clamp(max_norm / (total + 1e-6), max=1.0)
    for group in groups:
        group.scale_(factor)
    keeping.clipped()
    return total


def _joined(norms: list[Norms], home: torch.device) -> Tensor:
    """The norms of all groups, on one device."""
    first = norms[0]
    if len(norms) == 1 and isinstance(first, Tensor):
        return first.to(home)
    return torch.stack([norm.to(home) for of_group in norms for norm in of_group])
