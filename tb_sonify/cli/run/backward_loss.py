"""The loss of a script that may log none: the values that it calls `backward` on."""

import functools
import linecache
import re
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import torch
from torch import Tensor

from tb_sonify.training.warn import warn

Site = tuple[CodeType, str]
"""A call of `backward`: the script's function that has it, and the name of the loss there."""
Losses = Mapping[Site, Tensor]
"""The sum of all losses of each call: float32, shape ``(1,)``, on their device."""

_SCALE = "tb_sonify_scale"  # in the metadata of the autograd node that multiplied by it
_SCALED_NODES = 8  # from the root on, among which that node is looked for
_MAX_SITES = 64
_MAX_CODES = 10_000
_TORCH = str(Path(torch.__file__).parent)
_STANDARD = sysconfig.get_path("stdlib")
_INSTALLED = re.compile(r"[\\/](?:site|dist)-packages[\\/]")

# `loss.backward()`, `self.loss_D.mean().backward()`
_RECEIVER = re.compile(r"(?<![\w.)\]])(?:\w+\.)*?([^\W\d]\w*)(?:\.\w+\(\))*\.backward\(")
# `accelerator.backward(loss)`
_ARGUMENT = re.compile(r"backward\([\s\[(]*(?:\w+\.)*([^\W\d]\w*)\s*[],)]")
# `scaler.scale(loss / 4).backward()`
_INNER = re.compile(r"\(\s*(?:\w+\.)*([^\W\d]\w*)[^()]*\)\s*\.backward\(")


class BackwardLosses:
    """Hears the scalar roots of `Tensor.backward` and `torch.autograd.backward`.

    A root is copied on its device, so that no graph is kept and no GPU waited for. A root with a
    gradient of its own counts times that; the scale of a `GradScaler` is divided out. Calls under
    `torch.compile`'s tracing, CUDA graph capture or another backward are not heard.

    Attributes
    ----------
    calls
        How many were heard.
    """

    def __init__(self) -> None:
        self.calls = 0
        self._sums: Losses = {}  # never changed in place
        self._active = True
        self._in_backward = threading.local()
        self._scales = False
        self._sites: dict[tuple[CodeType, int], Site] = {}
        self._known: dict[CodeType, bool] = {}  # whether it is of a library

    def listen(self) -> None:
        """Hear every call from here on."""
        backward = torch.autograd.backward
        hear = torch.compiler.disable(self._hear)

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            if torch.compiler.is_compiling() or not self._active:
                return backward(*args, **kwargs)
            before, heard = self._sums, hear(args, kwargs, sys._getframe(1))
            if heard is None:
                return backward(*args, **kwargs)
            # Subclasses of Tensor have torch call this once more.
            self._in_backward.now = True
            try:
                return backward(*args, **kwargs)
            except BaseException:
                if self._sums is heard:
                    self._sums = before
                raise
            finally:
                self._in_backward.now = False

        # What is compiled calls this after a graph break, as it is; where it is traced, it is not.
        with suppress(Exception):  # that of another version of torch
            import_module("torch._dynamo.eval_frame").skip_code(wrapper.__code__)
        torch.autograd.backward = functools.wraps(backward)(wrapper)
        self.note_scale(torch.amp.GradScaler)

    def note_scale(self, scaler: Any) -> None:
        """Have a class of gradient scalers mark what it scales."""
        scale = scaler.scale

        @functools.wraps(scale)
        def wrapper(self_: Any, outputs: Any) -> Any:
            scaled = scale(self_, outputs)
            if not torch.compiler.is_compiling():
                with suppress(Exception):
                    self._scales |= _mark_scaled(scaled, self_._scale)
            return scaled

        scaler.scale = wrapper

    def stop(self) -> None:
        """Hear no more."""
        self._active = False
        self._sums = {}

    def take(self) -> Losses:
        """What was heard since the last time."""
        sums, self._sums = self._sums, {}
        return sums

    def of_closure(
        self, closure: Callable[[], Any], before: Losses, add: Callable[[Losses], None]
    ) -> Callable[[], Any]:
        """A closure of an optimizer's step, of which the first evaluation is the step's loss.

        Where losses were heard before the step, such as those of other micro-batches, it counts
        if it is of their call; else the closure is that of SAM, which evaluates another point.
        """
        first = True

        def wrapper() -> Any:
            nonlocal first
            result = closure()
            losses = self.take()
            if first and losses and (not before or before.keys() & losses.keys()):
                add(losses)
            first = False
            return result

        return wrapper

    def _is_nested(self) -> bool:
        if getattr(self._in_backward, "now", False):
            return True
        return torch._C._current_graph_task_id() != -1  # that of a checkpoint, in any thread

    def _hear(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], frame: FrameType
    ) -> Losses | None:
        """Add the loss of a call, in the frame of its caller; gives the sums, if it is one."""
        if self._is_nested():
            return None
        try:
            roots = args[0] if args else kwargs.get("tensors")
            gradients = args[1] if len(args) > 1 else kwargs.get("grad_tensors")
            total = self._value(roots, gradients)
            if total is not None:
                site = self._site(frame)
                before = self._sums.get(site)
                total = total if before is None else before + total.to(before.device)
                self.calls += 1
                self._sums = {**self._sums, site: total}
                return self._sums
        except Exception as error:  # noqa: BLE001 - the script's call goes on, whatever this is
            self.stop()
            warn(f"no loss is taken from backward() any more: {type(error).__name__}: {error}")
        return None

    def _value(self, roots: Any, gradients: Any) -> Tensor | None:
        """The sum of the scalar roots."""
        if isinstance(roots, Tensor):
            return self._root_value(roots, gradients)
        if not isinstance(roots, list | tuple):
            return None
        given = gradients if isinstance(gradients, list | tuple) else [None] * len(roots)
        values = [self._root_value(*each) for each in zip(roots, given, strict=False)]
        found = [value for value in values if value is not None]
        return sum_of(found) if found else None

    def _root_value(self, root: Any, gradient: Any) -> Tensor | None:
        if not isinstance(root, Tensor) or root.numel() != 1 or not root.is_floating_point():
            return None
        if root.is_meta or (root.is_cuda and torch.cuda.is_current_stream_capturing()):
            return None
        value = _plain(root.detach())
        if value is None:
            return None
        # A copy: a script may go on to average its loss over processes, in place.
        value = value.reshape(1).to(torch.float32, copy=True)
        if isinstance(gradient, Tensor) and gradient.numel() == 1:
            value *= gradient.detach().reshape(1).to(value.device, torch.float32)
        scale = _scale_of(root.grad_fn) if self._scales else None
        return value if scale is None else value / scale.to(value.device, torch.float32)

    def _site(self, frame: FrameType) -> Site:
        """The innermost call in code that is of no library; else the innermost outside of torch."""
        caller: FrameType | None = frame
        while caller is not None and self._is_of_library(caller.f_code):
            caller = caller.f_back
        if caller is None:
            caller = frame
            while caller.f_back is not None and caller.f_code.co_filename.startswith(_TORCH):
                caller = caller.f_back
        place = caller.f_code, caller.f_lineno
        site = self._sites.get(place)
        if site is None:
            if len(self._sites) >= _MAX_SITES:  # such as code that is made anew for each step
                return next(reversed(self._sites.values()))
            site = self._sites[place] = (caller.f_code, _loss_name(caller))
        return site

    def _is_of_library(self, code: CodeType) -> bool:
        known = self._known.get(code)
        if known is None:
            if len(self._known) >= _MAX_CODES:
                self._known.clear()
            path = code.co_filename
            known = path.startswith((_TORCH, _STANDARD)) or bool(_INSTALLED.search(path))
            self._known[code] = known
        return known


def sum_of(values: Sequence[Tensor]) -> Tensor:
    """The sum of values on the device of the first."""
    return functools.reduce(torch.add, [value.to(values[0].device) for value in values])


def shown(site: Site, others: Iterable[Site]) -> str:
    """The name of the loss at a call; with that of its function, where another has the same."""
    code, name = site
    unique = all(each == site or each[1] != name for each in others)
    return name if unique else f"{code.co_name.strip('<>')}.{name}"


def _plain(value: Any) -> Tensor | None:
    """A value without its tensor subclass; `None`: it has none in this process."""
    kind = type(value)
    if kind.__torch_dispatch__ is Tensor.__torch_dispatch__:
        if kind is Tensor:
            return value
        with torch._C.DisableTorchFunctionSubclass():
            return value.as_subclass(Tensor)
    placements = getattr(value, "placements", None)  # of a DTensor
    if placements is None or not all(each.is_replicate() for each in placements):
        return None
    return value.to_local()


def _mark_scaled(scaled: Any, factor: Tensor | None) -> bool:
    """Note the scale of what a `GradScaler` returns in its graph, which holds no more by it."""
    roots = scaled if isinstance(scaled, list | tuple) else [scaled]
    nodes = [root.grad_fn for root in roots if getattr(root, "grad_fn", None) is not None]
    if factor is None:
        return False
    for node in nodes:
        node.metadata[_SCALE] = factor
    return bool(nodes)


def _scale_of(node: Any) -> Tensor | None:
    """The scale of a `GradScaler` in the graph of a root, a few operations back."""
    for _ in range(_SCALED_NODES):
        if node is None:
            break
        factor = node.metadata.get(_SCALE)
        if factor is not None:
            return factor
        node = next((each for each, _ in node.next_functions if each is not None), None)
    return None


def _loss_name(frame: FrameType) -> str:
    """The variable that holds the loss, read off the line of the call; else the line."""
    code, number = frame.f_code, frame.f_lineno
    line = linecache.getline(code.co_filename, number, frame.f_globals)
    receiver, argument = _RECEIVER.search(line), _ARGUMENT.search(line)
    if receiver:
        name = receiver[1]
        value = frame.f_locals.get(name, frame.f_globals.get(name))
        is_loss = isinstance(value, Tensor) or (value is None and name != "autograd")
        receiver = receiver if is_loss and not (argument and value is None) else None
    found = receiver or argument or _INNER.search(line)
    return found[1] if found else f"line_{number}"
