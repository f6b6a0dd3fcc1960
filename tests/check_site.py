"""The site that `make docs` has built: its links, its sounds, and its pages in a browser."""

import re
import threading
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyloudnorm
import pytest
import soundfile
from playwright.sync_api import Browser, sync_playwright

from tests.axe import OF_COLOURS, RULES, violations
from tests.browser import find

SITE = Path(__file__).parent.parent / "build" / "site"
PAGES = sorted(SITE.glob("*.html"))
LOADED = {"audio": "src", "img": "src", "link": "href", "script": "src", "source": "src"}


class Page(HTMLParser):
    """What a page links to, what it loads, and what can be linked to in it."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value for name, value in attrs if value is not None}
        self.ids.update(given[name] for name in ("id", "name") if name in given)
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in LOADED and given.get(LOADED[tag]) and given.get("rel") != "canonical":
            self.loads.append(given[LOADED[tag]])


def pages() -> dict[str, Page]:
    return {path.name: Page(path) for path in PAGES}


def test_every_link_leads_somewhere():
    read = pages()
    broken = []
    for name, page in read.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = unquote(parts.path) or name
            known = read[target].ids if target in read else None
            if not (SITE / target).exists() or (
                parts.fragment and known is not None and unquote(parts.fragment) not in known
            ):
                broken.append((name, link))
    assert len(read) > 15
    assert broken == []


def test_nothing_is_loaded_from_elsewhere():
    for name, page in pages().items():
        for each in page.loads:
            assert not urlsplit(each).netloc, (name, each)
            assert (SITE / unquote(urlsplit(each).path)).exists(), (name, each)
    sheets = "".join(path.read_text() for path in SITE.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)\s]+", sheets) == []


def test_every_sound_decodes_and_is_as_loud_as_the_others():
    played = {each for page in pages().values() for each in page.loads if each.endswith(".flac")}
    assert {f"sounds/{path.name}" for path in (SITE / "sounds").glob("*.flac")} == played
    levels = {}
    for each in played:
        sound, rate = soundfile.read(SITE / each)
        levels[each] = pyloudnorm.Meter(rate).integrated_loudness(sound)
    assert len(levels) > 30
    assert {name: level for name, level in levels.items() if not -26 <= level <= -14} == {}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The site under a path of a plain file server."""
    handler = partial(Quiet, directory=str(SITE.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/{SITE.name}/"
        server.shutdown()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=find(), args=["--autoplay-policy=user-gesture-required"]
        )
        yield started
        started.close()


@pytest.mark.parametrize(
    ("scheme", "width", "rules"), [("light", 390, RULES), ("dark", 1280, OF_COLOURS)]
)
@pytest.mark.parametrize("name", [path.name for path in PAGES])
def test_axe_finds_nothing_in_a_page_that_is_not_too_wide(
    address, chromium, name, scheme, width, rules
):
    """On a telephone, more can be wrong; in the dark, colours alone are others."""
    size = {"width": width, "height": 844}
    page = chromium.new_context(color_scheme=scheme, viewport=size).new_page()
    wrong: list[object] = []
    page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    page.on("request", lambda asked: asked.url.startswith(address) or wrong.append(asked.url))
    page.goto(address + name)
    wrong += violations(page, rules)
    assert wrong == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.context.close()


def test_a_sound_plays_after_a_click_and_the_playhead_follows(address, chromium):
    page = chromium.new_page()
    page.goto(address + "gallery.html")
    picture = page.locator(".picture").first
    picture.click(position={"x": 100, "y": 40})
    page.wait_for_function("document.querySelector('audio').currentTime > 0.5")
    page.wait_for_function("parseFloat(document.querySelector('.playhead').style.left) > 5")
    page.locator(".picture").nth(1).click(position={"x": 10, "y": 40})
    page.wait_for_function("!document.querySelectorAll('audio')[1].paused")
    assert page.evaluate("document.querySelectorAll('audio')[0].paused")
    page.close()


def test_the_recorded_demo_opens_in_the_dashboard(address, chromium):
    page = chromium.new_page()
    wrong: list[str] = []
    page.on("console", lambda said: said.type == "error" and wrong.append(said.text))
    page.goto(address + "demo/index.html")
    play = page.get_by_role("button", name="Play", exact=True)
    play.wait_for()
    page.get_by_text("explodes at step").first.wait_for()
    page.wait_for_function("play => !play.disabled", arg=play.element_handle())
    assert wrong == []
    page.close()
