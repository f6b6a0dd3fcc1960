"""TensorBoard's data server: a process of its own, which may end or hang while TensorBoard runs."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitedTooLong
from functools import partial
from typing import Any

import grpc
from tensorboard.data.grpc_provider import GrpcDataProvider
from tensorboard.data.provider import DataProvider
from tensorboard.plugins.base_plugin import TBContext

from tb_sonify.plugin.nudges import Nudges
from tb_sonify.reading import Unavailable

PATIENCE_SECONDS = 20.0  # less than the dashboard has
_CALLS_AT_ONCE = 32

_logger = logging.getLogger(__name__)


def watched_provider(context: TBContext) -> DataProvider:
    """What TensorBoard reads by; where that is a data server, one that says why it fails."""
    provider = context.data_provider
    if not isinstance(provider, GrpcDataProvider):
        return provider
    return DataServer(provider, getattr(context.flags, "grpc_data_provider", "") or None)


class DataServer:
    """A provider of data over gRPC, each call of which ends: with an answer or `Unavailable`.

    TensorBoard's own has no deadlines, and raises what becomes a traceback.

    Parameters
    ----------
    address
        Of a server that the user has started; `None` where TensorBoard has.
    """

    def __init__(self, provider: DataProvider, address: str | None) -> None:
        self._provider = provider
        self._nudges = Nudges(provider)
        self._address = address
        self._gone = False
        self._pool = ThreadPoolExecutor(_CALLS_AT_ONCE, thread_name_prefix="sonify-ask")

    def __getattr__(self, name: str) -> Any:
        return partial(self._ask, getattr(self._provider, name))

    def _ask(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        asked = self._pool.submit(call, *arguments, **options)
        try:
            answer = self._nudges.answer(asked, PATIENCE_SECONDS)
        except WaitedTooLong:
            asked.cancel()
            raise self._unavailable(503, f"said nothing for {PATIENCE_SECONDS:g} s") from None
        except grpc.RpcError as error:
            code, details = error.code(), error.details()
            if code == grpc.StatusCode.UNAVAILABLE:
                raise self._unavailable(503, "does not answer") from None
            raise self._unavailable(502, f"failed ({code.name}: {details})") from None
        self._gone = False
        return answer

    def _unavailable(self, http_code: int, what: str) -> Unavailable:
        if self._address is not None:
            message = (
                f"TensorBoard's data server at {self._address} {what}; start it again if it has "
                "ended, it is asked again by itself"
            )
        else:
            message = (
                f"TensorBoard's data server {what}; if it has ended, TensorBoard does not start "
                "it again: start TensorBoard anew"
            )
        if not self._gone:
            self._gone = True
            _logger.warning("%s", message)
        return Unavailable(message, http_code)
