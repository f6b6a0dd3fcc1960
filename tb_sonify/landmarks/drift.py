"""Drift: steady growth, of a quantity beyond any warm-up, or of a layer beside the others."""

from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tb_sonify.landmarks.unusual import log_known, median_known
from tb_sonify.schema.notes import pad_layers

GROUP = 5  # rows whose median stands for them
RECENT = 5  # groups whose median is compared
BEFORE = 20  # with that of the first of these
SPAN = 30  # groups
EVERY = 2  # groups after which it is
OVER_NOISE = 4.0  # standard deviations of a group: seven of the median of five
GROWTH = {"gradient": 3.0, "update": 2.0}
OUTGROWN = 8.0  # times as large beside the median layer as 100 rows before
LEAST_LAYERS = 3
FIRST = 20  # group; before, layers find their places beside each other


class Growth(NamedTuple):
    """A row in which a series has grown: its column, and the factor since 100 rows before."""

    row: int
    column: int
    factor: float


class DriftDetector:
    """Finds series that grow by a factor in about 90 rows; streaming and causal.

    Parameters
    ----------
    factor
        Growth that is told; growth in proportion to the number of the row, as of a linear warm-up
        of the learning rate from the first row on, does not count.
    among
        Judge each series beside the median one of its row; it must itself have grown, too.
    """

    def __init__(self, factor: float, *, among: bool = False) -> None:
        self._least = np.log(factor)
        self._among = among
        self._rest = np.empty((0, 0), np.float32)  # rows of an unfinished group, as logs
        self._logs = np.empty((0, 0), np.float32)  # the last groups, up to `SPAN`
        self._groups = 0  # number of all groups

    def add(self, values: NDArray[np.floating]) -> list[Growth]:
        """What has grown at some of the next rows, shape ``(rows, series)``, in order."""
        columns = values.shape[1]
        rows = np.concatenate([pad_layers(self._rest, columns, np.nan), log_known(values)])
        whole = len(rows) // GROUP
        self._rest = rows[whole * GROUP :]
        if not whole or not columns:
            return []
        groups, _ = median_known(
            np.moveaxis(rows[: whole * GROUP].reshape(whole, GROUP, columns), 1, 0)
        )
        logs = np.concatenate([pad_layers(self._logs, columns, np.nan), groups])
        self._logs, self._groups = logs[-(SPAN - 1) :], self._groups + whole
        first = self._groups - len(logs)  # number of the first of `logs`
        if len(logs) < SPAN or (self._among and columns < LEAST_LAYERS):
            return []
        begin = max(FIRST - first, 0) if self._among else 0
        starts = np.arange(begin + (-first - begin) % EVERY, len(logs) - SPAN + 1, EVERY)
        return self._judge(logs, starts, first) if len(starts) else []

    def _judge(
        self, logs: NDArray[np.float32], starts: NDArray[np.intp], first: int
    ) -> list[Growth]:
        own = logs
        if self._among:
            logs = logs - median_known(np.ascontiguousarray(logs.T))[0][:, None]
        windows = np.moveaxis(sliding_window_view(logs, SPAN, axis=0)[starts], -1, 0)
        before, known_before = median_known(windows[:BEFORE])
        recent, known_recent = median_known(windows[-RECENT:])
        ends = (first + starts + SPAN) * GROUP  # rows up to here
        growth = recent - before
        least = self._least
        if not self._among:
            middles = ends - RECENT * GROUP / 2, ends - (SPAN - BEFORE / 2) * GROUP
            least = least + np.log(middles[0] / middles[1])[:, None]
        enough = (known_before >= BEFORE // 2) & (known_recent > RECENT // 2)
        found = []
        for place, column in np.argwhere(enough & (growth > least)).tolist():
            window = windows[:, place, column]
            noise, _ = median_known(np.abs(window[:BEFORE, None] - before[place, column]))
            raw, _ = median_known(own[starts[place] :][:RECENT, column, None])
            last, _ = median_known(own[starts[place] + SPAN - RECENT :][:RECENT, column, None])
            if growth[place, column] > OVER_NOISE * 1.4826 * noise[0] and (
                not self._among or last[0] - raw[0] > self._least / 2
            ):
                factor = float(np.exp(growth[place, column]))
                found.append(Growth(int(ends[place]) - 1, column, factor))
        return found
