"""Zooming in, until every row of a long run is heard by itself."""

import numpy as np
import pytest

from tests.logs import norms_of, run_events, scalar_events, write_events

ROWS = 20_000  # the last notes sum up 4
ASKED = """performance.getEntriesByType('resource').map(({name}) => name)
    .filter((name) => name.includes('rows_from'))"""


@pytest.fixture
def tab(logdir, show):
    losses = [(step, 2.0 - step / ROWS) for step in range(0, ROWS, 100)]
    events = run_events(norms_of(ROWS), np.arange(ROWS), presets=())
    write_events(logdir / "run", [*events, *scalar_events("loss", losses)])
    return show()


def test_a_click_where_one_has_zoomed_in_plays_the_very_row(tab):
    place = tab.place()
    tab.page.mouse.move(place.x(15_000), place.y)
    tab.page.keyboard.down("Control")
    while tab.seen()[1] - tab.seen()[0] > 300:
        tab.page.mouse.wheel(0, -200)
        tab.page.wait_for_timeout(50)
    tab.page.keyboard.up("Control")
    tab.frame.wait_for_function(f"{ASKED}.some((name) => name.includes('/clip?'))")
    first, last = tab.seen()
    inside = round((first + last) / 2) // 4 * 4 + 2  # a note of four begins two rows before
    tab.page.mouse.click(tab.place().x(inside), place.y)
    heard = tab.heard_from()
    assert abs(heard - inside) <= 1
    assert len([name for name in tab.frame.evaluate(ASKED) if "/coverage?" in name]) == 1
