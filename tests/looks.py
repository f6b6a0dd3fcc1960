"""How the dashboard looks in a state: to the eye, to axe-core, and to a screen reader.

SONIFY_SCREENSHOTS=<directory> keeps a picture of every state, light and dark.
SONIFY_GOLDEN=write takes the accessibility trees as they are for right.
"""

import os
import re
from difflib import unified_diff
from pathlib import Path

from playwright.sync_api import Page

from tests.axe import OF_COLOURS, RULES, violations

SCREENSHOTS = os.environ.get("SONIFY_SCREENSHOTS")
WRITE = os.environ.get("SONIFY_GOLDEN") == "write"
GOLDEN = Path(__file__).with_name("golden")
SETTLE = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))
  .then(() => document.getAnimations().filter(({ effect }) => effect.getTiming().iterations < 1e3))
  .then((finite) => Promise.allSettled(finite.map(({ finished }) => finished)))
  .then(() => true)"""
# What differs from one test to the next.
LOADING = re.compile(r"^( *- status): Load.*$", re.MULTILINE)  # said where it takes its time
ADDRESS = re.compile(r"^ *- /url: .*\n", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w#])[-+−]?\d[\d,.]*(e[-+−]?\d+)?")


def look(page: Page, state: str, *, masked: bool = False, golden: bool = False) -> None:
    """Look at a dashboard without TensorBoard's frame, by light and in the dark.

    Nothing may be wrong for axe-core, or wider than the page. With `golden`, the accessibility
    tree is to be that of the state; `masked`, whatever the numbers in it are.
    """
    if golden:
        _compare(page, state, masked=masked)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_function(SETTLE)
        photograph(page, f"{state}-{scheme}")
        found = violations(page, RULES if scheme == "light" else OF_COLOURS)
        assert not found, found
    assert_fits(page)


def photograph(page: Page, name: str) -> None:
    """Keep a picture of what is seen, where somebody wants to have it."""
    if SCREENSHOTS:
        page.screenshot(path=Path(SCREENSHOTS) / f"{name}.png")


def assert_fits(page: Page) -> None:
    """Nothing makes the page as a whole wider than the window."""
    wide = page.evaluate(
        """() => [...document.querySelectorAll("main, main > *, .stage, .stage > *, dialog[open]")]
        .filter((each) => each.getBoundingClientRect().right > innerWidth + 1)
        .map((each) => each.className)"""
    )
    assert not wide, wide
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _compare(page: Page, state: str, *, masked: bool) -> None:
    tree = ADDRESS.sub("", page.locator("main").aria_snapshot() + "\n")
    tree = LOADING.sub(r"\1", tree)
    if masked:
        tree = NUMBER.sub("#", tree)
    path = GOLDEN / f"{state}.yaml"
    if WRITE:
        path.write_text(tree, encoding="utf-8")
    expected = path.read_text(encoding="utf-8") if path.exists() else ""
    changed = list(unified_diff(expected.splitlines(), tree.splitlines(), lineterm="", n=1))
    assert not changed, (
        f"{path.name} is no longer right; if it should not be, SONIFY_GOLDEN=write\n"
        + "\n".join(changed)
    )
