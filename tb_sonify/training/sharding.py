"""Distributed training: the rank, shards of gradients, and the all-reduce of their norms."""

import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, distributed

from tb_sonify.schema.notes import NO_GRADIENT
from tb_sonify.schema.quantities import WEIGHT
from tb_sonify.training.run_log import NOT_LOGGED, STEP_SKIPPED, RowBatch, RowSchema
from tb_sonify.training.tensor_norms import Gradients
from tb_sonify.training.warn import warn


def rank() -> int:
    """The number of this process, 0 if there is no other."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank()
    # A launcher such as torchrun gives both before the training asks for them; alone, RANK may be
    # anything, as that of an adapter, or what is left of a job.
    number, size = os.environ.get("RANK", ""), os.environ.get("WORLD_SIZE", "")
    known = number.isdecimal() and size.isdecimal() and int(number) < int(size)
    return int(number) if known else 0


class Shards:
    """Counts each piece of a gradient in one process alone, so that sums over all are right.

    Attributes
    ----------
    ranks
        The processes that hold pieces, in order. The first also counts what is not sharded,
        which all of them have.
    """

    def __init__(self, meshes: Iterable[Any]) -> None:
        held = {id(mesh): frozenset(mesh.mesh.flatten().tolist()) for mesh in meshes}
        self.ranks = tuple(sorted(frozenset().union(*held.values())))
        self._is_first = rank() == self.ranks[0]
        self._known: dict[tuple[Any, Any], bool] = {}

    @classmethod
    def of(cls, parameters: Iterable[Tensor]) -> "Shards | None":
        """The shards of a model; `None` if no parameter is sharded."""
        meshes = {id(mesh): mesh for p in parameters if (mesh := mesh_of(p)) is not None}
        return cls(meshes.values()) if meshes else None

    def counted(self, gradients: Gradients) -> list[Tensor | None]:
        """What this process has to count of each gradient."""
        return [None if gradient is None else self._counted(gradient) for gradient in gradients]

    def _counted(self, gradient: Tensor) -> Tensor | None:
        if mesh_of(gradient) is None:
            return gradient if self._is_first else None
        tensor = reduced(gradient)
        return tensor.to_local() if self._counts(tensor.device_mesh, tensor.placements) else None

    def _counts(self, mesh: Any, placements: Any) -> bool:
        """Whether this process counts its piece of a tensor; a copy counts in one place alone."""
        key = (mesh, placements)
        known = self._known.get(key)
        if known is None:
            place = mesh.get_coordinate()
            known = self._known[key] = (
                place is not None
                # Where processes have meshes of their own, that of the first counts.
                and self.ranks[0] in mesh.mesh.flatten().tolist()
                and all(
                    at == 0 or not placement.is_replicate()
                    for at, placement in zip(place, placements, strict=True)
                )
            )
        return known


def mesh_of(tensor: Tensor) -> Any:
    """The mesh over which a tensor is sharded, `None` if it is not."""
    return getattr(tensor, "device_mesh", None) if type(tensor) is not Tensor else None


def reduced(tensor: Any) -> Any:
    """A tensor without partial placements: their values are not known before they are added.

    All processes of the mesh must take part, as in the optimizer's own step.
    """
    if mesh_of(tensor) is None or not any(each.is_partial() for each in tensor.placements):
        return tensor
    # Before torch 2.5 there is no torch.distributed.tensor, and afterwards this is its alias.
    replicate = import_module("torch.distributed._tensor").Replicate()
    placements = [replicate if each.is_partial() else each for each in tensor.placements]
    return tensor.redistribute(placements=placements)


_CONNECT_SECONDS = 120.0  # that the other processes may take to their first row
_PATIENCE = timedelta(days=1)  # a process may be busy, as with a checkpoint; nobody waits for us
_WAIT_SECONDS = 10.0  # that `flush` and `close` wait for the other processes
_MAX_ROWS = 4096
_CYCLE = 2**20  # squares of numbers below it add up exactly in float64

_numbers: dict[tuple[int, ...], int] = {}


class _ShardedRow(NamedTuple):
    schema: RowSchema
    step: int
    wall_time: float
    part: NDArray[np.float64]


class ShardReducer:
    """Adds up the rows of all processes, in a thread of its own, by one all-reduce for each row.

    It has a process group of its own on the host, so that no collective of the training waits
    for it, or is mistaken for one of its own. A process may leave a step out: that step is no row
    then, and the others go on. Rows without shards go through in their turn.

    Parameters
    ----------
    ranks
        The processes that take part, each with a reducer of its own.
    put
        Takes what comes out, which is the same in every process.
    """

    def __init__(self, ranks: tuple[int, ...], put: Callable[[RowBatch], None]) -> None:
        self._ranks = ranks
        self._rank = rank()
        self._put = put
        # The n-th of these processes in each of them.
        number = _numbers[ranks] = _numbers.get(ranks, -1) + 1
        self._name = f"tb_sonify/{'-'.join(map(str, ranks[:8]))}/{len(ranks)}/{number}"
        self._changed = threading.Condition()
        self._batches: deque[RowBatch] = deque(maxlen=_MAX_ROWS)
        self._busy = self._closing = self._ended = self._stalled = False
        self._thread = threading.Thread(target=self._run, name="tb_sonify reducer", daemon=True)
        self._thread.start()

    def put(self, batch: RowBatch) -> None:
        """Take rows, whose numbers are this process' part; does not wait."""
        with self._changed:
            if not self._ended:
                self._batches.append(batch)
                self._changed.notify_all()
                return
        if not batch.schema.ranks:
            self._put(batch)

    def wait(self) -> None:
        """Wait until all rows taken so far are added up, if the other processes allow."""
        with self._changed:
            if not self._stalled:  # else they have not been heard of since the last time
                self._stalled = not self._changed.wait_for(
                    lambda: self._ended or not (self._batches or self._busy), timeout=_WAIT_SECONDS
                )

    def close(self) -> None:
        """Add up what there is, and end."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(_WAIT_SECONDS)
        with self._changed:
            late, self._ended = not self._ended, True
        if late and self._rank == self._ranks[0]:
            warn(
                "some of the last rows are left out: another process did not take part in their "
                "steps, or it still waits for this one"
            )

    def _run(self) -> None:
        try:
            self._reduce()
        except Exception as error:  # noqa: BLE001 - nothing that may happen here stops a training
            if self._rank == self._ranks[0] and not self._ended:
                warn(f"norms of sharded gradients are left out: {type(error).__name__}: {error}")
        finally:
            with self._changed:
                self._ended, left = True, list(self._batches)
                self._batches.clear()
                self._changed.notify_all()
            for batch in left:
                if not batch.schema.ranks:
                    self._put(batch)

    def _reduce(self) -> None:
        group = None
        rows = self._rows()
        row = next(rows, None)
        while row is not None:
            group = group or _ReduceGroup.of(
                self._ranks.index(self._rank), len(self._ranks), self._name
            )
            inf = row.schema.options.get("norm_type") == "inf"
            totals = group.largest(row) if inf else group.sums(row)
            if totals is not None:
                self._stalled = False
                self._put(_finished(row, totals))
            elif group.latest(row.step) == row.step:
                continue  # the others have to catch up
            row = next(rows, None)

    def _rows(self) -> Iterator[_ShardedRow]:
        """The rows of shards, one by one; all others are put at once."""
        while (batch := self._next_batch()) is not None:
            if not batch.schema.ranks:
                self._put(batch)
                continue
            parts = batch.norms()
            for step, at, part in zip(batch.steps, batch.wall_times, parts, strict=True):
                if part[0] != STEP_SKIPPED:
                    yield _ShardedRow(batch.schema, int(step), float(at), part.astype(np.float64))

    def _next_batch(self) -> RowBatch | None:
        with self._changed:
            self._busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._batches or self._closing)
            if self._ended or not self._batches:
                return None
            self._busy = True
            return self._batches.popleft()


class _ReduceGroup:
    """The processes that add up, on the host, apart from what the training does."""

    def __init__(self, group: Any, size: int) -> None:
        self._group = group
        self._size = size

    @classmethod
    def of(cls, me: int, size: int, name: str) -> "_ReduceGroup":
        """Connect, once all processes are there."""
        c10d: Any = distributed.distributed_c10d
        store = c10d.PrefixStore(name, c10d._get_default_store())
        store.set(f"here/{me}", "1")
        keys = [f"here/{other}" for other in range(size)]
        deadline = time.monotonic() + _CONNECT_SECONDS
        # Waiting in the store itself would make the training wait, too, wherever it uses it.
        while not all(store.check([key]) for key in keys):
            if time.monotonic() > deadline:
                raise TimeoutError("every process must make a SonifyWriter and watch the model")
            time.sleep(0.05)
        group = c10d.ProcessGroupGloo(store, me, size, _PATIENCE)
        return cls(group, size)

    def sums(self, row: _ShardedRow) -> NDArray[np.float64] | None:
        """The sums over all processes; `None` where they are not at the same step."""
        step = row.step % _CYCLE
        *total, steps, squares = self._all_reduce([*row.part, step, step * step], "SUM")
        # The mean of squares is the square of the mean only if all are equal.
        return np.array(total) if self._size * int(squares) == int(steps) ** 2 else None

    def largest(self, row: _ShardedRow) -> NDArray[np.float64] | None:
        """The largest over all processes, NaN if one is; `None` as for `sums`."""
        columns = len(row.part) // 2
        nan = np.isnan(row.part[:columns])
        part = np.where(nan, math.inf, row.part[:columns])
        numbers = [*part, *row.part[columns:], *nan, row.step, -row.step]
        *total, highest, lowest = self._all_reduce(numbers, "MAX")
        values, any_nan = np.array(total[: 2 * columns]), np.array(total[2 * columns :], bool)
        values[:columns][any_nan] = math.nan
        return values if highest == -lowest else None

    def latest(self, step: int) -> int:
        """The latest step at which a process is."""
        return int(self._all_reduce([step], "MAX")[0])

    def _all_reduce(self, numbers: list[Any], operation: str) -> list[float]:
        tensor = torch.tensor(numbers, dtype=torch.float64, device="cpu")
        options = distributed.AllreduceOptions()
        options.reduceOp = getattr(distributed.ReduceOp, operation)
        self._group.allreduce([tensor], options).wait()
        return tensor.tolist()


def _finished(row: _ShardedRow, totals: NDArray[np.float64]) -> RowBatch:
    """The norms of all processes together."""
    columns = len(totals) // 2
    norm_type = row.schema.options["norm_type"]
    sums, present = totals[:columns], totals[columns:] > 0
    with np.errstate(over="ignore", invalid="ignore"):
        norms = (sums if norm_type == "inf" else sums ** (1 / norm_type)).astype(np.float32)
    # A weight has a norm always; where no process has one, it was not measured at this step.
    none = [NOT_LOGGED if name == WEIGHT else NO_GRADIENT for name in row.schema.quantities]
    absent = np.repeat(np.array(none, np.float32), len(row.schema.layers))
    norms = np.where(present, norms, absent)[None]
    schema = replace(row.schema, ranks=())
    return RowBatch(schema, np.array([row.step]), np.array([row.wall_time]), lambda: norms)
