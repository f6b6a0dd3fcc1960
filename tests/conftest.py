"""What tests of several files are given."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.client import TensorBoardClient


@pytest.fixture(params=["fast", "slow"])  # --load_fast=true and =false
def open_client(request: pytest.FixtureRequest) -> "Iterator[Callable[..., TensorBoardClient]]":
    """Opens a client of TensorBoard over a log directory, with options of its command line."""
    from tests.client import opened_client

    with ExitStack() as stack:
        yield lambda logdir, *options: stack.enter_context(
            opened_client(logdir, request.param, *options)
        )


@pytest.fixture
def prompt_news(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the plugin look for news at each request, not once a second."""
    monkeypatch.setattr("tb_sonify.reading.store.REFRESH_SECONDS", 0.0)


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """A real Chromium."""
    from playwright.sync_api import sync_playwright

    from tests.browser import find

    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find(), args=quiet)
        yield chromium
        chromium.close()
