"""The curve: a range that outliers do not squeeze, values where one looks, flags of landmarks."""

import re
from itertools import pairwise

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.dashboard import ALONE
from tests.logs import norms_of, run_events, scalar_events, write_events
from tests.pages import wait_until

STEPS = 200

# Of all rows of pixels of the plot, from the topmost to the lowest that has a colour.
SHARE = """(canvas, colour) => {
  const { width, height } = canvas;
  const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
  const close = (at) => colour.every((channel, index) => Math.abs(data[at + index] - channel) < 9);
  const rows = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width - 40; x++) if (close(4 * (y * width + x))) { rows.push(y); break; }
  }
  return (rows.at(-1) - rows[0]) / (height - 50 * devicePixelRatio);
}"""


def loss_of(seed):
    noise = np.random.default_rng(seed).normal(0, 0.3, STEPS)
    return 2.3 * 10 ** (noise * np.linspace(0, 1, STEPS) - np.linspace(0, 1, STEPS))


def write_explosion(logdir):
    """Two healthy runs, and one that explodes to 4e16 and comes back to where it began."""
    exploding = np.full(STEPS, 2.3)
    exploding[1:16] = 10 ** np.linspace(16.6, 1, 15)
    for name, loss in (("a", loss_of(1)), ("b", loss_of(2)), ("c", exploding)):
        points = [(step, float(value)) for step, value in enumerate(loss)]
        norms = norms_of(STEPS, 2)
        if name == "c":
            norms[20:40] = np.nan
        events = run_events(norms, np.arange(STEPS), session=1_000.0, layers=("fc1", "fc2"))
        write_events(logdir / name, [*events, *scalar_events("loss", points, start=1_000.0)])


@pytest.fixture
def tab(serve_once, open_tab):
    return open_tab(serve_once(write_explosion), path=f"{ALONE}#p.sonify.a=a&p.sonify.b=b")


def share_of(tab, side):
    """How much of the height of the plot the line of a side takes."""
    colour = (
        tab.frame.locator(".legend line")
        .nth(side)
        .evaluate(r"line => getComputedStyle(line).stroke.match(/\d+/g).map(Number)")
    )
    return tab.frame.locator(".curve canvas").evaluate(SHARE, colour)


def test_an_explosion_leaves_the_picture_unless_it_is_asked_for(tab):
    title = tab.frame.locator(".y-title")
    expect(title).to_contain_text(re.compile(r"^log; 1\d points beyond"))
    assert min(share_of(tab, 0), share_of(tab, 1)) >= 0.6
    show = tab.frame.get_by_role("button", name="Show outliers")
    expect(show).to_have_attribute("aria-pressed", "false")
    show.focus()
    tab.page.keyboard.press("Enter")
    expect(show).to_have_attribute("aria-pressed", "true")
    expect(title).not_to_contain_text("beyond")
    wait_until(tab.page, lambda: share_of(tab, 1) < 0.3)
    assert tab.frame.evaluate("localStorage.getItem('tb_sonify.outliers')") == "true"
    tab.frame.locator(".timeline").focus()
    for said in (r"1\d outliers are left out", r"All points are shown, up to \de1\d"):
        tab.page.keyboard.press("Shift+O")
        expect(tab.frame.locator("#spoken")).to_have_text(re.compile(said))


def test_the_legend_reads_the_values_at_the_playhead(tab):
    values = tab.frame.get_by_role("list", name="Runs in the curve").locator(".number")
    tab.frame.locator(".timeline").focus()
    tab.page.keyboard.press("Home")
    expect(values).to_have_text(["2.3", "2.3"])
    tab.page.keyboard.press("End")
    last = [f"{float(f'{loss_of(seed)[-1]:.4g}'):g}" for seed in (1, 2)]
    expect(values).to_have_text(last)


def test_the_crosshair_lists_the_runs_nearest_first_and_is_never_spoken(tab):
    place = tab.place()
    box = tab.frame.locator(".curve canvas").bounding_box()
    crosshair = tab.frame.locator(".hairline")
    rows = crosshair.locator("li")
    tab.page.mouse.move(place.x(100), box["y"] + box["height"] - 20)
    expect(crosshair).to_contain_text("step 100 · 0:06.0 · 1:40 into the run")
    low = ["ABc"[index] for index in np.argsort([loss_of(1)[100], loss_of(2)[100], 2.3])]
    names = {"A": "A a", "B": "B b", "c": "c"}
    expect(rows.locator("bdi")).to_have_text([names[name] for name in low])
    tab.page.mouse.move(place.x(100), box["y"] + 50)
    expect(rows.locator("bdi")).to_have_text([names[name] for name in reversed(low)])
    behind = rows.filter(has_text=re.compile("^c"))
    expect(behind.locator("span")).to_have_text("2.3")
    difference = f"+{2.3 - loss_of(1)[100]:.4g}"
    expect(behind.locator("small")).to_have_text(difference)
    expect(crosshair).to_have_attribute("aria-hidden", "true")
    expect(tab.frame.locator("#spoken")).to_have_text("")
    tab.page.mouse.move(5, 5)
    expect(crosshair).to_have_count(0)
    tab.page.keyboard.press("Tab")
    tab.frame.locator(".timeline").focus()
    tab.page.keyboard.press("Home")
    expect(crosshair).to_contain_text("step 0")
    tab.page.keyboard.press("End")
    expect(crosshair).to_contain_text("step 199")


def write_landmarks(logdir):
    """A run that breaks once, and one that has hundreds of landmarks."""
    norms = norms_of(2_000, 1)
    norms[50] = np.nan
    events = run_events(norms, np.arange(2_000), session=1_000.0, layers=("fc",))
    write_events(logdir / "one", events)
    norms = norms_of(2_000, 40)
    rng = np.random.default_rng(4)
    for layer in range(40):
        norms[rng.integers(300, 1_900, 12), layer] *= 1e6
    layers = tuple(f"layer{number}" for number in range(40))
    write_events(
        logdir / "many", run_events(norms, np.arange(2_000), session=1_000.0, layers=layers)
    )


def test_landmarks_are_flags_that_play_and_those_that_would_overlap_are_one_with_a_count(
    serve_once, open_tab
):
    tab = open_tab(serve_once(write_landmarks), path=f"{ALONE}#p.sonify.a=one&p.sonify.b=many")
    flags = tab.frame.get_by_role("group", name="Landmarks on the ruler").get_by_role("button")
    named = tab.frame.get_by_role("group").get_by_role("button", name="A, step 50: NaN")
    expect(named).to_be_visible()
    counted = tab.frame.locator(".flag.group")
    wait_until(tab.page, lambda: counted.count() > 0)
    assert re.match(r"\d+ landmarks, steps [\d,]+ to", counted.first.get_attribute("aria-label"))
    boxes = [flag.bounding_box() for flag in flags.all()]
    for box, following in pairwise(boxes):
        assert box["x"] + box["width"] <= following["x"]
    expect(tab.frame.locator(".flag[tabindex='0']")).to_have_count(1)  # one stop of Tab for all
    named.focus()
    expect(named.locator("xpath=following-sibling::*")).to_be_visible()
    tab.page.keyboard.press("Enter")
    tab.wait_for_sound()
    assert tab.heard_from() < 50
    counted.first.click()
    wait_until(tab.page, lambda: tab.seen()[1] - tab.seen()[0] < 1_000)
