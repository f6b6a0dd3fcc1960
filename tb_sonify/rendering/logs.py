"""What is to be rendered of a log directory."""

from pathlib import Path

from tb_sonify.reading import Timelines, first_to_draw, list_scalars, read_series
from tb_sonify.reading.logdir import open_logdir
from tb_sonify.reading.runs import chosen_runs
from tb_sonify.rendering.source import Piece, scalar_piece


def read_logdir(logdir: Path, *, run: str | None, tag: str | None, as_norms: bool) -> Piece:
    """The norms of a run, or one of its scalars.

    Parameters
    ----------
    run
        May be left out where there is only one.
    tag
        The scalar, where it is not `as_norms`; by default the first whose name contains "loss".

    Raises
    ------
    FileNotFoundError, LookupError
        If there is no such directory, run or tag, or nothing of the kind in the run.
    """
    store, scope = open_logdir(logdir)
    runs = chosen_runs(store, scope, run)
    if len(runs) > 1:
        raise LookupError(f"choose one run with --run: {', '.join(runs)}")
    (run,) = runs
    if as_norms:
        timeline = Timelines(store).get(scope, run)
        if not timeline.notes:
            raise LookupError(
                f"no gradient norms in run {run!r}: choose a scalar with --preset single --tag TAG"
            )
        return Piece(run, timeline.steps[:-1], timeline.table(0, timeline.notes), None)
    tags = list_scalars(store, scope, run)
    chosen = tag or first_to_draw(tags)
    series = read_series(store, scope, run, chosen) if chosen else None
    if series is None:
        raise LookupError(f"no scalar {chosen!r} in run {run!r}; there are: {', '.join(tags)}")
    return scalar_piece(f"{run} {chosen}", series.steps, series.values)
