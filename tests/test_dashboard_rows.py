"""Zooming in, until every row of a long run is heard by itself."""

import numpy as np

from tests.dashboard import WAIT_MS
from tests.logs import norms_of, run_events, scalar_events, write_events

ROWS = 20_000  # the last notes sum up 4
ASKED = """performance.getEntriesByType('resource').map(({name}) => name)
    .filter((name) => name.includes('rows_from'))"""


def write_long_run(logdir):
    losses = [(step, 2.0 - step / ROWS) for step in range(0, ROWS, 100)]
    events = run_events(norms_of(ROWS), np.arange(ROWS), presets=())
    write_events(logdir / "run", [*events, *scalar_events("loss", losses)])


def test_a_click_where_one_has_zoomed_in_plays_the_very_row(serve_once, open_tab):
    tab = open_tab(serve_once(write_long_run))
    place, mouse = tab.place(), tab.page.mouse
    mouse.move(place.x(14_900), place.y)
    mouse.down()
    mouse.move(place.x(15_150), place.y)
    mouse.up()
    tab.frame.wait_for_function(f"{ASKED}.some((name) => name.includes('/clip?'))", timeout=WAIT_MS)
    first, last = tab.seen()
    assert last - first < 350
    inside = round((first + last) / 2) // 4 * 4 + 2  # a note of four begins two rows before
    mouse.click(tab.place().x(inside), place.y)
    heard = tab.heard_from()
    assert abs(heard - inside) <= 1
    assert len([name for name in tab.frame.evaluate(ASKED) if "/coverage?" in name]) == 1
