"""What axe-core finds wrong in a page: WCAG 2.0 A to 2.2 AA, and best practice."""

from pathlib import Path
from typing import Any

from playwright.sync_api import Frame, Page

SOURCE = Path(__file__).parent.parent / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
OF_COLOURS = (
    "color-contrast",
    "link-in-text-block",
)  # the rest is the same by light and in the dark
CHECK = """rules => axe.run({ runOnly: rules, selectors: false, resultTypes: ["violations"] })
  .then(({ violations }) =>
    violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html.slice(0, 200))]))"""


# A control, with its label where it is in it, is 24 pixels wide and high; a checkbox beside its
# label may be smaller, where nothing else is as near.
SMALL = """() => [...document.querySelectorAll("button, a[href], select, summary, input")]
  .filter(each => each.checkVisibility() && !["checkbox", "radio"].includes(each.type))
  .map(each => [each, (each.closest("label") ?? each).getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 23.9 || height < 23.9)
  .map(([each]) => each.outerHTML.slice(0, 200))"""


def violations(frame: Frame | Page, rules: tuple[str, ...] = RULES) -> list[Any]:
    """Each violated rule, with the elements that violate it; this evaluates."""
    if not frame.evaluate("'axe' in window"):
        frame.evaluate(SOURCE.read_text())
    found: list[Any] = frame.evaluate(CHECK, rules)
    return found


def small_targets(frame: Frame | Page) -> list[str]:
    """The controls that are too small to be hit with ease."""
    found: list[str] = frame.evaluate(SMALL)
    return found
