"""A run of very many scalars: the one that is wanted can be found."""

from playwright.sync_api import expect

from tests.dashboard import WAIT_MS
from tests.logs import scalar_events, write_events

TAGS = 5_000


def test_a_curve_is_found_among_thousands_by_a_part_of_its_name(logdir, show):
    events = [
        event
        for number in range(TAGS)
        for event in scalar_events(f"group{number % 7}/metric{number}", [(0, 1.0), (1, number)])
    ]
    write_events(logdir / "run", [*events, *scalar_events("loss", [(0, 1.0), (1, 0.5)])])
    tab = show()
    options = tab.frame.locator("#tag option")
    expect(options).to_have_count(TAGS + 1, timeout=WAIT_MS)
    tab.frame.get_by_role("searchbox", name="Filter curves").fill("METRIC123")
    expect(options).to_have_count(12)  # metric123, metric1230 to 1239, and what is drawn
    tab.frame.locator("#tag").select_option("group1/metric1233")
    tab.frame.wait_for_function(
        "performance.getEntriesByType('resource').some(({name}) =>"
        " name.includes('/curve?') && name.includes('metric1233'))",
        timeout=WAIT_MS,
    )
    assert tab.frame.locator("#tag").input_value() == "group1/metric1233"
