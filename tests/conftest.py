"""What tests of several files are given."""

import fcntl
import gc
import math
import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

# Before numpy and torch are imported: workers with a thread for each core wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
pytest.register_assert_rewrite("tests.looks", "tests.pages")

from tests.serving import INSECURE_HOST  # noqa: E402
from tests.shown import (  # noqa: E402, F401
    browser,
    logdir,
    open_tab,
    screen,
    screen_of_all,
    serve_once,
    show,
)

# By marker, about how many seconds a test takes.
SECONDS = {"browser": 3, "package": 6, "server": 0.5, "statistics": 3, "training": 5}

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

    from tb_sonify import SonifyWriter
    from tests.client import TensorBoardClient
    from tests.forked import ForkServer


collect_ignore = ["scripts"]  # programs, which would train

# What is imported lives to the end: collecting garbage in between would take half of the time.
gc.disable()


def pytest_configure() -> None:
    """Let an example of Hypothesis take as long as the machine needs."""
    from hypothesis import settings

    settings.register_profile("patient", deadline=None)
    settings.load_profile("patient")


def pytest_collection_finish() -> None:
    """Collect garbage from now on, but not among modules."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a browser or a server, and put the files that take longest first.

    A test in a browser or of a server that fails is run once more, and listed: what is heard and
    seen in time depends on a sound thread or another process, which a machine that is busy for a
    second starves. Workers take files in this order, so that none is left with a long file at the
    end.
    """
    seconds: Counter[Path] = Counter()
    for item in items:
        for name in {"browser", "server"} & {*getattr(item, "fixturenames", ())}:
            item.add_marker(name)
        if any(item.get_closest_marker(name) is not None for name in ("browser", "server")):
            item.add_marker(pytest.mark.flaky(reruns=1))
        marks = (SECONDS.get(mark.name, 0) for mark in item.iter_markers())
        seconds[item.path] += max(marks, default=0)
    items.sort(key=lambda item: -seconds[item.path])


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Run a test marked `alone` while no other worker runs a test.

    Each locks two files of this checkout: the first as it waits, so that nobody overtakes it, the
    second while it runs, where the others share the lock. What a test forks inherits both, so that
    they are unlocked, not only closed.
    """
    alone = item.get_closest_marker("alone") is not None
    tests = Path(__file__).parent
    with (tests / "conftest.py").open() as waits, (tests / "waiting.py").open() as runs:
        fcntl.flock(waits, fcntl.LOCK_EX)
        fcntl.flock(runs, fcntl.LOCK_EX if alone else fcntl.LOCK_SH)
        fcntl.flock(waits, fcntl.LOCK_UN)
        try:
            return (yield)
        finally:
            fcntl.flock(runs, fcntl.LOCK_UN)


# --load_fast=true and =false of TensorBoard; the former is a process
@pytest.fixture(params=[pytest.param("fast", marks=pytest.mark.server), "slow"])
def open_client(request: pytest.FixtureRequest) -> "Iterator[Callable[..., TensorBoardClient]]":
    """Opens a client of TensorBoard over a log directory, with options of its command line."""
    from tests.client import opened_client

    with ExitStack() as stack:
        yield lambda logdir, *options: stack.enter_context(
            opened_client(logdir, request.param, *options)
        )


@pytest.fixture
def open_slow_client() -> "Iterator[Callable[..., TensorBoardClient]]":
    """As `open_client`, by one loader: for answers of what is the same once either has read it."""
    from tests.client import opened_client

    with ExitStack() as stack:
        yield lambda logdir, *options: stack.enter_context(opened_client(logdir, "slow", *options))


@pytest.fixture
def prompt_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the plugin look for news at each request, not once a second."""
    monkeypatch.setattr("tb_sonify.reading.limits.REFRESH_SECONDS", 0.0)


@pytest.fixture
def no_timers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the recorder end blocks by rows and calls alone, however long they take to come."""
    monkeypatch.setattr("tb_sonify.training.run_log._BLOCK_SECONDS", math.inf)


@pytest.fixture(scope="session")
def fork_server() -> "Iterator[ForkServer]":
    """Runs scripts without importing torch for each."""
    from tests.forked import ForkServer

    with closing(ForkServer()) as server:
        yield server


@pytest.fixture(scope="session", autouse=True)
def heed_signals() -> None:
    """Has programs heed signals, also where a shell runs the tests in its background, or nohup.

    What a process ignores is ignored by those that it starts; what it handles is not.
    """
    for each in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(each) is signal.SIG_IGN:
            signal.signal(each, lambda *_: None)


@pytest.fixture(scope="session", autouse=True)
def insecure_host() -> Iterator[None]:
    """Has Python find the insecure origin where Chromium finds it: on this machine."""
    find = socket.getaddrinfo

    def found(host: Any, *arguments: Any, **options: Any) -> Any:
        return find("127.0.0.1" if host == INSECURE_HOST else host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", found)
        yield


@pytest.fixture(scope="session", autouse=True)
def checksums_in_c() -> Iterator[None]:
    """Has TensorBoard's Python code compute checksums, which are a loop over bytes there, in C."""
    import google_crc32c
    from tensorboard.compat.tensorflow_stub import pywrap_tensorflow

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pywrap_tensorflow, "crc32c", google_crc32c.value)
        yield


@pytest.fixture
def writer(tmp_path: Path) -> "Iterator[SonifyWriter]":
    """Writes a run into `tmp_path`."""
    from tb_sonify import SonifyWriter

    with SonifyWriter(str(tmp_path)) as writer:
        yield writer


@pytest.fixture
def model() -> "nn.Module":
    """A network of two layers."""
    from tests.training import network

    return network()


@pytest.fixture
def optimizer(model: "nn.Module") -> "Optimizer":
    """Of `model`, which it changes little."""
    from tests.training import sgd

    return sgd(model)
