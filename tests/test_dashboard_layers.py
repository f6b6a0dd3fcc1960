"""Many layers in the tab: modules, filter, order, the table of numbers, and names of any kind."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from tests.controls import panel, reveal
from tests.dashboard import ALONE, WAIT_MS
from tests.lanes import LAYERS, Lanes, known_norms, seen_row, write, write_known
from tests.logs import norms_of, run_events, write_events
from tests.looks import look

PARTS = ("q", "k", "v", "out", "up", "down", "norm1", "norm2")
BIG = tuple(f"encoder.{at // 8}.{PARTS[at % 8]}" for at in range(200))
HOSTILE = ("<img src=x onerror=alert(1)>.a", "<img src=x onerror=alert(1)>.b", "\"q'/\\", "")
HOSTILE += ("\u202ertl.x", "\u202ertl.y", "\U0001f600." + "x" * 300, "\U0001f600.y", "__proto__")


def write_big(logdir):
    """Write two runs with 200 layers, in one of them a spike, and two with steps of their own."""
    norms = norms_of(1_000, 200)
    write(logdir / "b", norms, BIG)
    norms[600, 77] = 1e6
    write(logdir / "a", norms, BIG)
    for name, stride in (("each", 1), ("other", 2)):
        steps = np.arange(0, 400 * stride, stride)
        write_events(logdir / name, run_events(known_norms(), steps, layers=LAYERS))


def write_hostile(logdir):
    write(logdir / "a", norms_of(50, len(HOSTILE)), HOSTILE)


@pytest.fixture
def lanes(serve_once, open_tab):
    return Lanes(open_tab(serve_once(write_known)))


@pytest.fixture
def big(serve_once, open_tab):
    return Lanes(open_tab(serve_once(write_big)))


def count(lanes, name="a"):
    """How many rows a lane has."""
    return int(re.search(r"of (\d+):", lanes.row(name))[1])


def press_on(lanes, name, key="Enter"):
    """Press a key on a button."""
    lanes.frame.get_by_role("button", name=name).first.focus()
    lanes.press(key)


def test_modules_are_closed_and_opened_with_keys_and_lose_nothing(lanes):
    module = lanes.frame.get_by_role("button", name="block1 2", exact=True)
    expect(module).to_have_attribute("aria-expanded", "true")
    lanes.tab_to("a")
    for _ in range(2):
        lanes.press("ArrowDown")
    assert lanes.row("a") == "Gradient norms of A, a, 3 of 6: block1.b"
    module.focus()
    lanes.press("Enter")
    expect(module).to_have_attribute("aria-expanded", "false")
    assert lanes.row("a") == "Gradient norms of A, a, 2 of 5: block1"
    assert lanes.row("b") == "Gradient norms of B, b, 2 of 4: block1"
    spike = lanes.colours("a", 120, seen_row(1, 5), pixels=1)[0]
    assert spike[0] > 200 > 150 > lanes.colours("a", 125, seen_row(1, 5), pixels=1)[0][0]
    lanes.tab_to("a")
    expect(lanes.status).to_have_text("block1, 2 layers, the largest 2, early and middle")
    press_on(lanes, "Close all")
    assert count(lanes) == 4  # conv, block1, block2, head
    assert [179, 38, 30] in lanes.colours("a", 310, seen_row(2, 4))
    press_on(lanes, "Open all", "Space")
    assert count(lanes) == 6


def test_200_layers_begin_as_modules_and_are_all_to_be_had(big):
    assert count(big) == 25
    assert big.colours("a", 600, seen_row(9, 25), pixels=1)[0][0] > 200
    press_on(big, "Open all")
    assert count(big) == 200
    assert 150 < big.lane("a").bounding_box()["height"] <= 200
    assert big.colours("a", 600, seen_row(77, 200), pixels=1)[0][0] > 200
    big.tab_to("a")
    for _ in range(3):
        big.press("ArrowDown")
    label = big.lane("a").locator(".focused")
    expect(label).to_contain_text(BIG[3])
    assert label.bounding_box()["height"] >= 28
    expect(label.locator(".number")).to_have_text(re.compile(r"^[\d.e−]+$"))


def test_the_filter_and_the_order_of_rows(big):
    search = big.frame.get_by_label("Filter layers")
    search.focus()
    big.tab.page.keyboard.type("9.")
    expect(big.lane("a")).to_have_attribute("aria-label", re.compile("1 of 16: "))
    assert "encoder.9.q" in big.row("a")
    search.fill("no such layer")
    expect(big.lane("a")).to_have_attribute("aria-label", re.compile(", none$"))
    expect(big.lane("a")).to_contain_text("No layer has “no such layer” in its name.")
    search.fill("")
    reveal(big.frame.get_by_label("Layers", exact=True)).select_option("largest first")
    big.press("Escape")
    assert "1 of 25: encoder.9" in big.row("a")
    press_on(big, "Open all")
    assert f"1 of 200: {BIG[77]}" in big.row("a")
    assert f"1 of 200: {BIG[77]}" in big.row("b")


def test_few_layers_need_no_filter(lanes):
    assert lanes.frame.get_by_label("Filter layers").count() == 0


def test_pixels_follow_the_axis_also_where_it_is_not_that_of_steps(serve_once, open_tab):
    """Run B logs every other step, and a row a second as A does."""
    path = f"{ALONE}#p.sonify.a=each&p.sonify.b=other"
    tab = open_tab(serve_once(write_big), path=path)
    lanes = Lanes(tab)
    for measure, spike in (("step", 240), ("time", 120), ("share", 120)):
        reveal(tab.frame.get_by_label("Along x")).select_option(measure)
        lanes.rest()
        row = seen_row(2, len(LAYERS))
        # The place is told in steps of A, which on other axes lie on those of B.
        spikes = [lanes.colours("b", spike + off, row, pixels=1)[0][0] for off in (0, -9, 9)]
        assert spikes[0] > 200 > 180 > max(spikes[1:]), measure


def table(lanes, run):
    """The table of a run's layers, row by row."""
    rows = lanes.frame.get_by_role("table", name=f"Layers of {run}").locator("tbody tr")
    expect(rows.first).to_be_visible(timeout=WAIT_MS)
    return [row.split("\t") for row in rows.all_inner_texts()]


def test_the_table_has_the_numbers_of_numpy_for_what_is_seen(lanes):
    panel(lanes.frame, "Layers")
    norms = known_norms()
    found = table(lanes, "A, a")
    assert [row[0] for row in found] == list(LAYERS)
    for layer, (_, low, median, high, nan, inf, step) in enumerate(found):
        finite = norms[np.isfinite(norms[:, layer]), layer]
        assert float(low) == finite.min()
        assert float(median) == np.median(finite)
        assert float(high) == finite.max()
        assert int(nan) == np.isnan(norms[:, layer]).sum()
        assert int(inf) == np.isinf(norms[:, layer]).sum()
        assert int(step) == np.flatnonzero(norms[:, layer] == finite.max())[0]
    assert len(table(lanes, "B, b")) == 5
    lanes.frame.locator(".timeline").focus()
    for key in ("End", "+", "+"):
        lanes.press(key)
    lanes.rest()
    (nans,) = [row[4] for row in table(lanes, "A, a") if row[0] == "block2.a"]
    assert nans == "100"
    assert table(lanes, "A, a")[2][3] == "2"  # the spike is not seen


def test_the_table_is_sorted_by_keys_and_says_so(lanes):
    panel(lanes.frame, "Layers")
    table(lanes, "A, a")
    head = lanes.frame.get_by_role("columnheader", name="Max", exact=True).first
    orders = []
    for _ in range(3):
        head.get_by_role("button").focus()
        lanes.press("Enter")
        first = table(lanes, "A, a")[0][0]
        orders.append((head.get_attribute("aria-sort"), first))
    assert orders == [("descending", "block1.b"), ("ascending", "block1.a"), (None, "conv")]


def test_names_of_any_kind_are_shown_as_they_are(serve_once, open_tab):
    tab = open_tab(serve_once(write_hostile))
    lanes = Lanes(tab)
    width = tab.frame.evaluate("document.documentElement.scrollWidth")
    assert width <= tab.frame.evaluate("document.documentElement.clientWidth")
    panel(lanes.frame, "Layers")
    rows = table(lanes, "a")
    shown = [name if name.strip() else "(no name)" for name in HOSTILE]
    assert [row[0] for row in rows] == shown
    names = lanes.lane("a").locator(".names .name").all_text_contents()
    assert sorted(names) == sorted(shown)
    lanes.tab_to("a")
    for _ in HOSTILE:
        lanes.press("ArrowDown")
    assert tab.frame.locator("img").count() == 0


@pytest.mark.parametrize("colours", ["none", "active"])
def test_axe_finds_nothing_in_lanes_and_tables(serve_once, open_tab, colours):
    page = open_tab(serve_once(write_known), forced_colors=colours).page
    reveal(page.get_by_label("Difference of A and B")).check(timeout=WAIT_MS)
    page.keyboard.press("Escape")
    panel(page, "Layers")
    page.get_by_role("button", name="Close all").click()
    page.locator("table.layers").first.wait_for(timeout=WAIT_MS)
    page.locator(".heatmap.a").focus()
    page.keyboard.press("ArrowDown")
    look(page, f"lanes-{colours}")
