"""The desk of runs in a tab, as a test reads it and steers it."""

import json

from playwright.sync_api import Locator

from tests.dashboard import Dashboard

FOCUS = """() => { const cell = document.activeElement.closest('[role=gridcell], [role=rowheader]');
  return cell && [cell.closest('[role=row]').dataset.row, Number(cell.ariaColIndex)]; }"""


def press(tab: Dashboard, *keys: str) -> None:
    for key in keys:
        tab.page.keyboard.press(key)


def at(tab: Dashboard) -> list | None:
    """The run and the column of the cell that has the focus."""
    return tab.frame.evaluate(FOCUS)


def row(tab: Dashboard, run: str) -> Locator:
    """The line of a run."""
    return tab.frame.locator(line_of(run))


def line_of(run: str) -> str:
    """A selector of the line of a run, whatever its name."""
    return f"[data-row={json.dumps(run, ensure_ascii=False)}]"


def rows(tab: Dashboard) -> list[str]:
    """The runs that are listed, in their order."""
    return tab.frame.locator("[data-row]").evaluate_all("rows => rows.map(r => r.dataset.row)")


def shown(tab: Dashboard) -> list[str]:
    """The runs whose curves are drawn."""
    eyes = tab.frame.locator("[data-row]:has(.eye[aria-pressed=true])")
    return eyes.evaluate_all("rows => rows.map(row => row.dataset.row)")
