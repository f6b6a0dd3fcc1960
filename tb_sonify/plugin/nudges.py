"""TensorBoard's data server without a wait of 40 ms in every answer.

It writes an answer in pieces, with Nagle's algorithm on: the last piece is held back until the
first has been acknowledged, which this side's system does after 40 ms, or with what it sends next.
So while an answer is awaited, a small question is sent now and then, whose answer nobody needs.
"""

from collections import deque
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from tensorboard.data.proto.data_provider_pb2 import GetExperimentRequest
from tensorboard.data.provider import DataProvider

Answer = TypeVar("Answer")

_WAITS = (0.001, 0.002, 0.004, 0.008, 0.016)  # seconds; what takes longer is no such wait
_KEPT = 32  # questions: one that is forgotten before it is answered is taken back


class Nudges:
    """Small questions to a data server. Safe to use from many threads."""

    def __init__(self, provider: DataProvider) -> None:
        # Futures of gRPC need no threads. A provider that does not have them is asked as ever.
        self._stub = getattr(provider, "_stub", None)
        self._asked: deque[Any] = deque(maxlen=_KEPT)

    def answer(self, asked: "Future[Answer]", patience: float) -> Answer:
        """What a call gives, or raises; `TimeoutError` if it has not after `patience` seconds."""
        for seconds in _WAITS:
            if self._stub is None or wait([asked], seconds).done:
                break
            nudge = self._stub.GetExperiment.future(GetExperimentRequest(), timeout=1.0)
            self._asked.append(nudge)
        return asked.result(patience)
