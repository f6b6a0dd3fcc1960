"""Clipping by norm: by torch's own function, with the norms before it logged."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol
from weakref import WeakSet

import torch
from torch import Tensor
from torch.nn.utils import clip_grad_norm_ as torch_clip_grad_norm_

from tb_sonify.training.warn import WarnOnce


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Clip the norm of gradients by `torch.nn.utils.clip_grad_norm_`, and log that before it.

    Every `SonifyWriter.watch` of these parameters measures their layers first, so that what is
    logged at the next step is the norm before clipping. Without a watch, and where `torch.compile`
    compiles the call, it is torch's function alone.

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
    if torch.compiler.is_compiling() or not _listeners:
        return torch_clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)
    tensors = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    kept = [_measure(watch, tensors) for watch in list(_listeners)]
    # Of a generator that is empty, torch warns.
    total = torch_clip_grad_norm_(
        tensors or parameters, max_norm, norm_type, error_if_nonfinite, foreach
    )
    for keep in kept:
        if keep is not None:
            keep()
    return total


class ClipListener(Protocol):
    """What measures gradients before they are clipped."""

    def before_clipping(self, parameters: Sequence[Tensor]) -> Callable[[], None] | None:
        """Measure these parameters; gives what to call once they are clipped, if anything."""


_listeners: "WeakSet[ClipListener]" = WeakSet()
_failure = WarnOnce()


def listen_to_clipping(listener: ClipListener) -> None:
    """Have `clip_grad_norm_` call a listener, until `ignore_clipping`."""
    _listeners.add(listener)


def ignore_clipping(listener: ClipListener) -> None:
    """Undo `listen_to_clipping`."""
    _listeners.discard(listener)


def _measure(listener: ClipListener, parameters: Sequence[Tensor]) -> Callable[[], None] | None:
    try:
        return listener.before_clipping(parameters)
    except Exception as error:  # noqa: BLE001 - gradients are clipped, whatever this is
        problem = f"{type(error).__name__}: {error}"
        _failure(f"norms before clipping cannot be had, those after it are logged: {problem}")
        return None
