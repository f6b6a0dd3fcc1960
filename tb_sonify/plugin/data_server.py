"""TensorBoard's data server: a process of its own, which may end or hang while TensorBoard runs."""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

import grpc
from tensorboard.context import RequestContext
from tensorboard.data.grpc_provider import GrpcDataProvider, make_stub
from tensorboard.data.proto.data_provider_pb2 import GetExperimentRequest
from tensorboard.data.provider import DataProvider, RunTagFilter
from tensorboard.plugins.base_plugin import TBContext
from tensorboard.plugins.scalar.metadata import PLUGIN_NAME as SCALARS

from tb_sonify.reading import limits
from tb_sonify.reading.cache import Unavailable
from tb_sonify.schema.metadata import PLUGIN_NAME

_CHECK_SECONDS = 0.5
_NUDGE_SECONDS = (0.001, 0.002, 0.004, 0.008, 0.016)
_NUDGES_KEPT = 32  # one that is dropped before it is answered is cancelled

_NO_STEP = -1  # less than any step
_READS_AGAIN = "has been started again, and reads its logs"

_logger = logging.getLogger(__name__)


def watched_provider(context: TBContext) -> DataProvider:
    """TensorBoard's data provider; a data server is wrapped, so that it says why it fails."""
    provider = context.data_provider
    if not isinstance(provider, GrpcDataProvider):
        return provider
    address = getattr(context.flags, "grpc_data_provider", "")
    if not address:
        return DataServer(provider)
    # TensorBoard's own connection tries ever less often to connect again, at last every 2 minutes.
    credentials, options = context.flags.grpc_creds_type.channel_config()
    options.append(("grpc.max_receive_message_length", limits.MESSAGE_BYTES))
    options.append(("grpc.max_reconnect_backoff_ms", 1_000 * limits.MAX_BACKOFF_SECONDS))
    channel = grpc.secure_channel(address, credentials, options=options)
    return ReconnectingServer(address, channel)


class DataServer:
    """A provider of data over gRPC, each call of which returns or raises `Unavailable` in time.

    TensorBoard's own has no deadlines, and raises what becomes a traceback.
    """

    def __init__(self, provider: DataProvider) -> None:
        stub = getattr(provider, "_stub", None)
        self._provider = GrpcDataProvider(str(provider), _DeadlineStub(stub)) if stub else provider
        self._logged = ""

    def __getattr__(self, name: str) -> Any:
        return partial(self._call, name)

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        answer = self._translated(getattr(self._provider, name), *arguments, **options)
        self._logged = ""
        return answer

    def _translated(self, call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """What a call returns; an error of gRPC becomes an HTTP status."""
        try:
            return call(*arguments, **options)
        except grpc.RpcError as error:
            known = {
                grpc.StatusCode.DEADLINE_EXCEEDED: f"said nothing for {limits.CALL_SECONDS:g} s",
                grpc.StatusCode.UNAVAILABLE: "does not answer",
            }
            code = error.code()
            trouble = known.get(code, f"failed ({code.name}: {error.details()})")
            raise self._unavailable(503 if code in known else 502, trouble) from None

    def _unavailable(self, http_code: int, trouble: str) -> Unavailable:
        message, retry_after = self._message(trouble)
        if self._logged != trouble:
            self._logged = trouble
            _logger.warning("%s", message)
        return Unavailable(message, http_code, retry_after)

    def _message(self, trouble: str) -> tuple[str, int | None]:
        """The text for a trouble, and after how many seconds to ask again."""
        return (
            f"TensorBoard's data server {trouble}; if it has ended, TensorBoard does not start it "
            "again: start TensorBoard anew",
            None,
        )


class _DeadlineStub:
    """A gRPC stub, each call of which has a deadline and is not delayed by TCP.

    The server sends an answer in several segments, and the last one only once those before are
    acknowledged (Nagle's algorithm), which this machine puts off for 40 ms (delayed ACK) unless it
    has something to send: so it sends another small call.
    """

    def __init__(self, stub: Any) -> None:
        self._stub = stub
        self._nudges: deque[Any] = deque(maxlen=_NUDGES_KEPT)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._stub, name)
        streams = isinstance(call, grpc.UnaryStreamMultiCallable)
        return partial(self._stream if streams else self._unary, call)

    def _unary(self, call: grpc.UnaryUnaryMultiCallable, request: Any) -> Any:
        answer = call.future(request, timeout=limits.CALL_SECONDS)
        for seconds in _NUDGE_SECONDS:
            with suppress(grpc.FutureTimeoutError):
                return answer.result(seconds)
            self._nudge()
        return answer.result()

    def _stream(self, call: grpc.UnaryStreamMultiCallable, request: Any) -> Any:
        answers = call(request, timeout=limits.CALL_SECONDS)
        answers.initial_metadata()  # waits for the first segment
        self._nudge()
        return answers

    def _nudge(self) -> None:
        self._nudges.append(self._stub.GetExperiment.future(GetExperimentRequest(), timeout=1.0))


class ReconnectingServer(DataServer):
    """A data server that the user has started at an address, and may start again.

    It then begins without any run. Until it has read as much as before it is unavailable, so that
    nothing is taken for deleted.
    """

    def __init__(self, address: str, channel: grpc.Channel) -> None:
        super().__init__(GrpcDataProvider(address, make_stub(channel)))
        self._address = address
        self._channel = channel  # which reports its states only while something refers to it
        self._connected = False
        self._losses = self._losses_made_up = 0  # of the connection
        self._progress = Progress()
        self._checking = threading.Lock()
        self._next_check = 0.0
        channel.subscribe(self._on_connectivity)

    def _on_connectivity(self, state: grpc.ChannelConnectivity) -> None:
        """Count losses of the connection: a server may be back before the next call."""
        connected = state == grpc.ChannelConnectivity.READY
        if self._connected and not connected:
            self._progress.restart()
            self._losses += 1
        self._connected = connected

    def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        losses = self._losses
        if losses != self._losses_made_up:
            with self._checking:
                self._check(losses)
        answer = super()._call(name, *arguments, **options)
        if losses != self._losses:
            raise self._unavailable(503, _READS_AGAIN)
        self._progress.note(name, answer)
        return answer

    def _check(self, losses: int) -> None:
        """Raise `Unavailable` unless as much has been read again as before the last loss."""
        if losses == self._losses_made_up:
            return  # another thread has checked
        if time.monotonic() < self._next_check:
            raise self._unavailable(503, self._logged or _READS_AGAIN)
        try:
            steps = self._translated(last_steps, self._provider, self._progress.runs)
        except Unavailable:
            self._progress.restart()
            raise
        finally:
            self._next_check = time.monotonic() + _CHECK_SECONDS
        if not self._progress.is_regained(steps):
            raise self._unavailable(503, _READS_AGAIN)
        self._losses_made_up = losses

    def _message(self, trouble: str) -> tuple[str, int | None]:
        what = "" if trouble == _READS_AGAIN else "; start it again if it has ended"
        return (
            f"TensorBoard's data server at {self._address} {trouble}{what}; it is asked again by "
            "itself",
            limits.RETRY_SECONDS,
        )


class Progress:
    """Last step that a server has read of each run, and whether it has regained it after a restart.

    Safe to use from many threads.
    """

    def __init__(self) -> None:
        self._steps: dict[str, int] = {}
        self._lock = threading.Lock()
        self.restart()

    @property
    def runs(self) -> list[str]:
        """Names of the runs."""
        with self._lock:
            return list(self._steps)

    def restart(self) -> None:
        """Begin anew: the server has read nothing."""
        with self._lock:
            self._regained, self._since = dict[str, int](), time.monotonic()

    def note(self, method: str, answer: Any) -> None:
        """Note the runs or the steps in what a method of the data provider has returned."""
        with self._lock:
            if method == "list_runs":
                names = [run.run_name for run in answer]
                self._steps = {name: self._steps.get(name, _NO_STEP) for name in names}
            elif method in ("read_scalars", "read_blob_sequences"):
                for run, tags in answer.items():
                    _advance(self._steps, run, (data[-1].step for data in tags.values() if data))

    def is_regained(self, steps: Mapping[str, int]) -> bool:
        """Whether every run is among `steps`, and as far as before.

        Runs may have been deleted meanwhile: where nothing more comes for a while, that is all.
        """
        with self._lock:
            known = self._steps.items()
            regained = {run: min(steps[run], step) for run, step in known if run in steps}
            if regained != self._regained:
                self._regained, self._since = regained, time.monotonic()
            if time.monotonic() - self._since >= limits.SETTLED_SECONDS:
                self._steps = regained
            return self._steps == regained


def last_steps(provider: DataProvider, runs: Iterable[str]) -> dict[str, int]:
    """All runs of a provider, with the last step read of those named in `runs`."""
    context = RequestContext()
    steps = {run.run_name: _NO_STEP for run in provider.list_runs(context, experiment_id="")}
    wanted = {"experiment_id": "", "run_tag_filter": RunTagFilter(runs=list(runs))}
    blobs = provider.list_blob_sequences(context, plugin_name=PLUGIN_NAME, **wanted)
    scalars = provider.list_scalars(context, plugin_name=SCALARS, **wanted)
    for run, tags in (*blobs.items(), *scalars.items()):
        _advance(steps, run, (series.max_step for series in tags.values()))
    return steps


def _advance(steps: dict[str, int], run: str, lasts: Iterable[int]) -> None:
    steps[run] = max(steps.get(run, _NO_STEP), *lasts, _NO_STEP)
