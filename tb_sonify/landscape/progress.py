"""How long many evaluations of a loss will take, and how far they are."""

import logging
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

_log = logging.getLogger("tb_sonify")


@dataclass(frozen=True)
class Estimate:
    """What a surface, or a check of gradients, takes.

    Attributes
    ----------
    evaluations
        Of the loss.
    seconds
        By the time of one evaluation.
    nbytes
        Of memory beside the model and the loss. Of a surface: the origin, two directions and a
        copy of the weights on their devices, and the first three on the CPU; of a check: a copy of
        the model in float64, and its gradients.
    """

    evaluations: int
    seconds: float
    nbytes: int

    def __str__(self) -> str:
        minutes = self.seconds / 60
        time_words = f"{minutes:.1f} minutes" if minutes >= 1 else f"{self.seconds:.2g} seconds"
        return (
            f"{self.evaluations:,} evaluations, about {time_words}, {self.nbytes / 2**20:,.0f} MiB"
        )


class Progress(AbstractContextManager["Progress"]):
    """Tells how many evaluations are done: a callable, or a bar where somebody looks.

    The log has what is expected first.
    """

    def __init__(
        self, what: str, progress: bool | Callable[[int, int], None], expected: Estimate
    ) -> None:
        _log.info("%s: %s", what, expected)
        self._total, self._count = expected.evaluations, 1
        self._call = progress if callable(progress) else None
        self._bar: Any = nullcontext()
        if progress is True and sys.stderr.isatty():
            self._bar = _bar(what, expected)

    def __enter__(self) -> "Progress":
        self._shown = self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._bar.__exit__(*error)

    def step(self) -> None:
        """Note that another one is done."""
        self._count += 1
        if self._call is not None:
            self._call(self._count, self._total)
        elif self._shown is not None:
            self._shown.update()


def _bar(what: str, expected: Estimate) -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return nullcontext()
    return tqdm(desc=f"{what} ({expected})", total=expected.evaluations, initial=1)
