"""TensorBoard's web application in this process, by either of its loaders."""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tensorboard.backend.event_processing.data_ingester import LocalDataIngester
from tensorboard.context import RequestContext
from tensorboard.data.provider import DataProvider
from tensorboard.data.server_ingester import SubprocessServerDataIngester, get_server_binary
from tensorboard.util import grpc_util
from werkzeug.test import Client, TestResponse

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of the html5lib that it brings along
    from tensorboard import default, program
    from tensorboard.backend.application import TensorBoardWSGIApp

from tb_sonify.plugin.loader import SonifyLoader
from tb_sonify.schema.block import Block, decode_block


class TensorBoardClient(Client):
    """A client of the whole TensorBoard application.

    Attributes
    ----------
    reload
        Has TensorBoard read what was logged since, and returns when it has.
    provider
        The data provider that the application reads by.
    """

    def __init__(self, app: Any, provider: DataProvider, reload: Callable[[], None]) -> None:
        super().__init__(app)
        self.provider = provider
        self.reload = reload

    def sonify(self, route: str, **query: object) -> TestResponse:
        """The plugin's answer."""
        return self.get(f"/data/plugin/sonify/{route}", query_string=query)

    def json_of(self, route: str, **query: object) -> Any:
        """The plugin's answer, which must be JSON."""
        response = self.sonify(route, **query)
        assert response.status_code == 200, response.text
        return response.json

    def block_of(self, route: str, **query: object) -> Block:
        """The plugin's answer, which must be a block."""
        response = self.sonify(route, **query)
        assert response.status_code == 200, response.text
        assert response.content_type == "application/x-sonify-block"
        return decode_block(response.data)


@contextmanager
def opened_client(logdir: Path | str, loader: str, *options: str) -> Iterator[TensorBoardClient]:
    """A client of TensorBoard's application, once it has read all that is there."""
    tensorboard = _configured(logdir, *options)
    flags = tensorboard.flags
    local = LocalDataIngester(flags)

    def reload() -> None:
        local.start()
        if loader == "fast":
            _wait_until_alike(provider, local.data_provider)

    with ExitStack() as stack:
        provider = stack.enter_context(_fast(flags)) if loader == "fast" else local.data_provider
        reload()
        app = TensorBoardWSGIApp(flags, tensorboard.plugin_loaders, provider)
        yield TensorBoardClient(app, provider, reload)


def local_provider(logdir: Path) -> DataProvider:
    """What the slow loader has read of a log directory."""
    ingester = LocalDataIngester(_configured(logdir).flags)
    ingester.start()
    return ingester.data_provider


def _configured(logdir: Path | str, *options: str) -> program.TensorBoard:
    tensorboard = program.TensorBoard([*default.get_static_plugins(), SonifyLoader])
    tensorboard.configure(["tensorboard", "--logdir", str(logdir), *options])
    tensorboard.flags.reload_interval, tensorboard.flags.reload_task = 0, "blocking"
    return tensorboard


@contextmanager
def _fast(flags: Any) -> Iterator[DataProvider]:
    ingester = SubprocessServerDataIngester(
        server_binary=get_server_binary(),
        logdir=flags.logdir,
        reload_interval=1,
        channel_creds_type=grpc_util.ChannelCredsType.LOCAL,
        samples_per_plugin=flags.samples_per_plugin,
    )
    with warnings.catch_warnings():
        # It leaves its process to be ended by the end of its input.
        warnings.simplefilter("ignore", ResourceWarning)
        ingester.start()
    try:
        yield ingester.data_provider
    finally:
        ingester._stdin_handle.close()


def _wait_until_alike(provider: DataProvider, complete: DataProvider) -> None:
    """Wait until a provider has read all that another one has."""
    deadline = time.monotonic() + 30
    while (found := _newest(provider)) != (wanted := _newest(complete)):
        assert time.monotonic() < deadline, f"has read {found}, not {wanted}"
        time.sleep(0.02)


def _newest(provider: DataProvider) -> dict[tuple[str, str], float]:
    """When the newest value of each tag was written."""
    listings = (
        provider.list_scalars(RequestContext(), experiment_id="", plugin_name="scalars"),
        provider.list_blob_sequences(RequestContext(), experiment_id="", plugin_name="sonify"),
        provider.list_blob_sequences(RequestContext(), experiment_id="", plugin_name="audio"),
    )
    return {
        (run, tag): series.max_wall_time
        for listing in listings
        for run, tags in listing.items()
        for tag, series in tags.items()
    }
