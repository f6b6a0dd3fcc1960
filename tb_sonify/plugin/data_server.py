"""TensorBoard's data server: a process of its own, which may end or hang while TensorBoard runs."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, wait
from concurrent.futures import TimeoutError as WaitedTooLong
from functools import partial
from typing import Any, TypeVar

import grpc
from tensorboard.context import RequestContext
from tensorboard.data.grpc_provider import GrpcDataProvider, make_stub
from tensorboard.data.proto.data_provider_pb2 import GetExperimentRequest
from tensorboard.data.provider import DataProvider, RunTagFilter
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.scalar.metadata import PLUGIN_NAME as SCALARS

from tb_sonify.reading.cache import Unavailable
from tb_sonify.reading.work import DaemonThreads
from tb_sonify.schema.metadata import PLUGIN_NAME

# Of nothing that is new: of a run that takes long to read, the server shows more every 5 s.
SETTLED_SECONDS = 10.0


_NOTHING = -1  # less than any step


Steps = Mapping[str, int]


class RunsRead:
    """The runs that were there, and the last step that was read of each. Safe in many threads."""

    def __init__(self) -> None:
        self._steps: dict[str, int] = {}
        self._lock = threading.Lock()
        self._regained: Steps = {}
        self._since = time.monotonic()

    @property
    def runs(self) -> list[str]:
        """The names of the runs."""
        with self._lock:
            return list(self._steps)

    def note(self, method: str, answer: Any) -> None:
        """Take what a method of the data provider has answered."""
        with self._lock:
            if method == "list_runs":
                names = [run.run_name for run in answer]
                self._steps = {name: self._steps.get(name, _NOTHING) for name in names}
            elif method in ("read_scalars", "read_blob_sequences"):
                for run, tags in answer.items():
                    step = _last(data[-1].step for data in tags.values() if data)
                    self._steps[run] = max(step, self._steps.get(run, _NOTHING))

    def is_within(self, steps: Steps) -> bool:
        """Whether all of it is within what a server that is back has read.

        Runs may have been deleted meanwhile: where nothing more comes for a while, that is all.
        """
        with self._lock:
            known = self._steps.items()
            regained = {run: min(steps[run], step) for run, step in known if run in steps}
            if regained != self._regained:
                self._regained, self._since = regained, time.monotonic()
            if time.monotonic() - self._since >= SETTLED_SECONDS:
                self._steps = dict(regained)
            return self._steps == regained

    def begin_anew(self) -> None:
        """A server that is back has read nothing so far."""
        with self._lock:
            self._regained, self._since = {}, time.monotonic()


def steps_read(provider: DataProvider, runs: Iterable[str]) -> Steps:
    """The runs that there are, and the last step that is read of some of them."""
    context = RequestContext()
    steps = {run.run_name: _NOTHING for run in provider.list_runs(context, experiment_id="")}
    wanted = {"experiment_id": "", "run_tag_filter": RunTagFilter(runs=list(runs))}
    for found in (
        provider.list_blob_sequences(context, plugin_name=PLUGIN_NAME, **wanted),
        provider.list_scalars(context, plugin_name=SCALARS, **wanted),
    ):
        for run, tags in found.items():
            step = _last(series.max_step for series in tags.values())
            steps[run] = max(step, steps.get(run, _NOTHING))
    return steps


def _last(steps: Iterable[int]) -> int:
    return max(steps, default=_NOTHING)


Answer = TypeVar("Answer")


_WAITS = (0.001, 0.002, 0.004, 0.008, 0.016)  # seconds; what takes longer is no such wait


_KEPT = 32  # questions: one that is forgotten before it is answered is taken back


class DelayedAckWorkaround:
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
    return ReconnectingServer(address, channel)


class DataServer:
    """A provider of data over gRPC, each call of which ends: with an answer or `Unavailable`.

    TensorBoard's own has no deadlines, and raises what becomes a traceback.
    """

    def __init__(self, provider: DataProvider) -> None:
        self._provider = provider
        self._nudges = DelayedAckWorkaround(provider)
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


class ReconnectingServer(DataServer):
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
        self._extent = RunsRead()
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
