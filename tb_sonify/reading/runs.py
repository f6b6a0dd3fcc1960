"""Which of the runs of a log directory a command is for."""

from tb_sonify.reading.catalogue import Catalogue
from tb_sonify.reading.store import Scope, Store


def chosen_runs(store: Store, scope: Scope, run: str | None) -> list[str]:
    """All runs by name, or the one that was asked for.

    Raises
    ------
    LookupError
        If there is none.
    """
    names = [each.name for each in Catalogue(store).runs(scope)]
    if not names:
        raise LookupError("no runs here: a run is a directory with event files that hold scalars")
    if run is None:
        return names
    if run not in names:
        raise LookupError(f"no run {run!r}; there are: {', '.join(names)}")
    return [run]
