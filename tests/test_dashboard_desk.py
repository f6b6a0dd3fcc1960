"""The desk of runs with the keyboard alone."""

import re

import pytest
from playwright.sync_api import expect

from tests.dashboard import ALONE, TAB
from tests.desk import at, press, row, rows, shown
from tests.many_runs import PREFIX, write_crowd

A = f"{PREFIX}a-broken"


@pytest.fixture
def tab(request, serve_once, open_tab):
    tab = open_tab(serve_once(write_crowd), path=getattr(request, "param", ALONE))
    expect(tab.frame.get_by_role("grid")).to_have_attribute("aria-rowcount", "51")
    return tab


def enter(tab):
    """Come to the grid by Tab, from what is before it."""
    tab.frame.get_by_role("button", name="None").focus()
    press(tab, "Tab")


def test_the_grid_is_one_stop_and_arrows_go_from_cell_to_cell(tab):
    enter(tab)
    first = rows(tab)[0]
    assert at(tab) == [first, 1]
    press(tab, "ArrowRight", "ArrowRight", "ArrowRight")
    assert at(tab) == [first, 4]
    press(tab, "ArrowDown")
    assert at(tab) == [rows(tab)[1], 4]
    press(tab, "End")
    assert at(tab)[1] == 6
    press(tab, "Home", "ArrowLeft")
    assert at(tab) == [rows(tab)[1], 1]
    press(tab, "PageDown")
    assert at(tab) == [rows(tab)[11], 1]
    press(tab, "PageUp", "Control+End")
    assert at(tab) == [rows(tab)[-1], 6]
    press(tab, "Control+Home", "ArrowUp")
    assert at(tab) == [first, 1]
    press(tab, "ArrowDown", "Tab")
    assert at(tab) is None
    press(tab, "Shift+Tab")
    assert at(tab) == [rows(tab)[1], 1]


def test_runs_are_chosen_and_shown_by_keys(tab):
    enter(tab)
    press(tab, "Control+End", "Home", "Space")
    last = rows(tab)[-1]
    expect(row(tab, last).get_by_role("radio").first).to_be_checked()
    expect(tab.frame.locator(".status")).to_contain_text("A is now")
    assert row(tab, A).get_by_role("radio").first.is_checked() is False
    press(tab, "ArrowUp", "ArrowRight", "Enter")
    above = rows(tab)[-2]
    expect(row(tab, above).get_by_role("radio").last).to_be_checked()
    press(tab, "ArrowRight", "Enter")  # the eye of B, which stays
    assert {last, above} <= set(shown(tab))
    press(tab, "ArrowUp", "Enter")
    assert rows(tab)[-3] in shown(tab)
    press(tab, "Space")
    assert rows(tab)[-3] not in shown(tab)
    row(tab, last).get_by_role("radio").last.check()  # it was in A: the two change places
    expect(row(tab, above).get_by_role("radio").first).to_be_checked()
    expect(tab.frame.locator(".status")).to_have_text(re.compile("B is now .*, A is now"))


def test_gain_and_pan_are_set_by_keys_and_set_back(tab):
    head = tab.frame.get_by_role("region", name="Track A")
    gain, pan = (head.get_by_role("slider").nth(number) for number in (0, 1))
    head.get_by_role("button", name="Mute").focus()
    press(tab, "Tab", "ArrowLeft", "ArrowLeft", "ArrowRight")
    expect(gain).to_have_attribute("aria-valuetext", "−1 dB")
    press(tab, "End")
    expect(gain).to_have_attribute("aria-valuetext", "+12 dB")
    press(tab, "Delete")
    expect(gain).to_have_attribute("aria-valuetext", "0 dB")
    press(tab, "Tab")
    expect(pan).to_have_attribute("aria-valuetext", "automatic")
    press(tab, "Home")
    expect(pan).to_have_attribute("aria-valuetext", "100 % left")
    press(tab, "ArrowRight")
    expect(pan).to_have_attribute("aria-valuetext", "90 % left")
    pan.dblclick()
    expect(pan).to_have_attribute("aria-valuetext", "automatic")


@pytest.mark.parametrize("tab", [TAB], indirect=True)
def test_from_the_search_to_the_streams_all_is_done_by_keys(tab):
    tab.frame.get_by_role("searchbox").focus()
    tab.page.keyboard.type("/lr0|-/")
    assert len(rows(tab)) == 12
    press(tab, "Tab")
    tab.page.keyboard.type("by newest")
    expect(tab.frame.get_by_label("Sort runs")).to_have_value("newest")
    press(tab, "Tab", "Enter")
    best = shown(tab)
    assert 5 <= len(best) <= 7
    press(tab, "Tab", "Space")
    assert len(shown(tab)) == 12
    press(tab, "Tab", "Enter")
    assert len(shown(tab)) == 2
    press(tab, "Tab")
    assert at(tab) is not None


@pytest.mark.parametrize("tab", [TAB], indirect=True)
def test_layer_groups_are_heard_alone_by_keys(tab):
    name = re.compile("^Sound settings")
    tab.frame.get_by_role("button", name=name).focus()
    press(tab, "Enter")
    streams = tab.frame.get_by_role("region", name="Layer groups")
    solo, mute = (streams.get_by_role("button", name=f"{does} early") for does in ("Solo", "Mute"))
    solo.focus()
    press(tab, "Space", "Tab", "Enter")
    expect(solo).to_have_attribute("aria-pressed", "true")
    expect(mute).to_have_attribute("aria-pressed", "true")
    press(tab, "Shift+Tab", "Enter", "Escape")
    expect(tab.frame.get_by_role("button", name=name)).to_be_focused()
    expect(tab.frame.get_by_role("button", name="Only early")).to_have_count(0)
