"""Opens a log directory as TensorBoard does, without a server."""

import logging
import warnings
from pathlib import Path

from tensorboard.backend.event_processing.data_ingester import LocalDataIngester
from tensorboard.context import RequestContext

from tb_sonify.reading.runs import RunCatalog
from tb_sonify.reading.store import Scope, Settings, Store
from tb_sonify.schema.metadata import PLUGIN_NAME


def open_logdir(logdir: Path) -> tuple[Store, Scope]:
    """The store of all runs below a directory, read once.

    Raises
    ------
    FileNotFoundError
        If there is no such directory.
    """
    if not logdir.is_dir():
        raise FileNotFoundError(f"no log directory {str(logdir)!r}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of the html5lib that it brings along
        from tensorboard import default, program

    tensorboard = program.TensorBoard(default.get_static_plugins())
    tensorboard.configure(["tensorboard", "--logdir", str(logdir)])
    flags = tensorboard.flags
    flags.reload_interval, flags.reload_task = 0, "blocking"
    # Whatever is read here is thrown away after one command: keep all of it.
    flags.samples_per_plugin = {PLUGIN_NAME: 0, "scalars": 0, "audio": 1}
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    ingester = LocalDataIngester(flags)
    ingester.start()
    return Store(ingester.data_provider, Settings(points_kept=0)), Scope(RequestContext(), "")


def chosen_runs(store: Store, scope: Scope, logdir: Path, run: str | None) -> list[str]:
    """Names of all runs, or the one that is named; of links to one directory, the first name.

    Raises
    ------
    LookupError
        If there is none, or none of that name.
    """
    names = [each.name for each in RunCatalog(store).runs(scope)]
    if not names:
        raise LookupError("no runs here: a run is a directory with event files that hold scalars")
    if run is None:
        directories = {(logdir / name).resolve(): name for name in reversed(names)}
        return sorted(directories.values(), key=names.index)
    if run not in names:
        raise LookupError(f"no run {run!r}; there are: {', '.join(names)}")
    return [run]
