"""Names and steps that nobody would make up, but somebody logs: nothing breaks, nothing is lost."""

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.dashboard import WAIT_MS
from tests.logs import norms_of, run_events, scalar_events, write_events
from tests.looks import look
from tests.state_runs import losses, write_run

SCRIPT = "<img src=x onerror=document.title='executed'>"
LONG = "very_" * 60
NAMES = {
    "html": SCRIPT,
    "quotes": """both 'kinds' of "quotes\"""",
    "slashes": "a/b/c",
    "backslashes": "C:\\runs\\1",
    "right-to-left": "\u202eevil\u202c ריצה",
    "emoji": "🎵🧪",
    "spaces": "  ",
    "template": "{{x}} ${y} %s %20 &amp;",
    "empty": "",
    "long": LONG,
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_shown_and_said_as_it_is(show, logdir, kind):
    name = NAMES[kind]
    as_file = {"": ".", SCRIPT: "<img src=x onerror=document.title=1>", LONG: LONG[:240]}
    layers = (name, f"{name}.1", "fc")
    norms, steps = norms_of(120, 3), np.arange(120)
    run = logdir / as_file.get(name, name)
    events = [*run_events(norms, steps, layers=layers), *scalar_events(name, losses(steps))]
    write_events(run, events)
    write_run(logdir / "z-other", seed=1)
    tab = show()
    page = tab.page
    page.locator("[data-row]:not([data-row='z-other'])").get_by_role("radio").first.check()
    if kind in ("quotes", "backslashes"):
        notice = page.locator(".problem", has_text="start TensorBoard with --load_fast=false")
        expect(notice).to_contain_text(f"\u2068{name}\u2069: TensorBoard's fast loader")
    tag = page.get_by_role("combobox", name="Curve")
    tag.select_option(value=name)
    expect(tag).to_have_value(name)
    expect(page.locator(".curve canvas")).to_be_visible(timeout=WAIT_MS)
    page.locator(".timeline").focus()
    for key in ("PageDown", "Space"):
        page.keyboard.press(key)
    tab.wait_for_sound()
    page.keyboard.press("Space")
    for key in ("w", "d"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Table", exact=True).click()
    look(page, f"name-{kind}")
    page.set_viewport_size({"width": 320, "height": 640})
    look(page, f"name-{kind}-320")
    assert page.title() == "Sonify"
    assert page.locator("img").count() == 0


@pytest.mark.parametrize(
    ("kind", "steps"),
    [
        ("repeated", [0, 1, 1, 1, 2, 3, 3, 4]),
        ("back", [0, 1, 2, 3, 4, 2, 3, 4, 5, 6]),
        ("late", list(range(10_000_000, 10_000_400))),
        ("sparse", [0, 1, 1_000_000, 1_000_000_000]),
        ("one", [7]),
        ("two", [7, 8]),
    ],
)
def test_steps_of_any_kind_are_drawn_and_heard(show, logdir, kind, steps):
    write_events(logdir / "odd", scalar_events("loss", losses(steps)))
    write_run(logdir / "norms", steps=sorted(set(steps)), seed=1)
    tab = show()
    page = tab.page
    first, last = min(steps), max(steps)
    for run in ("norms", "odd"):
        page.get_by_role("radio", name=f"A: \u2068{run}\u2069").check()
        expect(page.locator(".timeline")).to_have_attribute("data-run", run)
        page.locator(".timeline").focus()
        page.keyboard.press("Home")
        expect(page.locator(".timeline")).to_have_attribute("data-step", f"{first}.00")
        if len(steps) > 1:
            page.get_by_role("button", name="Play", exact=True).click()
            tab.wait_for_sound()
            page.locator(".timeline").focus()
            page.keyboard.press("Space")
        page.locator(".timeline").focus()
        page.keyboard.press("End")
        expect(page.locator(".timeline")).to_have_attribute("data-step", f"{last}.00")
        look(page, f"steps-{kind}-{run}")


def test_a_series_of_one_point_is_shown_and_said(show, logdir):
    write_events(logdir / "one", scalar_events("loss", [(7, 0.5)]))
    write_run(logdir / "norms", seed=1)
    tab = show()
    tab.page.get_by_role("radio", name="A: \u2068one\u2069").check()
    expect(tab.page.locator(".curve canvas")).to_be_visible()
    look(tab.page, "one-point")
