"""TensorBoard's web application in this process, by either of its loaders."""

import re
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from tensorboard.backend.event_processing.data_ingester import LocalDataIngester
from tensorboard.data.provider import DataProvider
from tensorboard.data.server_ingester import ExistingServerDataIngester
from tensorboard.util import grpc_util
from werkzeug.test import Client, TestResponse

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of the html5lib that it brings along
    from tensorboard import default, program
    from tensorboard.backend.application import TensorBoardWSGIApp

from tb_sonify.plugin.loader import SonifyLoader
from tb_sonify.schema.block import Block, decode_block
from tests.data_server import BINARY
from tests.waiting import ending, wait_until


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
    with (_fast if loader == "fast" else _slow)(tensorboard.flags) as (provider, reload):
        app = TensorBoardWSGIApp(tensorboard.flags, tensorboard.plugin_loaders, provider)
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
def _slow(flags: Any) -> Iterator[tuple[DataProvider, Callable[[], None]]]:
    ingester = LocalDataIngester(flags)
    ingester.start()
    yield ingester.data_provider, ingester.start


@contextmanager
def _fast(flags: Any) -> Iterator[tuple[DataProvider, Callable[[], None]]]:
    """The provider of a data server, and what waits until it has read what is there by now."""
    samples = ",".join(f"{name}={kept or 'all'}" for name, kept in flags.samples_per_plugin.items())
    how = ("--reload=1", f"--samples-per-plugin={samples}", "--port=0", "--verbose")
    command = [BINARY, f"--logdir={flags.logdir}", *how, "--die-after-stdin"]
    with (
        TemporaryFile("a+") as log,
        ending(subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log)) as server,
    ):

        def said(pattern: str) -> list[str]:
            log.seek(0)
            return re.findall(pattern, log.read())

        def wait_for(cycles: int) -> None:
            ended = "Finished load cycle"
            wait_until(lambda: len(said(ended)) >= cycles or server.poll() is not None, ended)
            assert server.poll() is None, said(".+")

        def reload() -> None:  # the cycle that goes on may have passed what was written since
            wait_for(len(said("Starting load cycle")) + 1)

        wait_until(lambda: said(r"listening on .*\n"), "the data server listens")
        (address,) = said(r"listening on (\S+)")
        local = grpc_util.ChannelCredsType.LOCAL
        provider = ExistingServerDataIngester(address, channel_creds_type=local).data_provider
        wait_for(1)
        yield provider, reload
