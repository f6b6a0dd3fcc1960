"""The path of a training: snapshots of a model's weights as its optimizer steps."""

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path as FilePath
from typing import Any
from weakref import ref

import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.optimizer import register_optimizer_step_post_hook

from tb_sonify.landscape.evaluation import movable
from tb_sonify.training.optimizer_steps import held_by
from tb_sonify.training.warn import warn

MOST = 64  # snapshots


class Path:
    """Snapshots of the weights of a model, relative to those at the start.

    The start and the end are exact; what is between them is rounded to bfloat16, as a difference
    from the start: 0.4 % at most. All is on the CPU: 2 bytes for each parameter and snapshot, with
    64 of them 128 bytes, and the start and the end in full. So is a file of it.

    Parameters
    ----------
    names, shapes
        Of the parameters that are trained, in the order in which their values are joined.
    start
        Shape ``(values,)``.

    Attributes
    ----------
    name
        Of the run, as on a plane with others.
    every
        Steps from one snapshot to the next, so far.
    steps
        Of each snapshot; 0 is before the first step.
    """

    def __init__(
        self,
        names: list[str],
        shapes: list[torch.Size],
        start: Tensor,
        *,
        name: str = "run",
        every: int = 1,
        dtype: torch.dtype = torch.bfloat16,
    ) -> None:
        self.names, self.shapes, self.start, self.name = names, shapes, start, name
        self.every, self.dtype = every, dtype
        self.steps: list[int] = [0]
        self._differences = [torch.zeros_like(start, dtype=dtype)]
        self._end: tuple[int, Tensor] = 0, start

    def add(self, step: int, weights: Callable[[], Tensor]) -> None:
        """Take the weights at a step, if it is time; of 64, every other one is then dropped."""
        if step % self.every:
            return
        if len(self.steps) == MOST:
            self.every *= 2
            kept = [i for i, taken in enumerate(self.steps) if not taken % self.every]
            self.steps = [self.steps[i] for i in kept]
            self._differences = [self._differences[i] for i in kept]
            if step % self.every:
                return
        now = weights()
        self.steps.append(step)
        self._differences.append((now - self.start).to(self.dtype))
        self._end = step, now

    def end_at(self, step: int, weights: Tensor) -> None:
        """Have the path end with these weights."""
        self._end = step, weights

    def __len__(self) -> int:
        return len(self._taken)

    @property
    def _taken(self) -> list[int]:
        """Steps of all snapshots, the end, which may be one of them, last."""
        end, _ = self._end
        return [step for step in self.steps if step < end] + [end]

    def differences(self, columns: slice) -> Tensor:
        """Some values of each snapshot, less those at the start, shape ``(snapshots, values)``."""
        rows = [self._differences[i][columns] for i in range(len(self) - 1)]
        end = self._end[1][columns] - self.start[columns]
        return torch.stack([*(row.to(end.dtype) for row in rows), end])

    def weights(self) -> Iterator[tuple[int, Tensor]]:
        """Step and weights of each snapshot, ``(values,)``."""
        for step, difference in zip(self._taken[:-1], self._differences, strict=False):
            yield step, self.start + difference.to(self.start.dtype)
        yield self._end

    @property
    def nbytes(self) -> int:
        """Memory that it takes, in bytes."""
        held = [self.start, self._end[1], *self._differences]
        return sum(each.numel() * each.element_size() for each in held)

    def save(self, path: str | FilePath) -> None:
        """Write it to a file, for `load_path`."""
        torch.save({name: getattr(self, name) for name in _FIELDS}, path)


_FIELDS = ("names", "shapes", "start", "name", "every", "dtype", "steps", "_differences", "_end")


def load_path(path: str | FilePath) -> Path:
    """The path in a file that `Path.save` wrote."""
    stored = torch.load(path, weights_only=True)
    loaded = Path(stored["names"], stored["shapes"], stored["start"])
    for name in _FIELDS:
        setattr(loaded, name, stored[name])
    return loaded


class PathRecorder:
    """Takes snapshots whenever an optimizer steps, until `close`; also a context manager.

    The first optimizer that steps parameters of the model counts the steps.
    """

    def __init__(self, model: nn.Module, path: Path) -> None:
        self._model, self._path, self._step = ref(model), path, 0
        self._ids = frozenset(map(id, movable(model, path.names).values()))
        self._counted: Any = None
        self._handle: Any = register_optimizer_step_post_hook(
            torch.compiler.disable(self._after_step)
        )

    @property
    def path(self) -> Path:
        """The path so far, up to the weights as they are now."""
        model = self._model()
        if model is not None and self._handle is not None:
            self._path.end_at(self._step, joined(model, self._path.names))
        return self._path

    def close(self) -> Path:
        """Stop; gives the path."""
        path = self.path
        self._stop()
        return path

    def _stop(self) -> None:
        if self._handle is not None:
            self._handle.remove()
        self._handle = None

    def __enter__(self) -> "PathRecorder":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _after_step(self, optimizer: Optimizer, *_: object) -> None:
        model = self._model()
        if model is None:
            self._stop()
        elif self._counts(optimizer):
            self._step += 1
            try:
                self._path.add(self._step, lambda: joined(model, self._path.names))
            except Exception as error:  # noqa: BLE001 - training goes on
                what = f"{type(error).__name__}: {error}"
                warn(f"no more snapshots are taken, training goes on: {what}")
                self._stop()

    def _counts(self, optimizer: Optimizer) -> bool:
        if self._counted is None and not self._ids.isdisjoint(held_by(optimizer)):
            self._counted = ref(optimizer)
        return self._counted is not None and self._counted() is optimizer


def record_path(
    model: nn.Module,
    *,
    name: str = "run",
    every: int = 1,
    dtype: torch.dtype = torch.bfloat16,
) -> PathRecorder:
    """Take snapshots of a model while it trains: at most 64, ever further apart.

    Parameters
    ----------
    name
        Of the run, as on a plane with others.
    every
        Steps from one snapshot to the next, at first; twice as many once there are 64, and so on.
    dtype
        Of the differences from the start: bfloat16, or float32 for twice the memory.

    Returns
    -------
    recorder
        With the `path` so far; `close` ends it. Memory is in `Path`.
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, got {every!r}")
    parameters = movable(model)
    names = list(parameters)
    start = joined(model, names)
    shapes = [p.shape for p in parameters.values()]
    path = Path(names, shapes, start, name=name, every=every, dtype=dtype)
    size = start.numel() * (MOST * dtype.itemsize + 2 * start.element_size())
    if size > _LARGE:
        warnings.warn(
            f"a path of {start.numel():,} parameters takes up to {size / 2**30:.1f} GiB of memory: "
            f"freeze what is not of interest, or record less of it with a larger every",
            RuntimeWarning,
            stacklevel=2,
        )
    return PathRecorder(model, path)


_LARGE = 8 * 2**30  # bytes


@torch.no_grad()
def joined(model: nn.Module, names: list[str]) -> Tensor:
    """The values of parameters as one vector on the CPU, float32, or float64 where one has that."""
    values = [p.detach().reshape(-1).cpu() for p in movable(model, names).values()]
    doubles = any(each.dtype == torch.float64 for each in values)
    wide = torch.float64 if doubles else torch.float32
    return torch.cat([each.to(wide) for each in values])
