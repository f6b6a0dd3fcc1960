"""Names and steps that nobody would make up, but somebody logs: nothing breaks, nothing is lost."""

from urllib.parse import quote, urlencode

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.controls import panel
from tests.dashboard import ALONE, WAIT_MS
from tests.desk import row
from tests.logs import norms_of, run_events, scalar_events, write_events
from tests.looks import SETTLE, assert_fits, look, photograph
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
# Those that could leave a label empty, or end it early; for axe-core, all others are like them.
AUDITED = ("html", "right-to-left", "spaces", "empty")

STEPS = {
    "repeated": [0, 1, 1, 1, 2, 3, 3, 4],
    "back": [0, 1, 2, 3, 4, 2, 3, 4, 5, 6],
    "late": list(range(10_000_000, 10_000_400)),
    "sparse": [0, 1, 1_000_000, 1_000_000_000],
    "one": [7],
    "two": [7, 8],
}


def run_of(kind):
    """The name of the run that has a name, as far as a directory can have it."""
    name = NAMES[kind]
    return {"": ".", SCRIPT: "<img src=x onerror=document.title=1>", LONG: LONG[:240]}.get(
        name, name
    )


def write_runs(logdir):
    norms, at = norms_of(120, 3), np.arange(120)
    for kind, name in NAMES.items():
        layers = (name, f"{name}.1", "fc")
        events = [*run_events(norms, at, layers=layers), *scalar_events(name, losses(at))]
        write_events(logdir / run_of(kind), events)
    write_run(logdir / "z-other", seed=1)
    for kind, steps in STEPS.items():
        write_events(logdir / f"odd {kind}", scalar_events("loss", losses(steps)))
        write_run(logdir / f"norms {kind}", steps=sorted(set(steps)), seed=1)


@pytest.fixture
def show_run(serve_once, open_tab):
    """Shows a run in A, and another one in B."""

    def shown(a, b):
        link = urlencode({"p.sonify.a": a, "p.sonify.b": b}, quote_via=quote)
        return open_tab(serve_once(write_runs), path=f"{ALONE}#{link}")

    return shown


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_shown_and_said_as_it_is(show_run, kind):
    name = NAMES[kind]
    tab = show_run("norms two", "z-other")
    page = tab.page
    row(tab, run_of(kind)).get_by_role("radio").first.check()
    expect(page.locator(".timeline")).to_have_attribute("data-run", run_of(kind))
    if kind in ("quotes", "backslashes"):
        notice = page.locator(".problem", has_text="start TensorBoard with --load_fast=false")
        expect(notice).to_contain_text(f"{name}: TensorBoard's fast loader")
    tag = page.get_by_role("combobox", name="Curve")
    tag.select_option(value=name)
    expect(tag).to_have_value(name)
    expect(page.locator(".curve canvas")).to_be_visible(timeout=WAIT_MS)
    page.locator(".timeline").focus()
    for key in ("x", "Space"):
        page.keyboard.press(key)
    tab.wait_for_sound()
    for key in ("Space", "w", "d"):
        page.keyboard.press(key)
    expect(page.get_by_role("dialog", name="Description")).to_be_visible()
    page.keyboard.press("Escape")
    panel(page, "Table")
    if kind in AUDITED:
        look(page, f"name-{kind}")
    photograph(page, f"name-{kind}")
    page.set_viewport_size({"width": 320, "height": 640})
    page.wait_for_function(SETTLE)
    photograph(page, f"name-{kind}-320")
    assert_fits(page)
    assert page.title() == "Sonify"
    assert page.locator("img").count() == 0


@pytest.mark.parametrize("kind", STEPS)
def test_steps_of_any_kind_are_drawn_and_heard(show_run, kind):
    steps = STEPS[kind]
    tab = show_run(f"norms {kind}", f"odd {kind}")
    page = tab.page
    first, last = min(steps), max(steps)
    for run in (f"norms {kind}", f"odd {kind}"):
        page.get_by_role("radio", name=f"A: {run}").check()
        expect(page.locator(".timeline")).to_have_attribute("data-run", run)
        page.locator(".timeline").focus()
        page.keyboard.press("Home")
        expect(page.locator(".timeline")).to_have_attribute("data-step", f"{first}.00")
        if len(steps) > 1:
            page.get_by_role("button", name="Play", exact=True).click()
            tab.wait_for("tap.answered()")
            page.locator(".timeline").focus()
            page.keyboard.press("Space")
        page.locator(".timeline").focus()
        page.keyboard.press("End")
        expect(page.locator(".timeline")).to_have_attribute("data-step", f"{last}.00")
        expect(page.locator(".curve canvas")).to_be_visible()
        assert_fits(page)
    if kind == "one":
        look(page, "steps-one")
    photograph(page, f"steps-{kind}")
