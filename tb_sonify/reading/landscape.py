"""Strips and surfaces of the loss landscape, as a run has stored them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tb_sonify.reading import limits
from tb_sonify.reading.runs import run_exists
from tb_sonify.reading.store import NO_MARKS, BlobRef, Scope, Store
from tb_sonify.schema.landscape import Strip, Surface, decode_strips
from tb_sonify.schema.metadata import STRIPS_TAG, SURFACE_TAG

Decoded = TypeVar("Decoded")


@dataclass(frozen=True)
class StripTable:
    """Strips one after another; each has as many samples as it was measured at.

    Attributes
    ----------
    steps, floors, headrooms, update_norms
        Of each strip, shape ``(strips,)``.
    first
        Index of the first sample of each strip and, at the end, their number; ``(strips + 1,)``.
    alphas, losses
        Shape ``(samples,)``.
    total
        How many strips there are, of which some may be left out.
    missing
        How many blocks of strips cannot be read.
    """

    steps: NDArray[np.float64]
    floors: NDArray[np.float64]
    headrooms: NDArray[np.float64]
    update_norms: NDArray[np.float64]
    first: NDArray[np.uint32]
    alphas: NDArray[np.float64]
    losses: NDArray[np.float64]
    total: int
    missing: int


def read_strips(
    store: Store, scope: Scope, run: str, low: float, high: float, columns: int
) -> StripTable:
    """The strips of some steps, both included; of many, that of the least headroom in each column.

    Raises
    ------
    LookupError
        If there is no such run.
    """
    blobs = store.blocks(scope, run, STRIPS_TAG)
    if not blobs and not run_exists(store, scope, run):
        raise LookupError(f"no run {run!r}")
    written: dict[int, Strip] = {}
    missing = 0
    for blob in sorted(blobs, key=_written_at):
        found = _decoded(store, scope, run, blob, decode_strips)
        if found is None:
            missing += 1
            continue
        steps, strips = found
        # As of rows, a later write replaces all from its first step on.
        first = min(steps, default=blob.step)
        written = {step: strip for step, strip in written.items() if step < first}
        written |= dict(zip(steps, strips, strict=True))
    kept = sorted((step, strip) for step, strip in written.items() if low <= step <= high)
    return _table(_thinned(kept, columns), total=len(kept), missing=missing)


def read_surface(store: Store, scope: Scope, run: str, name: str) -> tuple[int, Surface]:
    """The surface that was last stored under a name, and its step.

    Raises
    ------
    LookupError
        If there is none, or none that can be read and shown.
    """
    blobs = store.blocks(scope, run, f"{SURFACE_TAG}/{name}")
    if not blobs:
        if not run_exists(store, scope, run):
            raise LookupError(f"no run {run!r}")
        names = [repr(each) for each, _ in store.marks(scope).get(run, NO_MARKS).surfaces]
        raise LookupError(
            f"run {run!r} has no surface {name!r}, it has: {', '.join(names) or 'none'}"
        )
    last = max(blobs, key=_written_at)
    surface = _decoded(store, scope, run, last, Surface.decode)
    if surface is None:
        raise LookupError(f"the surface {name!r} of run {run!r} cannot be read")
    if surface.losses.size > limits.MAX_SURFACE_CELLS:
        raise LookupError(
            f"a surface that is shown has at most {limits.MAX_SURFACE_CELLS:,} cells, "
            f"{name!r} of run {run!r} has {surface.losses.size:,}"
        )
    shown = store.settings.names
    if not shown:
        return last.step, surface
    paths = [
        replace(path, name=_instead(path.name, number, run, shown))
        for number, path in enumerate(surface.paths, 1)
    ]
    return last.step, replace(surface, paths=tuple(paths))


def _instead(path: str, number: int, run: str, names: Mapping[str, str]) -> str:
    """What a path is called where the names of runs are not to be seen: as its run, or "path-1"."""
    own = next((name for name, shown in names.items() if shown == run), run)
    before, slash, _ = own.rpartition("/")
    for name in (path, f"{before}{slash}{path}", f"{own}/{path}"):
        if name in names:
            return names[name]
    return f"path-{number}"


def _written_at(blob: BlobRef) -> tuple[float, float]:
    return -math.inf if blob.session is None else blob.session, blob.wall_time


def _decoded(
    store: Store, scope: Scope, run: str, blob: BlobRef, decode: Callable[[bytes], Decoded]
) -> Decoded | None:
    try:
        data = store.read(scope, blob)
        if data is None:
            raise ValueError("TensorBoard does not give what it has listed")
        return decode(data)
    except (ValueError, TypeError) as error:
        store.report(scope, run, blob, error)
        return None


def _thinned(strips: Sequence[tuple[int, Strip]], columns: int) -> list[tuple[int, Strip]]:
    if len(strips) <= columns:
        return list(strips)
    start, end = strips[0][0], strips[-1][0]
    kept: dict[int, tuple[int, Strip]] = {}
    for step, strip in strips:
        column = (step - start) * columns // (end - start + 1)
        # A headroom that is NaN is the least.
        if column not in kept or not strip.headroom >= kept[column][1].headroom:
            kept[column] = step, strip
    return list(kept.values())


def _table(strips: Sequence[tuple[int, Strip]], *, total: int, missing: int) -> StripTable:
    counts = [len(strip.losses) for _, strip in strips]
    return StripTable(
        steps=np.array([step for step, _ in strips], np.float64),
        floors=np.array([strip.floor for _, strip in strips], np.float64),
        headrooms=np.array([strip.headroom for _, strip in strips], np.float64),
        update_norms=np.array([strip.update_norm for _, strip in strips], np.float64),
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        alphas=np.concatenate([[], *(strip.alphas for _, strip in strips)]),
        losses=np.concatenate([[], *(strip.losses for _, strip in strips)]),
        total=total,
        missing=missing,
    )
