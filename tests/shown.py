"""Fixtures of tests in a browser: Chromium, servers that tests share, pages that are ready."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.serving import INSECURE_HOST

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.dashboard import Dashboard
    from tests.screen import Screen

# Many servers that look for changes every second would keep a core busy.
UNCHANGED = ("--reload_interval", "600")
TIMEOUT_MS = 30_000  # of `expect`: the machine may be busy


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """A real Chromium."""
    from playwright.sync_api import expect, sync_playwright

    from tests.browser import find

    expect.set_options(timeout=TIMEOUT_MS)
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    named = f"--host-resolver-rules=MAP {INSECURE_HOST} 127.0.0.1"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find(), args=[*quiet, named])
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def serve_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Serves what a function writes into a log directory, once a session, and gives the address.

    It is for tests that leave the log directory and the server as they are.
    """
    from tests.serving import served

    addresses: dict[object, str] = {}
    with ExitStack() as stack:

        def serve(write: Callable[[Path], object], *options: str) -> str:
            key = (write, options)
            if key not in addresses:
                logdir = tmp_path_factory.mktemp(write.__name__)
                write(logdir)
                addresses[key] = stack.enter_context(served(logdir, *UNCHANGED, *options))
            return addresses[key]

        yield serve


@pytest.fixture
def open_tab(browser: "Browser") -> "Iterator[Callable[..., Dashboard]]":
    """Opens a server's dashboard in a fresh page, as soon as it can be heard.

    It is without TensorBoard's frame, unless another path is given; options are those of
    `dashboard.opened`.
    """
    from tests import dashboard

    with ExitStack() as stack:

        def opened(url: str, **options: Any) -> "Dashboard":
            how = {"path": dashboard.ALONE, **options}
            tab = stack.enter_context(dashboard.opened(browser, url, **how))
            tab.wait_until_ready()
            return tab

        yield opened


@pytest.fixture
def logdir(tmp_path: Path) -> Path:
    """Where the runs of `show` are to be written."""
    return tmp_path / "runs"


@pytest.fixture
def show(
    open_tab: "Callable[..., Dashboard]", logdir: Path
) -> "Iterator[Callable[..., Dashboard]]":
    """Opens the dashboard of the runs of `logdir`, with a server of its own."""
    from tests.serving import served

    with ExitStack() as stack:
        yield lambda **options: open_tab(stack.enter_context(served(logdir)), **options)


@pytest.fixture(scope="module")
def screen_of_all(browser: "Browser", serve_once: Callable[..., str]) -> "Iterator[Screen]":
    """The dashboard of three runs in a page that all tests of a file share."""
    from tests.screen import opened_screen, write_three_runs

    with opened_screen(browser, serve_once(write_three_runs)) as screen:
        yield screen


@pytest.fixture
def screen(screen_of_all: "Screen") -> "Iterator[Screen]":
    """The shared page, which each test loads anew, and which forgets what it was to remember."""
    from tests.pages import problems_of

    problems = problems_of(screen_of_all.page)
    yield screen_of_all
    screen_of_all.page.evaluate("localStorage.clear()")
    assert not problems
