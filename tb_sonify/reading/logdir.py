"""Opens a log directory as TensorBoard does, without a server."""

import logging
import os
import warnings
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import google_crc32c
from tensorboard.backend.event_processing.data_ingester import LocalDataIngester
from tensorboard.backend.event_processing.io_wrapper import IsTensorFlowEventsFile
from tensorboard.compat.tensorflow_stub import pywrap_tensorflow
from tensorboard.context import RequestContext

from tb_sonify.reading.runs import RunCatalog
from tb_sonify.reading.store import Scope, Settings, Store
from tb_sonify.schema.metadata import PLUGIN_NAME
from tb_sonify.schema.pairs import Pair, partner_folder

_logger = logging.getLogger(__name__)


def open_logdir(
    logdir: Path,
    pairs: tuple[Pair, ...] = (),
    runs: Collection[str] = (),
    names: Mapping[str, str] | None = None,
) -> tuple[Store, Scope]:
    """The store of all runs below a directory, read once; with pairs of losses of the user.

    Parameters
    ----------
    runs
        Read these alone, with those that belong to them, if all are there; to read all takes long.
    names
        What runs are to be called instead.

    Raises
    ------
    FileNotFoundError
        If there is no such directory.
    """
    if logdir.is_file():
        raise FileNotFoundError(f"{str(logdir)!r} is a file: give the directory that it is in")
    if not logdir.is_dir():
        raise FileNotFoundError(f"no log directory {str(logdir)!r}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the html5lib that it brings along
        from tensorboard import default, program

    tensorboard = program.TensorBoard(default.get_static_plugins())
    tensorboard.configure(["tensorboard", "--logdir", str(logdir)])
    flags = tensorboard.flags
    # Whatever is read here is thrown away after one command: keep all of it.
    flags.samples_per_plugin = {PLUGIN_NAME: 0, "scalars": 0, "audio": 1}
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    ingester = LocalDataIngester(flags)
    multiplexer = ingester.deprecated_multiplexer
    found = {os.path.relpath(each, logdir): each for each in directories(logdir)}
    for name, directory in found.items():
        if not _is_text(directory):
            _logger.warning("skipped %a, whose name is not UTF-8: rename it", directory)
        elif not runs or not found.keys() >= set(runs) or any(_is_of(name, run) for run in runs):
            multiplexer.AddRun(directory, name=(names or {}).get(name, name))
    with _native_checksums():
        multiplexer.Reload()
    settings = Settings(pairs=pairs, points_kept=0, names=names or {})
    return Store(ingester.data_provider, settings), Scope(RequestContext(), "")


@contextmanager
def _native_checksums() -> Iterator[None]:
    """Have TensorBoard compute checksums in C: those in Python take most of the time of reading."""
    own = pywrap_tensorflow.crc32c
    pywrap_tensorflow.crc32c = google_crc32c.value
    try:
        yield
    finally:
        pywrap_tensorflow.crc32c = own


def _is_text(path: str) -> bool:
    """Whether TensorBoard can read a directory: at other names, it reads no other one either."""
    return os.fsencode(path).decode(errors="replace") == path


def _is_of(name: str, run: str) -> bool:
    """Whether a directory is of a run: itself, a part, or the other of a pair of losses."""
    folder, own = os.path.split(run)
    beside, other = os.path.split(name)
    part = name == run or name.startswith(os.path.join(run, ""))  # noqa: PTH118 - no file
    return part or (beside == folder and partner_folder(own, other))


def directories(logdir: Path) -> Iterator[str]:
    """Directories with event files, each once: TensorBoard follows links, also those to above."""
    known = set()
    for directory, below, files in os.walk(logdir, followlinks=True):
        real = os.path.realpath(directory)
        if real in known:
            below.clear()
            continue
        known.add(real)
        below.sort()
        if any(map(IsTensorFlowEventsFile, files)):
            yield directory


def chosen_runs(store: Store, scope: Scope, logdir: Path, run: str | None) -> list[str]:
    """Names of all runs, or that of one; of links to one directory, all name the same run.

    Raises
    ------
    LookupError
        If there is none, or none of that name.
    """
    names = [each.name for each in RunCatalog(store).runs(scope)]
    if not names:
        raise LookupError("no runs here: a run is a directory with event files that hold scalars")
    if run is None or run in names:
        return names if run is None else [run]
    same = [name for name in names if (logdir / name).resolve() == (logdir / run).resolve()]
    if not same:
        raise LookupError(f"no run {run!r}; there are: {', '.join(names)}")
    return same
