"""Fresh pages, in which nothing may go wrong unnoticed, and faults of their network."""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Route

WAIT_SECONDS, POLL_MS = 60, 20
# Not ours: fonts that TensorBoard does not find under a path prefix, and an icon it does not have.
NOT_OURS = re.compile(r"/font-roboto/|status of 404 .*/favicon\.ico\)$")
# Writes down what is said and when, what is notified, and which tones sound.
LISTEN = """(() => {
  window.said = [];
  window.notified = [];
  window.tones = [];
  window.Notification = class {
    static permission = "default";
    static requestPermission = async () => (window.Notification.permission = "granted");
    constructor(title, { body }) { window.notified.push(`${title}: ${body}`); }
  };
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (...when) {
    if (this.context.state === "running") window.tones.push(this.frequency.value);
    return start.apply(this, when);
  };
  const note = () => {
    const text = document.querySelector("#spoken")?.textContent;
    if (text && text !== window.said.at(-1)?.[1]) window.said.push([performance.now(), text]);
  };
  new MutationObserver(note).observe(document, {
    subtree: true, childList: true, characterData: true });
})()"""


@contextmanager
def fresh_page(browser: Browser, *, expected: Sequence[str] = (), **options: Any) -> Iterator[Page]:
    """A page without activation by an earlier one; at the end, it must not have complained.

    `expected` are regular expressions for what it may complain of.
    """
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    try:
        page = context.new_page()
        problems = problems_of(page, expected)
        yield page
        assert not problems, "the page must not complain, it did:\n" + "\n".join(problems)
    finally:
        context.close()


def problems_of(page: Page, expected: Sequence[str] = ()) -> list[str]:
    """What a page complains of from now on: exceptions, console errors, what its policy blocks."""
    problems: list[str] = []

    def note(text: str) -> None:
        if not any(re.search(pattern, text) for pattern in expected):
            problems.append(text)

    def hear(message: ConsoleMessage) -> None:
        text = f"{message.text} ({message.location.get('url', '')})"
        if message.type == "error" and not NOT_OURS.search(text):
            note(text)

    page.on("console", hear)
    page.on("pageerror", lambda error: note(str(error)))
    return problems


def wait_until(page: Page, condition: Callable[[], Any]) -> None:
    """Wait until a condition holds, of what the page sends or shows."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it must come to hold"
        page.wait_for_timeout(POLL_MS)


def routed(page: Page, route: str, answer: Callable[[Route], Any]) -> None:
    """Have all requests of a route of ours go another way; that is the network, not our code."""
    page.route(re.compile(rf"/plugin/sonify/{route}\?"), answer)


def fail(route: Route) -> None:
    """Answer as a server does that has failed."""
    route.fulfill(status=500, body="the disk is on fire", content_type="text/plain")
