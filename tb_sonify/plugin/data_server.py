"""TensorBoard's data server: a process of its own, which may end or hang while TensorBoard runs."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as WaitedTooLong
from functools import partial
from typing import Any

import grpc
from tensorboard.data.grpc_provider import GrpcDataProvider, make_stub
from tensorboard.data.provider import DataProvider
from tensorboard.plugins.base_plugin import TBContext

from tb_sonify.plugin.extent import Extent, steps_read
from tb_sonify.plugin.nudges import Nudges
from tb_sonify.reading import DaemonThreads, Unavailable

PATIENCE_SECONDS = 20.0  # less than the dashboard has
_CALLS_AT_ONCE = 32
_LOOK_SECONDS = 0.5
_RETRY_SECONDS = 1
_LONGEST_BACKOFF_MS = 5_000
_MESSAGE_BYTES = 256 * 2**20  # as TensorBoard has it
_READS_AGAIN = "has been started again, and reads its logs"

_logger = logging.getLogger(__name__)


def watched_provider(context: TBContext) -> DataProvider:
    """What TensorBoard reads by; where that is a data server, one that says why it fails."""
    provider = context.data_provider
    if not isinstance(provider, GrpcDataProvider):
        return provider
    address = getattr(context.flags, "grpc_data_provider", "")
    if not address:
        return DataServer(provider)
    # TensorBoard's own connection tries ever less often to connect again, at last every 2 minutes.
    credentials, options = context.flags.grpc_creds_type.channel_config()
    options.append(("grpc.max_receive_message_length", _MESSAGE_BYTES))
    options.append(("grpc.max_reconnect_backoff_ms", _LONGEST_BACKOFF_MS))
    channel = grpc.secure_channel(address, credentials, options=options)
    return ReturningServer(address, channel)


class DataServer:
    """A provider of data over gRPC, each call of which ends: with an answer or `Unavailable`.

    TensorBoard's own has no deadlines, and raises what becomes a traceback.
    """

    def __init__(self, provider: DataProvider) -> None:
        self._provider = provider
        self._nudges = Nudges(provider)
        self._threads = DaemonThreads(_CALLS_AT_ONCE, "sonify-ask")
        self._trouble = ""  # which the log was told of

    def __getattr__(self, name: str) -> Any:
        return partial(self._ask, name)

    def _ask(self, name: str, *arguments: Any, **options: Any) -> Any:
        answer = self._call(getattr(self._provider, name), *arguments, **options)
        self._trouble = ""
        return answer

    def _call(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        asked = self._threads.submit(call, *arguments, **options)
        try:
            return self._nudges.answer(asked, PATIENCE_SECONDS)
        except WaitedTooLong:
            asked.cancel()
            raise self._unavailable(503, f"said nothing for {PATIENCE_SECONDS:g} s") from None
        except grpc.RpcError as error:
            code, details = error.code(), error.details()
            if code == grpc.StatusCode.UNAVAILABLE:
                raise self._unavailable(503, "does not answer") from None
            raise self._unavailable(502, f"failed ({code.name}: {details})") from None

    def _unavailable(self, http_code: int, trouble: str) -> Unavailable:
        message, retry_after = self._told(trouble)
        if self._trouble != trouble:
            self._trouble = trouble
            _logger.warning("%s", message)
        return Unavailable(message, http_code, retry_after)

    def _told(self, trouble: str) -> tuple[str, int | None]:
        """What is said of a trouble, and after how many seconds to ask again."""
        return (
            f"TensorBoard's data server {trouble}; if it has ended, TensorBoard does not start it "
            "again: start TensorBoard anew",
            None,
        )


class ReturningServer(DataServer):
    """A data server that the user has started at an address, and may start again.

    It begins without any run. Until it has read what it had read before it was gone, it is as
    unavailable as it was, so that nothing is taken for deleted.
    """

    def __init__(self, address: str, channel: grpc.Channel) -> None:
        super().__init__(GrpcDataProvider(address, make_stub(channel)))
        self._address = address
        self._channel = channel  # which tells no more of its states when nobody holds it
        self._connected = False
        # How often it was gone, and how often it was when all was there last.
        self._losses = self._made_up_for = 0
        self._extent = Extent()
        self._looking = threading.Lock()
        self._look_at = 0.0
        channel.subscribe(self._on_connection)

    def _on_connection(self, state: grpc.ChannelConnectivity) -> None:
        """Take a state of the connection: a server may be back before it is asked."""
        connected = state == grpc.ChannelConnectivity.READY
        if self._connected and not connected:
            self._extent.begin_anew()
            self._losses += 1
        self._connected = connected

    def _ask(self, name: str, *arguments: Any, **options: Any) -> Any:
        losses = self._losses
        if losses != self._made_up_for:
            with self._looking:
                self._make_up_for(losses)
        answer = super()._ask(name, *arguments, **options)
        if losses != self._losses:
            raise self._unavailable(503, _READS_AGAIN)
        self._extent.note(name, answer)
        return answer

    def _make_up_for(self, losses: int) -> None:
        if losses == self._made_up_for:
            return  # by whoever looked before
        if time.monotonic() < self._look_at:
            raise self._unavailable(503, self._trouble or _READS_AGAIN)
        try:
            steps = self._call(steps_read, self._provider, self._extent.runs)
        except Unavailable:
            self._extent.begin_anew()
            raise
        finally:
            self._look_at = time.monotonic() + _LOOK_SECONDS
        if not self._extent.is_within(steps):
            raise self._unavailable(503, _READS_AGAIN)
        self._made_up_for = losses

    def _told(self, trouble: str) -> tuple[str, int | None]:
        what = "" if trouble == _READS_AGAIN else "; start it again if it has ended"
        return (
            f"TensorBoard's data server at {self._address} {trouble}{what}; it is asked again by "
            "itself",
            _RETRY_SECONDS,
        )
